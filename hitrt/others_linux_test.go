//go:build linux && (386 || amd64 || arm || arm64 || loong64 || riscv64)

package hitrt

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

func init() {
	childPrograms["alone"] = func() { endWith(false) }
	childPrograms["beside"] = func() { endWith(true) }
}

// settle starts processes until nothing of earlier ones is left but the hits files.
func settle(t *testing.T, dir string, prog func() *Program) {
	t.Helper()
	pub, messages := newTestPublisher(prog(), nil, "SCAVENGER_DATA_DIR="+dir, "SCAVENGER_MAPPING=none")
	pub.begin()
	for range 50 {
		pub.data.others.searched = time.Time{}
		pub.data.adopt(time.Now())
	}
	if left := marksUnder(t, os.Geteuid(), dir); len(left) > 0 {
		t.Errorf("not recovered: %q (%s)", left, messages)
	}
}

// The marks file of a process goes when it ends, if nothing of the program can run any
// more. Otherwise it stays, and what was called after the last write is recovered.
func TestEnd(t *testing.T) {
	for _, name := range []string{"alone", "beside"} {
		dir := newDataDir(t)
		cmd := child(t, name, "SCAVENGER_DATA_DIR="+dir)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		left := marksUnder(t, os.Geteuid(), dir)
		if want := name == "beside"; len(left) > 0 != want {
			t.Errorf("%s: marks files %q are left: want that: %v (the process said %s)", name, left, want, out)
		}
		called := known(t, dir)
		for i := range 6 {
			if want := i == 1 || i == 2 || i == 3 && name == "beside"; called[i] != want {
				t.Errorf("%s: function %d is known: %v, want %v", name, i, called[i], want)
			}
		}
		next, messages := newTestPublisher(newMappedProgram(&mappedArrays.recover), nil, "SCAVENGER_DATA_DIR="+dir)
		next.begin()
		next.data.adopt(time.Now())
		next.die()
		for _, path := range left {
			if exists(path) {
				t.Errorf("%s: %s is not recovered (%s)", name, path, messages)
			}
		}
		at, _, err := stampsOf(next.data.store.Path())
		if err != nil || at[1] == 0 || at[2] == 0 || (at[3] != 0) != (name == "beside") {
			t.Errorf("%s: stamps %v, %v", name, at[:5], err)
		}
		processes, _ := processesIn(t, next.data.store.Path())
		for _, p := range processes {
			if p.UUID != next.process && p.State != datafile.Ended {
				t.Errorf("%s: the state of the process is %d, want that it ended", name, p.State)
			}
		}
	}
}

// endWith calls, and ends as a program does: alone, or beside a goroutine that calls one
// more function after all was written.
func endWith(beside bool) {
	prog := newMappedProgram(&mappedArrays.ended)
	prog.call(1)
	Register(prog)
	prog.call(2)
	if beside {
		go func() { select {} }()
	}
	Exit()
	<-registered.Load().done
	if beside {
		prog.call(3)
	}
}

// What a killed process had not written is recovered, by a process of any build.
func TestRecovered(t *testing.T) {
	dir, elsewhere := newDataDir(t), newDataDir(t)
	prog := newMappedProgram(&mappedArrays.recover)
	killed := func(dir string) (path, marks, uuid string) {
		pub, _ := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
		pub.begin()
		prog.call(1)
		pub.checkpoint()
		prog.call(2)
		pub.sweep()
		prog.call(80)
		marks = pub.data.marks.path
		pub.die()
		clear(prog.Packages[0].Marks)
		clear(prog.Packages[2].Marks)
		return pub.data.store.Path(), marks, pub.process
	}
	path, marks, uuid := killed(dir)
	_, other, _ := killed(elsewhere)
	if at, _, err := stampsOf(path); err != nil || at[1] == 0 || at[2] != 0 || at[place(80)] != 0 {
		t.Fatalf("stamps %v, %v: the process was to be killed before it wrote", at, err)
	}
	next, messages := newTestPublisher(newProgram(60), nil, "SCAVENGER_DATA_DIR="+dir)
	next.begin()
	next.data.adopt(time.Now())
	at, _, err := stampsOf(path)
	if err != nil || at[1] == 0 || at[2] == 0 || at[place(80)] == 0 || at[3] != 0 || exists(marks) {
		t.Errorf("stamps %v, %v; marks file there: %v", at, err, exists(marks))
	}
	if now := time.Now().UnixMilli() + 2000; at[2] < next.started.UnixMilli()-60_000 || at[2] > now {
		t.Errorf("recovered with the time %d", at[2])
	}
	if p := processIn(t, path, uuid); p.State != datafile.Recovered || p.Kept != datafile.InMemory {
		t.Errorf("record %+v", p)
	}
	if !exists(other) {
		t.Error("the marks file of a process with another dataDir is gone")
	}
	if messages.String() != "" {
		t.Errorf("messages %q", messages)
	}
}

