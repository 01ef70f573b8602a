package hitrt

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// No call is lost on 1 to 64 goroutines and any number of processors, also when
// that changes meanwhile: after the last checkpoint, no function's stamp is older
// than its last call. Both outlets read the marks, without a pause.
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
	pub, messages := newTestPublisher(prog, newFake(), toCollector("SCAVENGER_DATA_DIR="+t.TempDir())...)
	pub.begin()
	defer pub.data.release()
	var last [functions]atomic.Int64 // before the last call of each
	var callers sync.WaitGroup
	var stop atomic.Bool
	for w := range workers {
		callers.Add(1)
		go func() {
			defer callers.Done()
			random := rand.New(rand.NewPCG(uint64(w), 1))
			for !stop.Load() {
				i := random.IntN(functions)
				now := time.Now().UnixMilli()
				prog.call(i)
				for old := last[i].Load(); old < now && !last[i].CompareAndSwap(old, now); old = last[i].Load() {
				}
				if random.IntN(64) == 0 {
					runtime.Gosched()
				}
			}
		}()
	}
	end := time.Now().Add(60 * time.Millisecond)
	for round := 0; time.Now().Before(end); round++ {
		pub.checkpoint()
		if round%5 == 0 {
			pub.collector.endInterval()
		}
		if round == 3 {
			runtime.GOMAXPROCS(3)
		}
		runtime.Gosched()
	}
	stop.Store(true)
	callers.Wait()
	pub.checkpoint()
	pub.collector.endInterval()
	for i := range functions {
		number := pub.codebase.base[i/30] + i%30
		stamp := int64(binary.LittleEndian.Uint64(pub.data.stamps[stampSize*pub.data.stampOf[number]:]))
		if at := last[i].Load(); at != 0 && (stamp < at || !pub.collector.hits.unsent.has(number)) {
			t.Errorf("function %d: called at %d, its stamp is %d, known to the collector's outlet: %v", i, at, stamp, pub.collector.hits.unsent.has(number))
		}
	}
	if messages.String() != "" {
		t.Errorf("messages %q", messages)
	}
}
