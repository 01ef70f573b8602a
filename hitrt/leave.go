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
// mapped, for what is still called, and a later process writes what that was. A second call
// waits for the first.
//
// A timer may fire, and a finalizer or a thread of C run, though no goroutine is left. So the
// goroutine that ends the program looks itself, as late as possible: before the file is
// removed, and after it. It also looks if the file stays, which may go with a container, or
// be where the hits file is not read.
func (d *dataFile) leave() {
	if !d.leaving.CompareAndSwap(false, true) {
		d.p.waitFor(d.left, time.Until(d.p.returns))
		return
	}
	defer d.p.waiting.ring()
	defer close(d.left)
	defer func() { _ = recover() }() // of cells behind the end of a file that was cut off
	if !d.ended || !d.first.empty() {
		return
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	if d.alone && d.marks != nil && !d.p.codebase.isHit() && !d.inTime(d.marks.remove) {
		return
	}
	d.lookAgain()
}

// lookAgain writes which functions were called for the first time since the last look.
func (d *dataFile) lookAgain() {
	for range lastLooks {
		if !d.p.codebase.isHit() || !d.inTime(d.writeLast) {
			return
		}
	}
}

// writeLast writes first calls.
func (d *dataFile) writeLast() {
	d.p.sweep()
	if !d.first.empty() {
		d.write(d.p.now())
	}
}

// inTime runs f, which uses files, in a goroutine of its own, and reports whether it ended
// before Exit must return: a disk that does not answer holds up the end no longer.
func (d *dataFile) inTime(f func()) bool {
	left := time.Until(d.p.returns)
	if left <= 0 {
		return false
	}
	ended := make(chan struct{})
	go func() {
		defer d.p.waiting.ring()
		defer close(ended)
		defer func() { _ = recover() }()
		debug.SetPanicOnFault(true)
		f()
	}()
	d.p.waitFor(ended, left)
	select {
	case <-ended:
		return true
	default:
		return false
	}
}