// Nobody recovers the marks file of a process that lives, not even as it appears.
func TestLivingNotRecovered(t *testing.T) {
	dir := newDataDir(t)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
			}
			info, err := os.Stat(dir)
			if err != nil {
				return
			}
			_, prefix := datafile.MarksName(info, "")
			for _, path := range datafile.MarksIn(datafile.MarksDir(os.Geteuid(), 0), prefix) {
				_, err := datafile.Recover(path, dir, 0)
				// A killed test may have left one whose directory had the number that this one has.
				if !errors.Is(err, datafile.ErrBusy) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, datafile.ErrElsewhere) {
					t.Errorf("Recover of %s, whose process lives: %v", path, err)
				}
			}
		}
	}()
	prog := newMappedProgram(&mappedArrays.taken)
	for range 300 {
		pub, _ := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
		pub.begin()
		if pub.data.marks == nil {
			t.Fatal("nothing is mapped")
		}
		_ = os.Remove(pub.data.marks.path)
		pub.die()
	}
	close(stop)
	<-stopped
}

// If another process holds the lock of the shared file for ever, as one that was stopped
// while it wrote does, a process writes a file of its own: after lockPatience, or at
// once when it ends. A later process joins it to the shared one.
func TestLockHeld(t *testing.T) {
	for _, exits := range []bool{false, true} {
		dir := newDataDir(t)
		prog := newMappedProgram(&mappedArrays.busy)
		pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
		pass := withClock(pub)
		prog.call(1)
		pub.begin()
		shared := pub.data.store.Path()
		release := lock(t, shared)
		prog.call(2)
		for range int(lockPatience/time.Second) - 1 {
			pub.checkpoint()
			if names := hitsIn(dir); len(names) != 1 {
				t.Fatalf("files %q before the patience is over", names)
			}
			if exits {
				break
			}
			pass(time.Second)
		}
		if exits {
			prog.Executable = false // others of its goroutines run on
			pub.startExit()
			pub.finish()
		} else {
			pass(3 * time.Second)
			pub.checkpoint()
		}
		alone := pub.data.store.Path()
		at, _, err := stampsOf(alone)
		if alone == shared || err != nil || at[1] == 0 || at[2] == 0 {
			t.Fatalf("exits %v: %s has %v, %v, want calls 1 and 2", exits, alone, at, err)
		}
		if messages.String() != "" {
			t.Errorf("exits %v: messages %q", exits, messages)
		}
		prog.call(3)
		marks := pub.data.marks.path
		pub.die()
		clear(prog.Packages[0].Marks)
		release()
		next, said := newTestPublisher(newProgram(90), nil, "SCAVENGER_DATA_DIR="+dir)
		next.begin()
		next.data.adopt(time.Now())
		if exists(marks) {
			t.Errorf("exits %v: the marks file is not recovered (%s)", exits, said)
		}
		next.data.others.searched = time.Time{}
		next.data.adopt(time.Now())
		at, _, err = stampsOf(shared)
		if err != nil || at[1] == 0 || at[2] == 0 || at[3] == 0 {
			t.Errorf("exits %v: the shared file has %v, %v, want calls 1, 2 and 3", exits, at[:5], err)
		}
		want := datafile.Recovered
		if exits {
			want = datafile.Ended
		}
		if p := processIn(t, shared, pub.process); p.State != want {
			t.Errorf("exits %v: state %d, want %d", exits, p.State, want)
		}
		if said.String() != "" {
			t.Errorf("exits %v: messages %q", exits, said)
		}
	}
}

