// Waiting in a program whose goroutines cannot be preempted.
//
// With GODEBUG=asyncpreemptoff=1 a goroutine in a loop without calls keeps its processor
// for ever. A program may have more of those than processors and still end, as long as
// main keeps its own. If Exit waited there, one of them would take main's processor, and
// the program would never end.

package hitrt

import (
	"runtime"
	"strings"
	"sync/atomic"
	"time"
)

// isCooperative reports whether a GODEBUG has asyncpreemptoff. The runtime reads it when
// the program starts; the last value counts.
func isCooperative(godebug string) (off bool) {
	for setting := range strings.SplitSeq(godebug, ",") {
		if value, ok := strings.CutPrefix(setting, "asyncpreemptoff="); ok {
			off = strings.Trim(value, "0") != ""
		}
	}
	return off
}

// patience is how long mayYield waits. After 10 ms without a pause the runtime asks a
// goroutine to yield, and then it has to.
const patience = 5 * time.Millisecond

// mayYield reports whether a goroutine that waits gets a processor again. It keeps the
// one that it has, and looks whether another one takes up work, three times: in between,
// that one takes what was ready to run before.
func mayYield() bool {
	if runtime.NumGoroutine() <= 2 { // this one and the one that it waits for
		return true
	}
	if runtime.GOMAXPROCS(0) == 1 {
		return false // another one is never there
	}
	began := time.Now()
	for range 3 {
		var taken atomic.Bool
		go taken.Store(true)
		for doze(); !taken.Load(); doze() {
			if time.Since(began) > patience {
				return false
			}
		}
	}
	return true
}
