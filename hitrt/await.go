//go:build !nonetwork

// How the publisher waits for a collector.

package hitrt

import (
	"context"
	"fmt"
	"time"
)

// await runs f, a call to the collector, in a goroutine of its own, and makes
// checkpoints meanwhile. When the program exits, f gets half of the time that Exit
// has: it may be stuck, or about to succeed.
func await[T any](p *publisher, timeout time.Duration, f func(context.Context) (T, error)) (T, error) {
	p.poller.running.Store(true) // timers and connections need it
	type result struct {
		value T
		err   error
		bug   any
	}
	exiting := p.exiting
	if p.isExiting() {
		exiting = nil
		timeout = min(timeout, p.left())
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	results := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			r.bug = recover()
			results <- r
		}()
		r.value, r.err = f(ctx)
	}()
	checkpoints := time.NewTicker(checkpointInterval)
	defer checkpoints.Stop()
	for {
		select {
		case r := <-results:
			if r.bug != nil {
				panic(r.bug)
			}
			return r.value, r.err
		case <-ctx.Done():
			// f ends by itself, since it has ctx; its result is dropped.
			var none T
			return none, fmt.Errorf("no answer in time: %w", ctx.Err())
		case <-checkpoints.C:
			if p.data != nil {
				p.checkpoint()
			}
		case <-exiting:
			exiting = nil
			if p.data != nil {
				p.checkpoint()
			}
			stop := time.AfterFunc(p.left()/2, cancel)
			defer stop.Stop()
		}
	}
}
