// The end of the use of local files: what still runs when everything is written.

package hitrt

import "runtime/debug"

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

// lookAgain writes which functions were called for the first time since the last look.
func (d *dataFile) lookAgain() {
	for range lastLooks {
		if !d.p.codebase.isHit() {
			return
		}
		d.p.sweep()
		if !d.first.empty() {
			d.write(d.p.now())
		}
	}
}
