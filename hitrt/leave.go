// The end of the use of local files: what still runs when everything is written.

package hitrt

import (
	"runtime/debug"
	"time"
)

// lastLooks is how many times cells are read again at the end, while others go on.
const lastLooks = 3

// close notes in the marks file that everything is written.
func (d *dataFile) close() {
	if d.ended && d.first.empty() {
		d.marks.end()
	}
}

// leave removes the marks file, if nothing of the program runs any more. Otherwise it stays
// mapped, for what is still called, and a later process writes what that was.
//
// A timer may fire, and a finalizer or a thread of C run, though no goroutine is left. So the
// goroutine that ends the program looks itself, as late as possible: before the file is
// removed, and after it. It also looks if the file stays, which may go with a container, or
// be where the hits file is not read.
func (d *dataFile) leave() {
	if !d.left.CompareAndSwap(false, true) || !d.ended || !d.first.empty() {
		return
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	if d.alone && !d.p.codebase.isHit() {
		d.marks.remove()
	}
	d.lookAgain()
}

// lookAgain writes which functions were called for the first time since the last look. A disk
// that does not answer holds up the end no longer than Exit may take.
func (d *dataFile) lookAgain() {
	for range lastLooks {
		if !d.p.codebase.isHit() {
			return
		}
		written := make(chan struct{})
		go d.writeLast(written)
		d.p.waitFor(written, time.Until(d.p.returns))
		select {
		case <-written:
		default:
			return // it still writes
		}
	}
}

// writeLast writes first calls, and closes a channel then.
func (d *dataFile) writeLast(written chan<- struct{}) {
	defer d.p.waiting.ring()
	defer close(written)
	defer func() { _ = recover() }()
	debug.SetPanicOnFault(true)
	d.p.sweep()
	if !d.first.empty() {
		d.write(d.p.now())
	}
}