// A process that slept so long that another one joined its own file writes on.
func TestJoinedWhileAsleep(t *testing.T) {
	dir := newDataDir(t)
	prog := newProgram(60)
	pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
	pass := withClock(pub)
	prog.call(1)
	pub.begin()
	shared := pub.data.store.Path()
	release := lock(t, shared)
	prog.call(2)
	pub.checkpoint()
	pass(2 * lockPatience)
	pub.checkpoint()
	release()
	alone := pub.data.store.Path()
	hoursAgo := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(alone, hoursAgo, hoursAgo); err != nil || alone == shared {
		t.Fatal(alone, err)
	}
	settle(t, dir, func() *Program { return newProgram(60) })
	if r, err := datafile.OpenHits(alone); err != nil || !r.Joined {
		t.Fatalf("the file was not joined (%v)", err)
	}
	prog.call(3)
	pass(time.Hour)
	pub.checkpoint()
	if called := known(t, dir); !called[1] || !called[2] || !called[3] {
		t.Errorf("called %v, want 1, 2 and 3 (%s)", called[:5], messages)
	}
}

// Whoever searches a directory again and again joins no file twice, and names one that
// cannot be read once.
func TestUnreadableNamedOnce(t *testing.T) {
	dir := newDataDir(t)
	bad := filepath.Join(dir, "hits-0123456789abcdef-4a2c9d10-0000-4000-8000-000000000000.hits")
	if err := os.WriteFile(bad, []byte("nothing of ours"), 0o600); err != nil {
		t.Fatal(err)
	}
	pub, messages := newTestPublisher(newProgram(60), nil, "SCAVENGER_DATA_DIR="+dir)
	pub.begin()
	for range 5 {
		pub.data.others.searched = time.Time{}
		pub.data.adopt(time.Now())
	}
	if got := messages.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, filepath.Base(bad)) {
		t.Errorf("messages %q, want one about the file", got)
	}
	if !slices.Contains(hitsIn(dir), bad) {
		t.Error("the file was removed")
	}
}

// The setting mapping puts the marks file into dataDir, or makes none. One in dataDir
// stays for a time after it is recovered: who copies the directory at that moment may
// have read the hits file before.
func TestMappingSetting(t *testing.T) {
	for setting, want := range map[string]datafile.Kept{"memory": datafile.InMemory, "disk": datafile.OnDisk, "none": datafile.OnceASecond} {
		dir := newDataDir(t)
		if setting == "disk" && (isMemory(dir) || !isSteady(dir)) {
			t.Logf("%s is not on a disk whose stores succeed", dir)
			continue
		}
		prog := newMappedProgram(&mappedArrays.recover)
		pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir, "SCAVENGER_MAPPING="+setting)
		pub.begin()
		prog.call(1)
		if pub.data.process.Kept != want || (pub.data.marks == nil) != (setting == "none") {
			t.Fatalf("mapping %s: kept %v, because of %s", setting, pub.data.process.Kept, pub.data.process.Why)
		}
		if called := known(t, dir); setting != "none" && !called[1] {
			t.Errorf("mapping %s: a call is not known at once", setting)
		}
		inDir := datafile.MarksIn(dir, "")
		if len(inDir) > 0 != (setting == "disk") {
			t.Errorf("mapping %s: marks files %q in dataDir", setting, inDir)
		}
		pub.die()
		clear(prog.Packages[0].Marks)
		next, _ := newTestPublisher(newProgram(60), nil, "SCAVENGER_DATA_DIR="+dir)
		next.begin()
		next.data.adopt(time.Now())
		at, _, err := stampsOf(pub.data.store.Path())
		if err != nil || at[1] == 0 && setting != "none" {
			t.Errorf("mapping %s: stamps %v, %v, want call 1 recovered", setting, at[:3], err)
		}
		if setting == "disk" {
			m, err := readMarksFile(inDir[0])
			if err != nil || !m.Saved {
				t.Fatalf("the marks file says %+v, %v, want that it is recovered", m, err)
			}
			ago := time.Now().Add(-2 * datafile.JoinedFor)
			if err := os.Chtimes(inDir[0], ago, ago); err != nil {
				t.Fatal(err)
			}
			next.data.others.searched = time.Time{}
			next.data.adopt(time.Now())
			if exists(inDir[0]) {
				t.Error("the marks file stays for ever")
			}
		}
		if messages.String() != "" {
			t.Errorf("mapping %s: messages %q", setting, messages)
		}
	}
}
