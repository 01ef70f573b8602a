package hitrt

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// withClock gives a publisher a clock that a test moves.
func withClock(pub *publisher) (pass func(time.Duration)) {
	now := pub.started
	pub.now = func() time.Time { return now }
	return func(d time.Duration) { now = now.Add(d) }
}

// The first call of a function is in the hits file after a second, later ones once a
// minute, and the last ones when the process ends. Without calls the process writes
// every ten minutes, so that readers know that it lived.
func TestStampsRefreshed(t *testing.T) {
	prog := newProgram(60)
	pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+newDataDir(t))
	pass := withClock(pub)
	pub.begin()
	path := pub.data.store.Path()
	stamp := func(i int) int64 {
		t.Helper()
		at, _, err := stampsOf(path)
		if err != nil {
			t.Fatal(err)
		}
		return at[place(i)]
	}
	now := func() int64 { return pub.now().UnixMilli() }
	tick := func(d time.Duration) { pass(d); pub.checkpoint() }

	prog.call(1)
	tick(time.Second)
	first := now()
	if stamp(1) != first || stamp(2) != 0 {
		t.Fatalf("stamps %d and %d, want %d and 0", stamp(1), stamp(2), first)
	}
	for range 50 {
		prog.call(1)
		tick(time.Second)
	}
	prog.call(2)
	tick(time.Second)
	if stamp(1) != first || stamp(2) != now() {
		t.Errorf("after 52 s: stamps %d s and %d s, want 1 and 52", (stamp(1)-first)/1000+1, (stamp(2)-first)/1000+1)
	}
	prog.call(1)
	last := now() + 1000
	for range 20 {
		tick(time.Second)
	}
	if stamp(1) != last {
		t.Errorf("stamp of a function that was called again is %d ms old, want it refreshed", last-stamp(1))
	}
	writes := processIn(t, path, pub.process).Writes
	for range 500 {
		tick(time.Second)
	}
	if p := processIn(t, path, pub.process); p.Writes != writes {
		t.Errorf("%d writes in 500 s in which nothing was called", p.Writes-writes)
	}
	for range 200 {
		tick(time.Second)
	}
	if p := processIn(t, path, pub.process); p.Writes != writes+1 || now()-p.SeenAt > 11*60_000 || p.State != datafile.Running {
		t.Errorf("%d writes in 700 s, last seen %d ms ago, state %d", p.Writes-writes, now()-p.SeenAt, p.State)
	}
	prog.call(1)
	pass(time.Second)
	pub.startExit()
	pub.finish()
	if p := processIn(t, path, pub.process); stamp(1) != now() || p.State != datafile.Ended {
		t.Errorf("after the end the stamp is %d ms old, and the state is %d", now()-stamp(1), p.State)
	}
	if messages.String() != "" {
		t.Errorf("messages %q", messages)
	}
}

// A hits file that was removed, or another one than the process knows, has all of its
// calls again. That is said, as those of others are lost.
func TestDataFileRemoved(t *testing.T) {
	dir, prog := newDataDir(t), newProgram(60)
	pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
	prog.call(1)
	pub.begin()
	path := pub.data.store.Path()
	early, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	prog.call(2)
	pub.checkpoint()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	prog.call(3)
	pub.checkpoint()
	if got := known(t, dir); !got[1] || !got[2] || !got[3] || got[4] {
		t.Errorf("after it was removed: %v, want 1, 2 and 3", got[:5])
	}
	if got := messages.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "was removed or replaced") {
		t.Errorf("messages %q, want one", got)
	}
	if err := os.WriteFile(path, early, 0o600); err != nil { // as from a backup
		t.Fatal(err)
	}
	prog.call(4)
	pub.checkpoint()
	if got := known(t, dir); !got[1] || !got[2] || !got[3] || !got[4] || got[5] {
		t.Errorf("after an earlier one came back: %v, want 1 to 4", got[:6])
	}
}

// A hits file with a damaged header is mended, and has all calls that it had and those of
// processes that live. That is said.
func TestDataFileHeaderDamaged(t *testing.T) {
	for _, length := range []int64{-1, 0, 10, 100} {
		dir, prog := newDataDir(t), newProgram(60)
		pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
		prog.call(1)
		pub.begin()
		path := pub.data.store.Path()
		if length >= 0 {
			if err := os.Truncate(path, length); err != nil {
				t.Fatal(err)
			}
		} else if b, err := os.ReadFile(path); err != nil {
			t.Fatal(err)
		} else if b[30] ^= 4; os.WriteFile(path, b, 0o600) != nil {
			t.Fatal("cannot damage it")
		}
		prog.call(2)
		pub.checkpoint()
		r, err := datafile.OpenHits(path)
		if err != nil {
			t.Fatal(err)
		}
		at := make([]int64, r.Functions)
		err = r.Stamps(func(i int, when int64, _ datafile.State) { at[i] = when })
		if at[1] == 0 || at[2] == 0 || (err != nil) != (length >= 0) {
			t.Errorf("length %d: the file has %v, %v", length, at[:4], err)
		}
		_ = r.Close()
		checkNames(t, dir, 3)
		if got := messages.String(); !strings.Contains(got, filepath.Base(path)) || strings.Count(got, "\n") > 2 {
			t.Errorf("length %d: messages %q, want it to be said", length, got)
		}
	}
}

// A hits file that was cut off in its stamps, as a machine that crashed may leave it,
// takes calls again. Of those that were cut off nothing is known.
func TestDataFileCutOff(t *testing.T) {
	dir, prog := newDataDir(t), newProgram(3000)
	pub, _ := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
	prog.call(1)
	pub.begin()
	path := pub.data.store.Path()
	if err := os.Truncate(path, 4096+8*2000+3); err != nil {
		t.Fatal(err)
	}
	next := newProgram(3000)
	next.call(2)
	next.call(2900)
	second, _ := newTestPublisher(next, nil, "SCAVENGER_DATA_DIR="+dir)
	second.begin()
	r, err := datafile.OpenHits(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	damaged, called := 0, map[int]bool{}
	err = r.Stamps(func(i int, _ int64, state datafile.State) {
		if state == datafile.Damaged {
			damaged++
		} else {
			called[i] = true
		}
	})
	if !called[1] || !called[2] || !called[2900+290] || len(called) != 3 || damaged != 3300-2000-1 || err == nil {
		t.Errorf("called %v; %d of 3,300 are damaged (%v)", called, damaged, err)
	}
}
