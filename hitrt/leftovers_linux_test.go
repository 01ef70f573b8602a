//go:build linux && (386 || amd64 || arm || arm64 || loong64 || riscv64)

package hitrt

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// The marks file of a killed process whose dataDir nobody uses any more is recovered by
// others after an hour, and removed after a week if its dataDir is gone: it takes memory.
func TestSettled(t *testing.T) {
	ages := []time.Duration{time.Minute, 2 * time.Hour, 2 * time.Hour, datafile.ForgottenAfter + time.Hour}
	wanted := []bool{true, false, true, false} // the marks file is there afterwards
	var dirs, paths []string
	prog := newMappedProgram(&mappedArrays.recover)
	for i, age := range ages {
		dirs = append(dirs, newDataDir(t))
		pub, _ := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dirs[i])
		pub.started = pub.started.Add(-age)
		pub.now = func() time.Time { return pub.started }
		pub.begin()
		prog.call(1)
		paths = append(paths, pub.data.marks.path)
		pub.die()
	}
	another := newDataDir(t) // before others are removed, whose inode it could get
	for _, dir := range dirs[2:] {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	next, _ := newTestPublisher(newProgram(60), nil, "SCAVENGER_DATA_DIR="+another)
	next.begin()
	// Away from what other tests leave: one search looks into a few files.
	shared := t.TempDir()
	for i, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_ = os.Remove(path)
		paths[i] = filepath.Join(shared, filepath.Base(path))
		if err := os.WriteFile(paths[i], content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	next.data.findMarks([]string{shared})
	for i, want := range wanted {
		if exists(paths[i]) != want {
			t.Errorf("marks file of a process that was killed %v ago, with dataDir %s: there %v, want %v", ages[i], dirs[i], exists(paths[i]), want)
		}
	}
	if got := known(t, dirs[1]); !got[1] {
		t.Error("the call was not recovered")
	}
}

// leaveMarks puts marks files of killed processes into a directory. Their dataDir is gone, and
// they were killed so long ago.
func leaveMarks(t testing.TB, dir string, n int, age time.Duration) (paths []string) {
	t.Helper()
	dataDir := newDataDir(t)
	prog := newMappedProgram(&mappedArrays.recover)
	pub, _ := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dataDir)
	pub.started = pub.started.Add(-age)
	pub.now = func() time.Time { return pub.started }
	pub.begin()
	if pub.data.marks == nil {
		t.Fatalf("nothing is mapped: %s", pub.data.process.Why)
	}
	prog.call(1)
	one := pub.data.marks.path
	content, err := os.ReadFile(one)
	if err != nil {
		t.Fatal(err)
	}
	pub.die()
	clear(prog.Packages[0].Marks)
	for _, gone := range []string{one, dataDir} {
		if err := os.RemoveAll(gone); err != nil {
			t.Fatal(err)
		}
	}
	// One file with many names.
	for i := range n {
		path := filepath.Join(dir, fmt.Sprintf("%012x-%s-%d.marks", i*7919, pub.process, age))
		if i == 0 {
			err = os.WriteFile(path, content, 0o600)
		} else {
			err = os.Link(paths[0], path)
		}
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

// However many marks files processes with other dataDirs left, one search opens a few of
// them. In the end all that can go have gone, whatever stands before them.
func TestManyLeftOvers(t *testing.T) {
	shared := t.TempDir()
	leaveMarks(t, shared, 100, time.Minute)
	leaveMarks(t, shared, 60, datafile.ForgottenAfter+time.Hour)
	left, searches := 160, 0
	for ; left > 100 && searches < 5000; searches++ {
		left -= searchOnce(t, shared, false)
	}
	if left != 100 {
		t.Errorf("%d files are left after %d searches, want the 100 young ones", left, searches)
	}
}

// Nor do they hold up an exit, at which a process opens some only if there are many.
func TestManyLeftOversAtExit(t *testing.T) {
	shared := t.TempDir()
	leaveMarks(t, shared, 150, time.Minute)
	leaveMarks(t, shared, 150, datafile.ForgottenAfter+time.Hour)
	left := 300
	for range 30 {
		left -= searchOnce(t, shared, true)
	}
	if left == 300 || left < exitMarks-settledAtOnce {
		t.Errorf("%d files of 300 are left, want those that are no crowd", left)
	}
}

// searchOnce returns how many files of others in a directory one search removes.
func searchOnce(t *testing.T, shared string, exits bool) (removed int) {
	t.Helper()
	pub, _ := newTestPublisher(newProgram(60), nil, "SCAVENGER_DATA_DIR="+t.TempDir())
	pub.prepare()
	if exits {
		pub.startExit()
	}
	before := len(datafile.MarksIn(shared, ""))
	if found := pub.data.findMarks([]string{shared}); len(found) > 0 {
		t.Fatalf("files of other directories are taken for those of this one: %q", found)
	}
	removed = before - len(datafile.MarksIn(shared, ""))
	if removed > settledAtOnce {
		t.Fatalf("exits %v: one search removed %d files, want at most %d", exits, removed, settledAtOnce)
	}
	return removed
}

// BenchmarkSearch is what a process does at its first second, and every ten minutes, by the
// number of marks files that killed processes with other dataDirs left.
func BenchmarkSearch(b *testing.B) {
	for _, n := range []int{0, 10, 1000} {
		b.Run(fmt.Sprintf("left=%d", n), func(b *testing.B) {
			shared := b.TempDir()
			leaveMarks(b, shared, n, time.Minute)
			pub, _ := newTestPublisher(newProgram(60), nil, "SCAVENGER_DATA_DIR="+newDataDir(b))
			pub.begin()
			dirs := []string{pub.data.store.Dir, shared}
			before := cpuTime(b)
			for b.Loop() {
				pub.data.findMarks(dirs)
			}
			b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// cpuTime is what the process has used so far, of user and system time.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
