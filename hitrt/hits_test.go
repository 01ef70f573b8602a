//go:build go1.25 && !nonetwork

package hitrt

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// After an outage each function has the time of its last call, about: never an
// earlier one, so that none looks dead that was called, and not much later.
func TestHeavyPublishOutageTimes(t *testing.T) {
	program.Heavy(t)
	for _, up := range []time.Duration{0, time.Hour} { // before it is down
		bubble(t, func(t *testing.T) {
			fake, prog := newFake(), newProgram(60)
			fake.intervals = [6]int64{1200, 120, 1200, 120, 1200, 120}
			down := time.Now().Add(up)
			back := down.Add(21 * 24 * time.Hour)
			fake.fault = func(w http.ResponseWriter, _ *http.Request, _ string) bool {
				if now := time.Now(); now.Before(down) || !now.Before(back) {
					return false
				}
				w.WriteHeader(http.StatusBadGateway)
				return true
			}
			pub, _ := newTestPublisher(prog, fake, toCollector()...)
			go pub.run()
			calls := map[int]time.Time{}
			var held uint64
			for i := 0; time.Now().Before(back); i++ {
				if i == 4 {
					held = heap()
				}
				for _, j := range []int{i % 40, 59} { // one is always in use
					prog.call(j)
					calls[j] = time.Now()
				}
				time.Sleep(13 * time.Hour)
			}
			fake.mu.Lock()
			fake.calls = nil // the collector's memory is its own
			fake.mu.Unlock()
			if now := heap(); now > held+1<<20 {
				t.Errorf("up for %v: %d bytes more are held after three weeks than after two days", up, now-held)
			}
			time.Sleep(3 * time.Hour)
			synctest.Wait()
			if len(calls) < 38 {
				t.Fatalf("%d functions were called", len(calls))
			}
			for i, at := range calls {
				got := time.UnixMilli(fake.invokedAt(prog.hashOf(i)))
				early, late := at.Sub(got), got.Sub(at)
				if early > longestInterval || late > 24*time.Hour || back.Sub(at) < 47*time.Hour && late > time.Hour {
					t.Errorf("up for %v: function %d was called at %v and is known to have been at %v", up, i, at, got)
				}
			}
			n := 0
			for _, call := range fake.got(methodInvocations) {
				if call.at.After(back) {
					n++
				}
			}
			if n > 2*70+12 {
				t.Errorf("up for %v: %d messages after the outage", up, n)
			}
			pub.exit()
		})
	}
}

// A collector that is stopped between OK and storing loses nothing, whatever it
// had accepted.
func TestPublishCrashed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		fake, prog := newFake(), newProgram(60)
		fake.intervals = [6]int64{1200, 120, 1200, 120, 1200, 120}
		began := time.Now()
		fake.crashed = func(fakeCall) bool { // for a quarter of each hour
			return time.Since(began)%time.Hour < 15*time.Minute
		}
		pub, _ := newTestPublisher(prog, fake, toCollector()...)
		go pub.run()
		calls := map[int]time.Time{}
		for i := range 60 {
			prog.call(i)
			calls[i] = time.Now()
			time.Sleep(11 * time.Minute)
		}
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		for i, at := range calls {
			if got := time.UnixMilli(fake.invokedAt(prog.hashOf(i))); at.Sub(got) > 21*time.Minute || got.Sub(at) > time.Hour {
				t.Errorf("function %d was called at %v and is known to have been at %v", i, at, got)
			}
		}
		pub.exit()
	})
}

