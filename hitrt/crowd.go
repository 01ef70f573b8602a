// Waiting in a program with many goroutines that compute.
//
// Each of them keeps its processor for up to 10 ms. A goroutine that comes back from a system
// call, or yields, goes to the end of the queue and waits for all others: for seconds, where
// there are hundreds, and again at its next call. One that waits for a channel or a timer goes
// to the front. So whatever ends such a program waits with a timer.

package hitrt

import "runtime"

// crowd is the number of goroutines for each processor from which on a turn of all of them may
// take longer than it takes to write local files at the end.
const crowd = 25

// mayTime reports whether to wait with a timer, which takes the runtime's poller: if the
// program has one, and when it ends, if calls to the collector take one in any case or there
// is a crowd.
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
