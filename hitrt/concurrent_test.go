//go:build !nonetwork

package hitrt

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// No call is lost on 1 to 64 goroutines and any number of processors, also when
// that changes meanwhile. In each round every function is called once while the
// marks are read without a pause; then its stamp must not be from before that. The
// clock counts the readings: a call is seen by the one that goes on, or by a later
// one. Negative control: copying an array of marks and then clearing it fails here.
func TestCallsConcurrent(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, workers := range []int{1, 2, 8, 64} {
		for _, processors := range []int{1, 2, 4, 16} {
			t.Run(fmt.Sprintf("goroutines=%d/processors=%d", workers, processors), func(t *testing.T) {
				runtime.GOMAXPROCS(processors)
				callConcurrently(t, workers)
			})
		}
	}
}

func callConcurrently(t *testing.T, workers int) {
	t.Helper()
	const functions = 300
	prog := newProgram(functions)
	pub, messages := newTestPublisher(prog, newFake(), toCollector("SCAVENGER_DATA_DIR="+newDataDir(t))...)
	base := time.Now().UnixMilli()
	var readings atomic.Int64 // that have ended
	pub.now = func() time.Time { return time.UnixMilli(base + readings.Load()) }
	pub.begin()
	end := time.Now().Add(60 * time.Millisecond)
	for round := 0; time.Now().Before(end); round++ {
		readings.Add(1)
		var called [functions]int64
		var callers sync.WaitGroup
		var left atomic.Int64
		left.Store(int64(workers))
		for w := range workers {
			callers.Add(1)
			go func() {
				defer callers.Done()
				for i := w; i < functions; i += workers {
					called[i] = base + readings.Load()
					prog.call(i)
					for range rand.IntN(200) { // so that calls and readings meet everywhere
						_ = left.Load()
					}
				}
				left.Add(-1)
			}()
		}
		for left.Load() > 0 {
			pub.sweep()
			readings.Add(1)
		}
		callers.Wait()
		if round == 3 {
			runtime.GOMAXPROCS(3)
		}
		pub.checkpoint()
		pub.exporter.endInterval()
		for i := range functions {
			number := pub.codebase.base[i/30] + i%30
			stamp := pub.data.last[pub.data.packages[i/30].stampOf(i%30)]
			if stamp < called[i] || !pub.exporter.hits.unsent.has(number) {
				t.Fatalf("round %d, function %d: called at %d, its stamp is %d", round, i, called[i]-base, stamp-base)
			}
		}
		clear(pub.exporter.hits.unsent)
	}
	if messages.String() != "" {
		t.Errorf("messages %q", messages)
	}
}
