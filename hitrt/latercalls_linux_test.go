//go:build linux && (386 || amd64 || arm || arm64 || loong64 || riscv64)

package hitrt

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// stampsAfterDeath returns the last calls that are known after a publisher died and somebody
// recovered what it left.
func stampsAfterDeath(t *testing.T, pub *publisher) []time.Time {
	t.Helper()
	path, dir := pub.data.marks.path, pub.data.store.Dir
	pub.die()
	if _, err := datafile.Recover(path, dir, 0); err != nil {
		t.Fatal(err)
	}
	paths := hitsIn(dir)
	if len(paths) != 1 {
		t.Fatalf("hits files %q, want one", paths)
	}
	at, _, err := stampsOf(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	var list []time.Time
	for _, at := range at {
		list = append(list, time.UnixMilli(at))
	}
	return list
}

// A later call of a function is not lost either when the process is killed: a function that
// ran last is not one that was not called since its first call was written.
func TestLaterCallsRecovered(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name  string
		after time.Duration                                    // the first call
		cut   func(t *testing.T, pub *publisher) (mend func()) // the later one is not written
	}{
		{"not yet", 30 * time.Second, func(*testing.T, *publisher) func() { return func() {} }},
		{"no directory", 9 * day, func(t *testing.T, pub *publisher) func() {
			dir := pub.data.store.Dir
			if err := errors.Join(os.Rename(dir, dir+".away"), os.WriteFile(dir, nil, 0o600)); err != nil {
				t.Fatal(err)
			}
			return func() {
				if err := errors.Join(os.Remove(dir), os.Rename(dir+".away", dir)); err != nil {
					t.Fatal(err)
				}
			}
		}},
		{"locked, and the marks file is made again", 9 * day, func(t *testing.T, pub *publisher) func() {
			release := lock(t, pub.data.store.Path())
			return func() {
				defer release()
				if err := os.Remove(pub.data.marks.path); err != nil {
					t.Fatal(err)
				}
				pub.data.keep(pub.now())
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			prog := newMappedProgram(&mappedArrays.later)
			presumed := time.Now().Add(-30 * day)
			prog.presume(presumed, 40)
			pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+filepath.Join(newDataDir(t), "data"))
			pub.started = time.Now().Add(-10 * day)
			pass := withClock(pub)
			pub.begin()
			if pub.data.marks == nil {
				t.Fatal(messages)
			}
			prog.call(1)
			prog.call(2)
			pass(time.Second)
			pub.checkpoint()
			pass(tt.after)
			mend := tt.cut(t, pub)
			prog.call(1)
			pub.checkpoint()
			mend()
			last := pub.now()
			pub.swept = time.Now()
			pub.rests() // until it is killed
			got := stampsAfterDeath(t, pub)
			for function, want := range map[int]time.Time{1: last, 2: pub.started, 40: presumed} {
				if at := got[place(function)]; at.Before(want.Truncate(time.Millisecond)) || at.After(want.Add(time.Minute)) {
					t.Errorf("function %d has the time %v, want %v", function, at, want)
				}
			}
		})
	}
}

// Nobody knows when a function ran whose process went on after it had written all. So it ran
// last of all.
func TestCalledAfterFinish(t *testing.T) {
	prog := newMappedProgram(&mappedArrays.later)
	pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+newDataDir(t))
	pub.started = time.Now().Add(-10 * 24 * time.Hour)
	withClock(pub)
	pub.begin()
	if pub.data.marks == nil {
		t.Fatal(messages)
	}
	pub.startExit()
	pub.finish()
	prog.call(1)
	if got := time.Since(stampsAfterDeath(t, pub)[place(1)]); got > time.Minute {
		t.Errorf("function 1 was called %v ago, want now", got)
	}
}

// A process whose lock was lost, so that another one took it for dead, does not go on with a
// marks file that nobody looks into any more.
func TestRecoveredAlive(t *testing.T) {
	dir := newDataDir(t)
	prog := newMappedProgram(&mappedArrays.later)
	pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
	pub.begin()
	if pub.data.marks == nil {
		t.Fatal(messages)
	}
	pub.data.marks.set(datafile.SavedAt, datafile.SavedState) // as Recover does in dataDir
	pub.checkpoint()
	prog.call(3)
	if m, err := readMarksFile(pub.data.marks.path); err != nil || m.Saved || len(m.Calls) != 1 {
		t.Errorf("marks %+v, %v, want a file with one call that is not saved", m, err)
	}
	if !strings.Contains(messages.String(), "taken for one of a process that had ended") {
		t.Errorf("messages %q", messages)
	}
	pub.die()
}

// Whoever cleans up by age removes the list of functions first. A process that lives writes
// it again, or nothing that it calls counts.
func TestListRemoved(t *testing.T) {
	dir := newDataDir(t)
	pub, messages := newTestPublisher(newProgram(60), nil, "SCAVENGER_DATA_DIR="+dir)
	pass := withClock(pub)
	pub.begin()
	if err := os.Remove(pub.codebasePath()); err != nil {
		t.Fatal(err)
	}
	for range 2 * seenInterval / time.Second {
		pass(time.Second)
		pub.checkpoint()
	}
	if !exists(pub.codebasePath()) || messages.String() != "" {
		t.Errorf("the list is there: %v, messages %q", exists(pub.codebasePath()), messages)
	}
	pub.die()
}
