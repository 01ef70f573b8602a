// The end of a process: what is written and sent then, and what when the program calls
// Flush.

package hitrt

import (
	"errors"
	"fmt"
	"runtime"
	"time"
)

// exit does the work of [Exit] in the goroutine that ends the program. Another one may have
// begun it, as by Shutdown: both have until the same moment.
func (p *publisher) exit() {
	p.startExit()
	<-p.exiting
	p.waitFor(p.done, time.Until(p.returns))
	select {
	case <-p.done:
		if p.data != nil {
			p.data.leave()
		}
	default: // the marks file stays
	}
}

// afterCalls is at most what the exit keeps of its time for what follows the last call to
// the collector: to write what that did not accept.
const afterCalls = 250 * time.Millisecond

// startExit sets the deadline, unless it was set before.
func (p *publisher) startExit() {
	if !p.leaving.CompareAndSwap(false, true) {
		return
	}
	wait := p.set.exitTimeout
	now := time.Now()
	p.deadline = now.Add(wait - min(wait/8, afterCalls))
	if p.set.dataDir != "" || p.set.collects() && p.set.savePlaces != nil {
		// Local files need no answer of a collector, only a moment.
		wait = max(wait, afterCalls)
	}
	p.returns = now.Add(wait)
	close(p.exiting)
	p.wake.ring()
}

// finish writes and sends what is pending. Local files come first: they are quick, and
// then nothing is lost whatever the collector does.
func (p *publisher) finish() {
	if p.data != nil {
		p.checkpoint()
	}
	if p.exporter != nil {
		p.exporter.finish()
		p.dismiss()
	}
	if p.data != nil {
		p.data.adopt(p.now())
		// Before the last look at the cells: a goroutine that ends in between may have set some.
		p.data.alone = p.endsAlone()
		p.checkpoint() // other goroutines went on while we sent
		p.data.close()
	}
}

// endsAlone reports whether no goroutine of the program is left but the one that ends it and
// waits for the publisher. In a program with cgo, as most are that import net, the runtime
// makes one call of C itself. Timers, finalizers and threads of C cannot be counted:
// [dataFile.leave] looks what they did.
func (p *publisher) endsAlone() bool {
	all := 2
	if p.signals.taken {
		all++ // of os/signal
	}
	return p.program.Executable && runtime.NumGoroutine() <= all && runtime.NumCgoCall() <= 1 && !hasChildren()
}

// left returns the time until the deadline of Exit. Call it once exiting is closed.
func (p *publisher) left() time.Duration {
	return max(time.Until(p.deadline), 0)
}

// isExiting reports whether Exit was called.
func (p *publisher) isExiting() bool {
	select {
	case <-p.exiting:
		return true
	default:
		return false
	}
}

// flush does the work of [Flush] in the publisher's goroutine.
func (p *publisher) flush() error {
	var dataErr error
	if p.data != nil {
		p.data.refresh()
		p.data.store.Wait = exitWait
		p.checkpoint()
		p.data.store.Wait = lockWait
		if p.data.wroteAt.IsZero() {
			dataErr = fmt.Errorf("scavenger: not all could be written to dataDir, %s", p.data.store.Dir)
		}
	}
	if p.exporter == nil {
		return dataErr
	}
	err := p.exporter.flush()
	p.dismiss()
	return errors.Join(dataErr, err)
}
