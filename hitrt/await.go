//go:build !nonetwork

// How the publisher waits for a collector.

package hitrt

import (
	"context"
	"fmt"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

const errNoPoller = datafile.Error("no descriptors are left for a connection")

// await runs f, a call to the collector, in a goroutine of its own, and makes
// checkpoints meanwhile. When the program exits, f gets half of the time that Exit
// has: it may be stuck, or about to succeed.
func await[T any](p *publisher, timeout time.Duration, f func(context.Context) (T, error)) (T, error) {
	if !p.poller.start() { // timers and connections need it
		var none T
		return none, errNoPoller
	}
	exiting := p.exiting
	if p.isExiting() {
		exiting = nil
		timeout = min(timeout, p.left())
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	o, done := background(func() (T, error) { return f(ctx) })
	checkpoints := time.NewTicker(checkpointInterval)
	defer checkpoints.Stop()
	defer p.works()
	for {
		p.rests()
		select {
		case <-done:
			return o.get()
		case <-ctx.Done():
			// f ends by itself, since it has ctx; its result is dropped.
			var none T
			return none, fmt.Errorf("no answer in time: %w", ctx.Err())
		case <-checkpoints.C:
			if p.data != nil {
				followProgram()
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

// An outcome is what a function in a goroutine of its own came to.
type outcome[T any] struct {
	value T
	err   error
	bug   any
}

// background runs f in a goroutine of its own. The outcome may be read once done is closed.
func background[T any](f func() (T, error)) (o *outcome[T], done <-chan struct{}) {
	o, ended := &outcome[T]{}, make(chan struct{})
	go func() {
		defer close(ended)
		defer func() { o.bug = recover() }()
		o.value, o.err = f()
	}()
	return o, ended
}

// get returns what f returned, or panics as it did.
func (o *outcome[T]) get() (T, error) {
	if o.bug != nil {
		panic(o.bug)
	}
	return o.value, o.err
}
