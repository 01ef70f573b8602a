//go:build !linux

package hitrt

import (
	"sync/atomic"
	"time"
)

// An alarm wakes one waiter without a timer, on systems where that is necessary.
type alarm struct{}

func (*alarm) ring() {}

func (*alarm) wait(d time.Duration) { time.Sleep(d) }

// doze does nothing: to sleep would give up the processor.
func doze() {}

// A pollerWatch tells whether the runtime has started its poller.
type pollerWatch struct{ running atomic.Bool }

func (w *pollerWatch) begin() { w.running.Store(true) }

func (*pollerWatch) runs() bool { return true }

func (*pollerWatch) start() bool { return true }
