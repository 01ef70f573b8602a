// Waiting in a program with many goroutines that compute.
//
// Each of them keeps its processor for up to 10 ms. Who comes back from a system call, or
// yields, is the last in the queue, and waits for all others: for seconds, where there are
// hundreds, and again at the next call. Only who waits for a channel or a timer is let in
// first. So an end must not wait without a timer there.

package hitrt

import "runtime"

// crowd is the number of goroutines for each processor from which on a turn of all may take
// longer than an end with local files.
const crowd = 25

// mayTime reports whether who waits takes a timer, and with it the runtime's poller: if the
// program has one, and at its end, if calls to the collector take one in any case, or in a
// crowd.
func (p *publisher) mayTime() bool {
	switch {
	case p.poller.running.Load():
		return true
	case !p.isExiting():
		return false
	case p.set.collects(), runtime.NumGoroutine() > crowd*runtime.GOMAXPROCS(0):
		return p.poller.start()
	}
	return false
}