// A chunk that the collector did not store, although it said OK, is stored soon
// after.
func TestPublishChunkLost(t *testing.T) {
	for _, lose := range []string{"crashed", "broken"} {
		for lost := range 3 {
			bubble(t, func(t *testing.T) {
				fake, prog := newFake(), newProgram(900)
				fake.intervals = [6]int64{1200, 120, 1200, 120, 1200, 120}
				began := time.Now()
				isLost := func(call fakeCall) bool {
					return call.method == methodCodebase && time.Since(began) < time.Hour &&
						strings.Contains(call.common.text(4), fmt.Sprintf("-%02dof", lost+1))
				}
				if lose == "crashed" {
					fake.crashed = isLost
				} else {
					fake.broken = isLost
				}
				pub, _ := newTestPublisher(prog, fake, toCollector("SCAVENGER_MAX_MESSAGE_SIZE=65536")...)
				go pub.run()
				for range 4 {
					time.Sleep(time.Hour)
					fake.sweep()
				}
				synctest.Wait()
				chunks := map[string]bool{}
				for _, call := range fake.got(methodCodebase) {
					chunks[call.common.text(4)] = true
				}
				if len(chunks) != 4 {
					t.Errorf("%d chunks, want 4", len(chunks))
				}
				for i := range 900 {
					if at := fake.invokedAt(prog.hashOf(i)); at != 0 {
						t.Fatalf("%s, chunk %d: function %d: %d, want a row without a call", lose, lost, i, at)
					}
				}
				pub.exit()
			})
		}
	}
}

// What was called is sent again after each codebase, with its own time, not that
// of the first call of the process.
func TestPublishAgainTimes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		fake, prog := newFake(), newProgram(30)
		pub, _ := newTestPublisher(prog, fake, toCollector()...)
		prog.call(0)
		go pub.run()
		var late time.Time
		for day := range 12 {
			time.Sleep(24 * time.Hour)
			if day == 9 {
				prog.call(1)
				late = time.Now()
			}
		}
		fake.mu.Lock() // the application is deleted in the web page
		clear(fake.rows)
		clear(fake.methods)
		clear(fake.fingerprints)
		fake.mu.Unlock()
		time.Sleep(26 * time.Hour)
		synctest.Wait()
		if at := fake.invokedAt(prog.hashOf(0)); at <= 0 {
			t.Errorf("function 0 is forgotten: %d", at)
		}
		if got := time.UnixMilli(fake.invokedAt(prog.hashOf(1))); late.Sub(got) > longestInterval || got.Sub(late) > 24*time.Hour {
			t.Errorf("function 1 was called at %v and is known to have been at %v", late, got)
		}
		pub.exit()
	})
}

// A slow collector is polled all the same while it gets what an outage of weeks has
// left: it would forget the process.
func TestHeavyPublishSlow(t *testing.T) {
	program.Heavy(t)
	bubble(t, func(t *testing.T) {
		fake, prog := newFake(), newProgram(300)
		fake.intervals = [6]int64{1200, 120, 1200, 120, 1200, 120}
		back := time.Now().Add(30 * 24 * time.Hour)
		fake.fault = func(w http.ResponseWriter, _ *http.Request, method string) bool {
			if time.Now().Before(back) {
				w.WriteHeader(http.StatusBadGateway)
				return true
			}
			if strings.HasPrefix(method, "Send") {
				time.Sleep(29 * time.Second)
			}
			return false
		}
		pub, _ := newTestPublisher(prog, fake, toCollector()...)
		go pub.run()
		for i := 0; time.Now().Before(back); i++ {
			prog.call(i % 300)
			time.Sleep(31 * time.Minute)
		}
		time.Sleep(6 * time.Hour)
		synctest.Wait()
		last := back
		for _, call := range fake.got(methodPoll) {
			if gap := call.at.Sub(last); call.at.After(back) && gap > 45*time.Minute {
				t.Errorf("no poll for %v, %v after the outage", gap, call.at.Sub(back))
			}
			last = call.at
		}
		for i := range 300 {
			if at := fake.invokedAt(prog.hashOf(i)); at <= 0 {
				t.Fatalf("function %d: %d", i, at)
			}
		}
		pub.exit()
		time.Sleep(time.Minute) // the fake may still be busy
	})
}
