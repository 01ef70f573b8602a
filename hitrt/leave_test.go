//go:build go1.25

package hitrt

import (
	"testing"
	"time"
)

// Who exits while another exit writes what was called last ends the process: not before
// that is written.
func TestLeaveTwice(t *testing.T) {
	bubble(t, func(t *testing.T) {
		dir := newDataDir(t)
		pub := calledAtLast(t, dir, func() { time.Sleep(100 * time.Millisecond) })
		first := exitBeside(pub)
		pub.exit()
		if called := known(t, dir); !called[place(2)] {
			t.Error("the second exit returned before the call was written")
		}
		<-first
	})
}

// A disk that does not answer the last write holds up neither exit longer than the time that
// an exit has.
func TestLeaveFrozen(t *testing.T) {
	for _, timeout := range []string{"0", "50ms", "2s"} {
		bubble(t, func(t *testing.T) {
			stuck := make(chan struct{})
			pub := calledAtLast(t, newDataDir(t), func() { <-stuck }, "SCAVENGER_EXIT_TIMEOUT="+timeout)
			first := exitBeside(pub)
			pub.exit()
			<-first
			if late := time.Since(pub.returns); late > 0 {
				t.Errorf("exitTimeout %s: it takes %v too long", timeout, late)
			}
			close(stuck)
		})
	}
}

// exitBeside begins an exit in another goroutine, and returns what is closed when that ends.
func exitBeside(pub *publisher) <-chan struct{} {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		pub.exit()
	}()
	time.Sleep(time.Millisecond)
	return ended
}

// calledAtLast returns a publisher whose goroutine has ended, in a program that has called
// something since. To write that takes what answer takes.
func calledAtLast(t *testing.T, dir string, answer func(), variables ...string) *publisher {
	prog := newProgram(60)
	pub, _ := newTestPublisher(prog, nil, append(variables, "SCAVENGER_DATA_DIR="+dir, "SCAVENGER_MAPPING=none")...)
	go pub.run()
	prog.call(1)
	pub.startExit()
	<-pub.done
	prog.call(2)
	pub.now = func() time.Time {
		answer()
		return time.Now()
	}
	return pub
}
