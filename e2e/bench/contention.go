// What cores do to each other when they mark functions whose cells share a cache
// line: measured on the cores there are, simulated for more.

package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const lineSize = 64 // bytes, and so cells, of a cache line

// cells are two cache lines at least, so that one of them is whole.
type cells [2 * lineSize]uint8

//go:noinline
func storeMark(c *cells, i int) { c[i] = 1 }

//go:noinline
func testMark(c *cells, i int) {
	if c[i] == 0 {
		c[i] = 1
	}
}

func contentionBench(_ context.Context, args []string) error {
	flags := flag.NewFlagSet("contention", flag.ContinueOnError)
	runs := flags.Int("runs", 51, "measurements, of which the median counts")
	calls := flags.Int("calls", 1_000_000, "calls of each core in the simulation")
	if err := flags.Parse(args); err != nil {
		return err
	}
	w := os.Stdout
	fmt.Fprintf(w, "### Time of a call, ns, by the number of cores that mark functions of one cache line\n\n")
	fmt.Fprintf(w, "| cores | store | test, then store |\n| --- | --- | --- |\n")
	for cores := 1; cores <= runtime.NumCPU(); cores *= 2 {
		fmt.Fprintf(w, "| %d | %.2f | %.2f |\n", cores, timePerCall(storeMark, cores, *runs), timePerCall(testMark, cores, *runs))
	}
	fmt.Fprintf(w, "\n### Simulated: how often a core has to fetch the line from another, per 1,000 calls\n\n")
	fmt.Fprintf(w, "The cores take turns, a call each, of one of the line's %d functions at random; cells are cleared once in %d calls of a core.\n\n", lineSize, *calls/10)
	fmt.Fprintf(w, "| cores | store | test, then store |\n| --- | --- | --- |\n")
	for _, cores := range []int{1, 2, 4, 16, 64} {
		fmt.Fprintf(w, "| %d | %.3f | %.3f |\n", cores, simulate(cores, *calls, false), simulate(cores, *calls, true))
	}
	return nil
}

// timePerCall returns the nanoseconds of a call while so many cores make calls, all
// at the same time.
func timePerCall(mark func(*cells, int), cores, runs int) float64 {
	const calls = 1_000_000
	var all []float64
	c := new(cells)
	for range runs {
		var ready atomic.Int32
		var done sync.WaitGroup
		times := make([]time.Duration, cores)
		for core := range cores {
			done.Add(1)
			go func() {
				defer done.Done()
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				for ready.Add(1); ready.Load() < int32(cores); {
					runtime.Gosched()
				}
				begin := time.Now()
				for range calls {
					mark(c, core)
				}
				times[core] = time.Since(begin)
			}()
		}
		done.Wait()
		all = append(all, float64(slices.Max(times).Nanoseconds())/calls)
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// simulate counts, per 1,000 calls, how often a core does not hold the line in
// the state that it needs: any valid copy for a test, the only one for a store.
// It is the protocol that all caches with invalidation have in common.
func simulate(cores, calls int, test bool) float64 {
	r := rand.New(rand.NewPCG(1, 2))
	var set [lineSize]bool
	holders := make([]bool, cores)
	sharers, fetched := 0, 0
	own := func(core int) {
		if !holders[core] || sharers > 1 {
			fetched++
		}
		clear(holders)
		holders[core], sharers = true, 1
	}
	for call := range calls {
		if call%(calls/10) == 0 { // publishing clears the cells
			clear(set[:])
			own(0)
		}
		for core := range cores {
			f := r.IntN(lineSize)
			if test {
				if !holders[core] {
					holders[core] = true
					sharers++
					fetched++
				}
				if set[f] {
					continue
				}
			}
			set[f] = true
			own(core)
		}
	}
	return 1000 * float64(fetched) / float64(calls*cores)
}
