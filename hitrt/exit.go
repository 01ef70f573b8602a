// The end of a process: what is written and sent then, and what when the program calls
// Flush.

package hitrt

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// exit does the work of [Exit] in the goroutine that ends the program.
func (p *publisher) exit() {
	wait, ok := p.startExit()
	switch {
	case !ok: // another call, perhaps of Shutdown, has begun it and needs its time
		<-p.exiting
		wait = p.left()
	case p.set.dataDir != "" || p.set.collects() && p.set.savePlaces != nil:
		// Local files need no answer of a collector, only a moment.
		wait = max(wait, afterCalls)
	}
	p.waitFor(p.done, wait)
}

// afterCalls is at most what the exit keeps of its time for what follows the last call to
// the collector: to write what that did not accept.
const afterCalls = 250 * time.Millisecond

// startExit sets the deadline. It returns false if that was set before.
func (p *publisher) startExit() (wait time.Duration, ok bool) {
	if !p.leaving.CompareAndSwap(false, true) {
		return 0, false
	}
	wait = p.set.exitTimeout
	now := time.Now()
	p.deadline = now.Add(wait - min(wait/8, afterCalls))
	p.returns = now.Add(max(wait, afterCalls))
	close(p.exiting)
	p.wake.ring()
	return wait, true
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
		alone := p.endsAlone() // before the last look: who ends meanwhile has called something
		p.checkpoint()         // other goroutines went on while we sent
		for range lastLooks {
			if alone || p.data.process.Kept != datafile.OnceASecond {
				break
			}
			p.checkpoint() // nobody reads the cells after that
		}
		p.data.close(alone)
	}
}

// lastLooks is how many times cells are read again at the end, where nothing of them
// outlives the process and other goroutines still run.
const lastLooks = 2

// endsAlone reports whether nothing of the program can run any more but what waits for
// the publisher: the goroutine that ends the program, if it is not the publisher's. In a
// program with cgo, as most are that import net, the runtime makes one call of C itself.
func (p *publisher) endsAlone() bool {
	all := 2
	if p.signals.taken {
		all++ // of os/signal
	}
	return p.isProgram && runtime.NumGoroutine() <= all && runtime.NumCgoCall() <= 1 && !hasChildren()
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
