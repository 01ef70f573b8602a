//go:build go1.25 && unix && !nonetwork

package hitrt

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A HOME that does not answer holds up nothing: not what a living process sends, and not
// an exit, which saves in the next place. What is stuck there is not begun twice.
func TestUnsentFrozen(t *testing.T) {
	tmp := filepath.Join(t.TempDir(), "tmp")
	if err := makeAll(filepath.Dir(tmp), 0o777|os.ModeSticky, "tmp"); err != nil {
		t.Fatal(err)
	}
	bubble(t, func(t *testing.T) {
		home, fake, prog := newHome(t), newFake(), newProgram(60)
		pub, _ := newTestPublisher(prog, fake, toCollector("HOME="+home)...)
		pub.set.savePlaces = append(pub.set.savePlaces, savePlace{above: tmp, below: []string{"scavenger-wrap"}, shared: true})
		stuck := make(chan struct{})
		answer := func() (int, error) { <-stuck; return 1, nil }
		began := time.Now()
		if n, err := inPlace(pub, &pub.set.savePlaces[0], inTurn, answer); n != 0 || !errors.Is(err, errNoAnswer) || time.Since(began) != placeWait {
			t.Errorf("after %v it returns %d, %v", time.Since(began), n, err)
		}
		began = time.Now()
		if _, err := inPlace(pub, &pub.set.savePlaces[0], inTurn, answer); !errors.Is(err, errNoAnswer) || time.Since(began) != 0 {
			t.Errorf("after %v it returns %v again", time.Since(began), err)
		}
		go pub.run()
		prog.call(3)
		time.Sleep(time.Hour)
		prog.call(4)
		time.Sleep(time.Hour)
		if fake.invokedAt(prog.hashOf(4)) <= 0 {
			t.Error("a living process sends nothing any more")
		}
		fake.fault = collectorFaults["hangs"]
		prog.call(5)
		began = time.Now()
		pub.exit()
		if took := time.Since(began); took > pub.set.exitTimeout {
			t.Errorf("the exit took %v", took)
		}
		if _, calls := savedIn(t, pub.set.savePlaces[1].dir()); len(calls) != 1 {
			t.Errorf("saved %v, want one call", calls)
		}
		close(stuck)
		<-pub.done
		if got := below(t, home); len(got) > 0 {
			t.Errorf("there is %q", got)
		}
	})
}

// What goes on in a place that does not answer may still save the calls.
func TestUnsentFrozenMaybeLost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		fake, prog := newFake(), newProgram(60)
		fake.fault = collectorFaults["hangs"]
		pub, messages := newTestPublisher(prog, fake, toCollector("HOME="+newHome(t))...)
		stuck := make(chan struct{})
		defer close(stuck)
		pub.set.savePlaces = pub.set.savePlaces[:1]
		_, _ = inPlace(pub, &pub.set.savePlaces[0], inTurn, func() (int, error) { <-stuck; return 1, nil })
		go pub.run()
		prog.call(3)
		pub.exit()
		<-pub.done
		if text := messages.String(); !strings.Contains(text, "may be lost") {
			t.Errorf("messages %q, want one that says what may be lost", text)
		}
	})
}

// What begins to hang at the end leaves time for the next place.
func TestUnsentFrozenAtExit(t *testing.T) {
	for _, timeout := range []string{"0", "100ms", "2s"} {
		bubble(t, func(t *testing.T) {
			pub, _ := newTestPublisher(newProgram(60), newFake(), toCollector("HOME="+newHome(t), "SCAVENGER_EXIT_TIMEOUT="+timeout)...)
			pub.startExit()
			began := time.Now()
			stuck := make(chan struct{})
			_, err := inPlace(pub, &pub.set.savePlaces[0], inTurn, func() (int, error) { <-stuck; return 1, nil })
			if took := time.Since(began); !errors.Is(err, errNoAnswer) || 2*took > pub.returns.Sub(began) {
				t.Errorf("exitTimeout %s: it takes %v, %v", timeout, took, err)
			}
			close(stuck)
		})
	}
}

// The last place has all the time until the exit returns, also if the collector has used up
// its own, and a disk that is slow loses nothing.
func TestUnsentSlowAtExit(t *testing.T) {
	const ms = time.Millisecond
	for timeout, slow := range map[string]time.Duration{"0": 240 * ms, "100ms": 160 * ms, "500ms": 60 * ms, "2s": 240 * ms} {
		bubble(t, func(t *testing.T) {
			pub, _ := newTestPublisher(newProgram(60), newFake(), toCollector("HOME="+newHome(t), "SCAVENGER_EXIT_TIMEOUT="+timeout)...)
			pub.startExit()
			time.Sleep(pub.left())
			answer := func() (int, error) { time.Sleep(slow); return 1, nil }
			if n, err := inPlace(pub, &pub.set.savePlaces[0], allThatIsLeft, answer); n != 1 || err != nil {
				t.Errorf("exitTimeout %s: %d, %v", timeout, n, err)
			}
		})
	}
}

// A process that looks for saved calls when it ends leaves time for what it has to do then.
func TestUnsentFrozenExitMeanwhile(t *testing.T) {
	bubble(t, func(t *testing.T) {
		pub, _ := newTestPublisher(newProgram(60), newFake(), toCollector("HOME="+newHome(t), "SCAVENGER_EXIT_TIMEOUT=500ms")...)
		stuck := make(chan struct{})
		time.AfterFunc(100*time.Millisecond, func() { pub.startExit() })
		began := time.Now()
		_, err := inPlace(pub, &pub.set.savePlaces[0], inTurn, func() (int, error) { <-stuck; return 1, nil })
		if took := time.Since(began); !errors.Is(err, errNoAnswer) || took > 350*time.Millisecond {
			t.Errorf("after %v: %v", took, err)
		}
		close(stuck)
	})
}

// A panic there is the publisher's, which ends our work and not the program.
func TestInPlacePanic(t *testing.T) {
	pub, _ := newTestPublisher(newProgram(60), newFake(), toCollector("HOME="+newHome(t))...)
	defer func() {
		if recover() == nil {
			t.Error("nothing is known of the panic")
		}
	}()
	_, _ = inPlace(pub, &pub.set.savePlaces[0], inTurn, func() (int, error) { panic("x") })
}
