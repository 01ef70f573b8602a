// Tests of what is said of processes that may have called more than is known.

package report

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

const (
	thisBoot  = "11111111-2222-4333-8444-555555555555"
	otherBoot = "aaaaaaaa-2222-4333-8444-555555555555"
)

// kinds returns the kinds of a report's problems.
func kinds(r *Report) string {
	var list []string
	for _, p := range r.Problems {
		list = append(list, string(p.Kind))
	}
	return strings.Join(list, " ")
}

func TestFates(t *testing.T) {
	functions := []testFunc{fn("store.Open", "store.go", 1), fn("store.Shut", "store.go", 2)}
	const running, once = datafile.Running, datafile.OnceASecond
	now := at(20)
	called := func(d time.Duration) calls { return calls{"Open": now.Add(d)} }
	for _, tt := range []struct {
		name  string
		p     testProcess
		shut  Status // of the function that is not called
		count Processes
		kinds string
	}{
		{"ended", testProcess{started: at(1)}, NeverCalled, Processes{}, ""},
		{"killed, recovered", testProcess{started: at(1), state: datafile.Recovered}, NeverCalled, Processes{Recovered: 1}, ""},
		{"killed, lost its last second", testProcess{started: at(1), calls: calls{"Open": at(2)}, state: datafile.Lossy}, NeverCalled, Processes{Lossy: 1}, "lossy"},
		{"killed, lost all", testProcess{started: at(1), state: datafile.Lossy, kept: once}, Unknown, Processes{Lossy: 1, KeptOnceASecond: 1, Mute: 1}, "lossy"},
		{"running before the last start", testProcess{started: at(1), calls: calls{"Open": at(2)}, state: running, boot: otherBoot}, NeverCalled, Processes{Lossy: 1}, "from-another-boot"},
		{"short before the last start", testProcess{started: at(1), state: running, boot: otherBoot}, Unknown, Processes{Lossy: 1, Mute: 1}, "from-another-boot"},
		{"running, written once a second", testProcess{started: at(1), calls: called(-time.Minute), state: running, boot: thisBoot, kept: once}, NeverCalled, Processes{Running: 1, KeptOnceASecond: 1}, ""},
		{"running, where runs of the machine have no names", testProcess{started: at(1), calls: called(-time.Minute), state: running, kept: once}, NeverCalled, Processes{Running: 1, KeptOnceASecond: 1}, ""},
		{"killed a moment ago, written once a second", testProcess{started: at(1), calls: called(-time.Minute), state: running, boot: thisBoot, kept: once, pid: 1<<31 - 1}, NeverCalled, Processes{Lossy: 1, KeptOnceASecond: 1}, "lossy"},
		{"silent, written once a second", testProcess{started: at(1), calls: called(-time.Hour), state: running, boot: thisBoot, kept: once}, NeverCalled, Processes{Lossy: 1, KeptOnceASecond: 1}, "lossy"},
		{"its marks are gone", testProcess{started: at(1), calls: called(-time.Minute), state: running, boot: thisBoot}, NeverCalled, Processes{Lossy: 1}, "lossy"},
		{"its clock is ahead, and its marks are gone", testProcess{started: now.AddDate(1, 0, 0), calls: called(366 * 24 * time.Hour), state: running, boot: thisBoot}, NeverCalled, Processes{Lossy: 1}, "lossy"},
		{"started since the report began", testProcess{started: now.Add(time.Minute), calls: called(time.Hour), state: running, boot: thisBoot}, NeverCalled, Processes{Running: 1}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.p.pid != 0 && runtime.GOOS == "windows" {
				t.Skip("who lives is not known here")
			}
			dir := t.TempDir()
			tt.p.id, tt.p.app = "1", "shop"
			leave(t, dir, "a", functions, tt.p)
			r, err := readAt(dir, now, thisBoot)
			if err != nil {
				t.Fatal(err)
			}
			tt.count.Total = 1
			if r.Processes != tt.count {
				t.Errorf("processes %+v, want %+v", r.Processes, tt.count)
			}
			if got := kinds(r); got != tt.kinds {
				t.Errorf("problems %v, want %q", r.Problems, tt.kinds)
			}
			if got := statuses(r)["store.Shut"]; got != tt.shut {
				t.Errorf("Shut is %s, want %s", got, tt.shut)
			}
			if want := tt.kinds == ""; r.Complete() != want {
				t.Errorf("complete is %v, want %v", r.Complete(), want)
			}
		})
	}
}

