//go:build go1.25 && !nonetwork

package hitrt

import (
	"math/rand/v2"
	"net/http"
	"testing"
	"time"
)

// A program may end at any moment. Whatever ran is known afterwards, also if
// the collector takes up to 150 ms for each step of storing it.
func TestExitPublishes(t *testing.T) {
	for _, life := range []time.Duration{0, time.Millisecond, 5 * time.Second, 10 * time.Second, 10*time.Second + 1,
		15 * time.Second, 20 * time.Second, 25 * time.Second, 135 * time.Second, time.Hour} {
		for seed := range uint64(20) {
			bubble(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 2))
				fake, prog := newFake(), newProgram(40)
				delay := func() time.Duration { return time.Duration(random.Int64N(int64(150 * time.Millisecond))) }
				fake.codebaseDelay, fake.hitsDelay, fake.hitsGap = delay(), delay(), delay()
				pub, messages := newTestPublisher(prog, fake, toCollector()...)
				prog.call(1)
				go pub.run()
				time.Sleep(life)
				prog.call(2)
				began := time.Now()
				pub.exit()
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("life %v: exit took %v", life, took)
				}
				time.Sleep(time.Minute)
				for i, called := range []bool{false, true, true, false} {
					if at := fake.invokedAt(prog.hashOf(i)); called != (at > 0) || at < 0 {
						t.Errorf("life %v, seed %d: function %d invoked at %d, called: %v", life, seed, i, at, called)
					}
				}
				if messages.String() != "" {
					t.Errorf("life %v: messages %q", life, messages)
				}
			})
		}
	}
}

// A collector that never answers costs two seconds at exit, or what the
// setting says, whenever the program ends.
func TestExitBounded(t *testing.T) {
	for setting, want := range map[string]time.Duration{"": 2 * time.Second, "500ms": 500 * time.Millisecond, "0": 0} {
		for _, life := range []time.Duration{0, time.Second, 12 * time.Second, time.Hour} {
			bubble(t, func(t *testing.T) {
				fake := newFake()
				fake.fault = func(_ http.ResponseWriter, r *http.Request, _ string) bool {
					<-r.Context().Done()
					return true
				}
				pub, _ := newTestPublisher(newProgram(10), fake, toCollector("SCAVENGER_EXIT_TIMEOUT="+setting)...)
				go pub.run()
				time.Sleep(life)
				began := time.Now()
				pub.exit()
				if took := time.Since(began); took > want {
					t.Errorf("exitTimeout %q, life %v: exit took %v, want at most %v", setting, life, took, want)
				}
				pub.exit() // waits no longer
				if took := time.Since(began); took > want {
					t.Errorf("exitTimeout %q, life %v: exit twice took %v, want at most %v", setting, life, took, want)
				}
				<-pub.done
			})
		}
	}
}

// Who exits while somebody else does, as main may return while another goroutine
// calls Shutdown, ends the process: not before all is sent.
func TestExitTwice(t *testing.T) {
	bubble(t, func(t *testing.T) {
		fake, prog := newFake(), newProgram(10)
		fake.fault = func(http.ResponseWriter, *http.Request, string) bool {
			time.Sleep(200 * time.Millisecond)
			return false
		}
		pub, _ := newTestPublisher(prog, fake, toCollector()...)
		go pub.run()
		prog.call(3)
		go pub.exit()
		time.Sleep(100 * time.Millisecond)
		began := time.Now()
		pub.exit()
		select {
		case <-pub.done:
		default:
			t.Errorf("the second call returned after %v, before all was sent", time.Since(began))
		}
		if fake.invokedAt(prog.hashOf(3)) <= 0 {
			t.Error("the hit was not sent")
		}
		<-pub.done
	})
}

// An exit that joins another one waits as long as that: a disk may be slow after the deadline
// of the collector.
func TestExitTwiceLate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		pub, _ := newTestPublisher(newProgram(10), newFake(), toCollector("SCAVENGER_DATA_DIR="+t.TempDir())...)
		pub.startExit()
		time.AfterFunc(time.Until(pub.returns)-time.Millisecond, func() { close(pub.done) })
		pub.exit()
		select {
		case <-pub.done:
		default:
			t.Errorf("it returned %v before the first one would", time.Until(pub.returns))
		}
	})
}
