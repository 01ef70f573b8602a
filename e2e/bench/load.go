// The load: requests over a number of connections, the same ones in the same order each
// time, with the time that each took.

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A connection sends requests one after another.
type connection interface {
	// do sends the request of that number and reads the answer.
	do(n int) error
	Close() error
}

// connect opens so many connections.
func connect(count int, dial func() (connection, error)) (list []connection, err error) {
	for range count {
		c, err := dial()
		if err != nil {
			return nil, errors.Join(err, closeAll(list))
		}
		list = append(list, c)
	}
	return list, nil
}

func closeAll(list []connection) error {
	var errs []error
	for _, c := range list {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// An outcome says what came of a load.
type outcome struct {
	elapsed   time.Duration
	latencies []time.Duration
}

// latencyQuantile returns what the share q of requests took at most. Their times are sorted.
func latencyQuantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// drive sends so many requests, the first one of that number. With a rate of 0 the loop is closed:
// each connection sends its next request when it has the answer to the last one, as much as
// the server can do. Otherwise it is open: the nth request is due n/rate seconds after the first, and the time that
// it takes begins when it is due, also if all connections still wait then: else a server
// that stops for a moment would show in one request for each connection and not in all that
// came meanwhile.
func drive(ctx context.Context, connections []connection, first, requests int, rate float64) (outcome, error) {
	var next atomic.Int64
	var failed atomic.Bool
	var workers sync.WaitGroup
	latencies := make([][]time.Duration, len(connections))
	errs := make([]error, len(connections))
	began := time.Now()
	for i, c := range connections {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for !failed.Load() && ctx.Err() == nil {
				n := int(next.Add(1) - 1)
				if n >= requests {
					return
				}
				from := time.Now()
				if rate > 0 {
					from = began.Add(time.Duration(float64(n) / rate * float64(time.Second)))
					time.Sleep(time.Until(from))
				}
				if err := c.do(first + n); err != nil {
					errs[i] = fmt.Errorf("request %d: %w", first+n, err)
					failed.Store(true)
					return
				}
				latencies[i] = append(latencies[i], time.Since(from))
			}
		}()
	}
	workers.Wait()
	return outcome{time.Since(began), slices.Concat(latencies...)}, errors.Join(errors.Join(errs...), ctx.Err())
}