// A process that was killed as it wrote to a new file left calls, and no record. They count.
func TestCallsWithoutRecord(t *testing.T) {
	open, shut := fn("store.Open", "store.go", 1), fn("store.Shut", "store.go", 2)
	dir := t.TempDir()
	leave(t, dir, "a", []testFunc{open, shut}, testProcess{id: "1", app: "shop", started: at(1), calls: calls{"Open": at(2)}})
	killed := testProcess{id: "2", app: "job"}
	leave(t, dir, "b", []testFunc{open, shut, fn("store.Dead", "store.go", 3)})
	if _, err := store(dir, "b", []testFunc{open, shut, shut}, killed).Update(&datafile.Update{Calls: func(yield func(int, int64) bool) { yield(1, at(3).UnixMilli()) }}); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{dir, mergedOf(t, dir)} {
		r, err := Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got := statuses(r); got["store.Shut"] != Called || got["store.Dead"] != Unknown || kinds(r) != "lossy" {
			t.Errorf("statuses = %v, problems %v, want Shut called, and Dead unknown, by a process that was killed at once", got, r.Problems)
		}
		if r.Unseen != 0 || r.Processes.Total != 2 {
			t.Errorf("%d builds without a process, processes %+v", r.Unseen, r.Processes)
		}
	}
}

// What a build in use may have called all day is never called by no other's word.
func TestMuteBesideAnother(t *testing.T) {
	open, shut := fn("store.Open", "store.go", 1), fn("store.Shut", "store.go", 2)
	dir := t.TempDir()
	leave(t, dir, "a", []testFunc{open, shut}, testProcess{id: "1", app: "shop", started: at(1), calls: calls{"Open": at(2)}})
	leave(t, dir, "b", []testFunc{shut}, testProcess{id: "2", app: "job", started: at(1), state: datafile.Lossy})
	// An older build, of which nothing is known.
	leave(t, dir, "c", []testFunc{open, shut, fn("store.New", "store.go", 3)},
		testProcess{id: "3", app: "work", started: at(1), state: datafile.Lossy})
	leave(t, dir, "d", []testFunc{open, fn("store.New", "store.go", 3)},
		testProcess{id: "4", app: "work", started: at(4), calls: calls{"Open": at(5)}})
	r, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := statuses(r)
	if got["store.Open"] != Called || got["store.Shut"] != Unknown || got["store.New"] != NeverCalled {
		t.Errorf("statuses = %v, want Open called, Shut unknown, New never called", got)
	}
	if len(r.Mute) != 1 || r.Mute[0].App != "job" {
		t.Errorf("mute are %+v, want job", r.Mute)
	}
}

// Many processes that each lost all: their records make room for others, and it is still
// known.
func TestMuteSums(t *testing.T) {
	functions := []testFunc{fn("cmd/job.main", "main.go", 1)}
	for _, tt := range []struct {
		name  string
		long  bool // one of them lived long
		state datafile.ProcessState
		want  Status
	}{
		{"all lost all", false, datafile.Lossy, Unknown},
		{"one lived for days", true, datafile.Lossy, NeverCalled},
		{"all ended", false, datafile.Ended, NeverCalled},
	} {
		dir := t.TempDir()
		for i := range 60 {
			p := testProcess{id: fmt.Sprint("p", i), app: "job", started: at(1), state: tt.state, kept: datafile.OnceASecond}
			if tt.long && i == 0 {
				p.calls = calls{"other": at(6)} // moves the time it was seen last
			}
			leave(t, dir, "a", functions, p)
		}
		r, err := Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got := statuses(r)["cmd/job.main"]; got != tt.want {
			t.Errorf("%s: main is %s, want %s", tt.name, got, tt.want)
		}
		if r.Processes.Total != 60 || r.Processes.KeptOnceASecond != 60 || tt.state == datafile.Lossy && r.Processes.Lossy != 60 {
			t.Errorf("%s: processes %+v, want 60", tt.name, r.Processes)
		}
		if len(r.Programs) != 1 || r.Programs[0].Processes != 60 {
			t.Errorf("%s: programs %+v, want one of 60 processes", tt.name, r.Programs)
		}
	}
}

