// Signals that end the program.
//
// The runtime has a handler of its own for SIGTERM, SIGINT and SIGHUP from the start,
// and lets a program die of them that does not ask for them. Nothing of ours would run
// then. So where nobody else asks, this package does: it writes and sends what is
// pending, gives the signal back, and sends it to the process again, which dies of it
// as it would have. The system sees the same handler all the time, and children start
// with the dispositions and masks that they have without us.

package hitrt

import (
	"sync/atomic"
	"time"
)

// signalWatch is the publisher's part in signals.
type signalWatch struct {
	taken bool        // written before the publisher's goroutine starts, or by it
	dying atomic.Bool // the process is about to die of a signal
}

// sameSignal is the time in which a second signal belongs to the first: timeout(1), for
// one, sends it to its child and then to the group. What comes later ends the program at
// once.
const sameSignal = 100 * time.Millisecond

// goroutines is the number of goroutines that run on behalf of this package while the
// publisher only waits.
func (w *signalWatch) goroutines() int {
	if w.taken {
		return 3 // the publisher, the one that waits for signals, and that of os/signal
	}
	return 1
}

// awaitDeath does not return while a signal is about to end the process: main may
// return meanwhile, and the status must be that of the signal.
func (p *publisher) awaitDeath() {
	for p.signals.dying.Load() {
		p.waiting.wait(time.Millisecond)
	}
}
