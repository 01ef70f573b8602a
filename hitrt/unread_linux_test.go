//go:build linux && (386 || amd64 || arm || arm64 || loong64 || riscv64) && !nonetwork

package hitrt

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// newUnreadPublisher returns a publisher whose clock stands still ten days ago, so that what it
// last saw cannot be taken for now.
func newUnreadPublisher(t *testing.T, variables ...string) *publisher {
	t.Helper()
	prog := newMappedProgram(&mappedArrays.later)
	pub, messages := newTestPublisher(prog, nil, append(variables, "SCAVENGER_DATA_DIR="+filepath.Join(newDataDir(t), "data"))...)
	pub.started = time.Now().Add(-10 * 24 * time.Hour)
	withClock(pub)
	pub.begin()
	if pub.data.marks == nil {
		t.Fatal(messages)
	}
	t.Cleanup(pub.die)
	return pub
}

// isUnread reports whether calls that somebody recovered now would have happened now. Whether
// they would or not, the process was last seen when it last read its cells.
func isUnread(t *testing.T, path string) bool {
	t.Helper()
	m, err := readMarksFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const day = 24 * time.Hour
	if seen := time.Since(time.UnixMilli(m.SeenAt)); seen < 9*day || seen > 11*day {
		t.Errorf("last seen %v ago, want ten days", seen)
	}
	return time.Since(time.UnixMilli(m.At)) < day
}

// While the publisher waits for nothing, calls have the time at which the process was last
// seen, and no other.
func TestWaitsForNothing(t *testing.T) {
	pub := newUnreadPublisher(t)
	path := pub.data.marks.path
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for pub.pause(time.Second) {
			pub.checkpoint()
		}
	}()
	waitFor(t, func() bool { return !isUnread(t, path) })
	pub.startExit()
	<-ended
	if !isUnread(t, path) {
		t.Error("a publisher that has ended is one that waits")
	}
	pub.swept = time.Now().Add(-checkpointInterval)
	if pub.rests(); !isUnread(t, path) {
		t.Error("cells that nobody has read for long are read")
	}
}

// With GODEBUG=asyncpreemptoff=1 a goroutine may keep the publisher from going on for ever.
func TestWaitsForProcessor(t *testing.T) {
	pub := newUnreadPublisher(t)
	path := pub.data.marks.path
	pub.sweep()
	pub.swept = time.Now().Add(time.Hour) // however long the machine takes
	if pub.rests(); isUnread(t, path) {
		t.Error("it waits for nothing, and nobody is said to read the cells")
	}
	pub.works()
	pub.cooperative = true
	if pub.rests(); !isUnread(t, path) {
		t.Error("cells are said to be read that nobody may come to read")
	}
}

// Somebody may cut the marks file off while the publisher waits.
func TestCutOffWhileWaiting(t *testing.T) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // as run does
	pub := newUnreadPublisher(t)
	path := pub.data.marks.path
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	pub.pause(0)
	pub.checkpoint()
	if !pub.data.marks.isThere() {
		t.Error("it is not made again")
	}
}

// A marks file that is made again has calls of now, before anybody reads its cells.
func TestSeenAgain(t *testing.T) {
	pub := newUnreadPublisher(t)
	if err := os.Remove(pub.data.marks.path); err != nil {
		t.Fatal(err)
	}
	pub.data.keep(pub.now())
	if !isUnread(t, pub.data.marks.path) {
		t.Error("its cells are read before the publisher waits for that")
	}
	if err := os.Remove(pub.data.marks.path); err != nil {
		t.Fatal(err)
	}
	pub.now = time.Now
	pub.data.keep(pub.now())
	m, err := readMarksFile(pub.data.marks.path)
	if err != nil || time.Since(time.UnixMilli(m.SeenAt)) > hang {
		t.Errorf("marks %+v, %v, want a process that was seen now", m, err)
	}
}

// Nobody knows when a function ran whose process waited for a disk until it was killed. So it
// ran last of all.
func TestCalledWhileUnread(t *testing.T) {
	inTheWay := func(paths ...string) error {
		var errs []error
		for _, path := range paths {
			errs = append(errs, os.RemoveAll(path), os.MkdirAll(filepath.Join(path, "d"), 0o700))
		}
		return errors.Join(errs...)
	}
	lists := func(pub *publisher) error {
		own := datafile.CodebaseName(pub.data.store.Identity.Fingerprint, pub.data.store.Identity.UID)
		return inTheWay(pub.codebasePath(), filepath.Join(pub.data.store.Dir, own))
	}
	damaged := func(pub *publisher, name string) error {
		return os.WriteFile(filepath.Join(pub.data.store.Dir, name), []byte("damaged"), 0o600)
	}
	// Each of these fails, which is when the test looks.
	for name, act := range map[string]func(t *testing.T, pub *publisher) error{
		"write": func(t *testing.T, pub *publisher) error {
			dir := pub.data.store.Dir
			err := errors.Join(os.Rename(dir, dir+".away"), os.WriteFile(dir, nil, 0o600))
			pub.data.refresh()
			pub.checkpoint()
			return err
		},
		"list": func(t *testing.T, pub *publisher) error {
			err := lists(pub)
			pub.data.listed = false
			pub.checkpoint()
			return err
		},
		"verify": func(t *testing.T, pub *publisher) error {
			err := lists(pub)
			pub.data.verified = false
			pub.data.verify()
			return err
		},
		"adopt": func(t *testing.T, pub *publisher) error {
			name, _ := datafile.MarksName(statOf(t, pub.data.store.Dir), "damaged")
			err := damaged(pub, name)
			pub.data.adopt(time.Now())
			return err
		},
		"orphans": func(t *testing.T, pub *publisher) error {
			err := damaged(pub, "hits-damaged.hits")
			pub.exporter.sendOrphans()
			return err
		},
		"write during a call to the collector": func(t *testing.T, pub *publisher) error {
			path, dir := pub.data.marks.path, pub.data.store.Dir
			pub.sweep()
			pub.data.refresh()
			_, err := await(pub, hang, func(context.Context) (int, error) {
				waitFor(t, func() bool { return !isUnread(t, path) })
				err := errors.Join(os.Rename(dir, dir+".away"), os.WriteFile(dir, nil, 0o600))
				waitFor(t, func() bool { return exists(dir + ".looked") })
				return 0, err
			})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			pub := newUnreadPublisher(t, toCollector()...)
			path, looked := pub.data.marks.path, pub.data.store.Dir+".looked"
			pub.log.out = writerFunc(func(line []byte) {
				if !isUnread(t, path) {
					t.Errorf("at %s calls have the time when the cells were last read, want now", line)
				}
				_ = os.WriteFile(looked, line, 0o600)
			})
			pub.sweep()
			pub.pause(0)
			if err := act(t, pub); err != nil {
				t.Fatal(err)
			}
			if !exists(looked) {
				t.Error("nothing failed: nothing was tested")
			}
			if !isUnread(t, path) {
				t.Error("afterwards calls have the time when the cells were last read, want now")
			}
		})
	}
}

// A writerFunc is called with what is written.
type writerFunc func(p []byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}

func statOf(t *testing.T, path string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}