// Processes whose clocks were not set when they started, and that were killed. Those that
// were seen once their clocks were set lived for some time, be it in the sums; of the others
// nobody knows it.
func TestMuteSumsWithoutClock(t *testing.T) {
	functions := []testFunc{fn("cmd/job.main", "main.go", 1), fn("cmd/job.run", "main.go", 2)}
	for _, tt := range []struct {
		name  string
		calls calls
		want  Status
	}{
		{"set later", calls{"run": at(6)}, NeverCalled},
		{"never set", nil, Unknown},
	} {
		for _, processes := range []int{1, 60} {
			dir := t.TempDir()
			for i := range processes {
				leave(t, dir, "a", functions, testProcess{
					id: fmt.Sprint("p", i), app: "job", started: time.UnixMilli(datafile.MinTime),
					calls: tt.calls, state: datafile.Lossy, kept: datafile.OnceASecond,
				})
			}
			r, err := Read(dir)
			if err != nil {
				t.Fatal(err)
			}
			if got := statuses(r)["cmd/job.main"]; got != tt.want {
				t.Errorf("%s, %d processes: main is %s, want %s", tt.name, processes, got, tt.want)
			}
			if want := map[Status]int{Unknown: processes}[tt.want]; r.Processes.Mute != want {
				t.Errorf("%s, %d processes: %d are mute, want %d", tt.name, processes, r.Processes.Mute, want)
			}
		}
	}
}

// A clock that was in 2099 once makes no build the latest for ever, whether the process
// has a record of its own or is part of the sums.
func TestClockInTheFuture(t *testing.T) {
	open, shut := fn("store.Open", "store.go", 10), fn("store.Shut", "store.go", 20)
	future := time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, more := range []int{0, 40} {
		dir := t.TempDir()
		leave(t, dir, "a", []testFunc{open, shut}, testProcess{id: "f", app: "shop", started: future, calls: calls{"Open": future}})
		for i := range more {
			leave(t, dir, "a", []testFunc{open, shut}, testProcess{id: fmt.Sprint(i), app: "shop", started: at(1), calls: calls{"Open": at(1)}})
		}
		leave(t, dir, "b", []testFunc{open}, testProcess{id: "z", app: "shop", started: at(9), calls: calls{"Open": at(10)}})
		r := mustRead(t, dir)
		if got := statuses(r); len(got) != 1 || got["store.Open"] != Called {
			t.Errorf("%d others: statuses = %v, want only Open", more, got)
		}
		if p := r.Programs[0]; len(r.Programs) != 1 || p.To.After(at(11)) || p.Processes != more+2 {
			t.Errorf("%d others: programs = %+v, want one, until January 10", more, r.Programs)
		}
	}
}

// A codebase of another user gives calls no names; one of root, or of whoever asks, does.
func TestCodebaseOfAnother(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	functions := []testFunc{fn("store.Open", "store.go", 10)}
	for _, tt := range []struct {
		hits, codebase, own int // users, own of a second codebase file, 0 for none
		kinds               string
	}{
		{1000, 1000, 0, ""}, {1000, 0, 0, ""}, {1000, 1001, 0, "codebase-of-another codebase-of-another"}, {1000, 1001, 1000, ""},
	} {
		dir := t.TempDir()
		p := testProcess{id: "1", app: "shop", started: at(1), calls: calls{"Open": at(2)}}
		s := store(dir, "a", functions, p)
		s.Identity.UID = tt.hits
		record(t, s, functions, p)
		names := map[string]int{datafile.CodebaseName("a", -1): tt.codebase}
		if tt.own != 0 {
			names[datafile.CodebaseName("a", tt.own)] = tt.own
		}
		for name, owner := range names {
			put(t, dir, name, codebaseBytes(t, "a", functions))
			if err := os.Chown(dir+"/"+name, owner, -1); err != nil {
				t.Fatal(err)
			}
		}
		r, err := Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		if got := kinds(r); got != tt.kinds {
			t.Errorf("%+v: problems %v, want %q", tt, r.Problems, tt.kinds)
		}
		if called := slices.ContainsFunc(r.Functions, func(f Function) bool { return f.Status == Called }); called != (tt.kinds == "") {
			t.Errorf("%+v: functions %v", tt, r.Functions)
		}
	}
}

// What cannot be read is named, and nothing waits for it.
func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	functions := []testFunc{fn("store.Open", "store.go", 10)}
	leave(t, dir, "a", functions, testProcess{id: "1", app: "shop", started: at(1), calls: calls{"Open": at(2)}})
	if err := os.Symlink("elsewhere", dir+"/hits-0000000000000000.hits"); err != nil {
		t.Skip(err)
	}
	r, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := kinds(r); got != "unreadable" || statuses(r)["store.Open"] != Called {
		t.Errorf("problems %v, functions %v; want one unreadable file, and Open called", r.Problems, r.Functions)
	}
}
