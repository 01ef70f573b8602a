// Tests of evidence: how long, where and by whom functions were observed.

package report

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

func TestRunningTime(t *testing.T) {
	const t0 = datafile.MinTime + 1
	whole := func(from, to int64) run { return newRun(t0+from, t0+to, to-from, t0+1000) }
	sum := func(from, to, lived int64) run { return newRun(t0+from, t0+to, lived, t0+1000) }
	for _, test := range []struct {
		name string
		runs []run
		want int64
	}{
		{"none", nil, 0},
		{"two apart", []run{whole(0, 10), whole(900, 910)}, 20},
		{"two together", []run{whole(0, 10), whole(5, 20)}, 20},
		{"one in another", []run{whole(0, 100), whole(20, 30)}, 100},
		{"one after another", []run{whole(0, 10), whole(10, 20)}, 20},
		{"twice the same", []run{whole(0, 10), whole(0, 10)}, 10},
		{"ten of ten, some time in a hundred", []run{sum(0, 200, 100)}, 100},
		{"side by side for longer than there is time", []run{sum(0, 100, 700)}, 100},
		{"beside one that ran all the time", []run{sum(0, 200, 100), whole(0, 200)}, 200},
		{"beside one that ran for a while", []run{sum(0, 200, 100), whole(50, 150)}, 150},
		{"the same on two hosts", []run{sum(0, 200, 100), sum(0, 200, 100)}, 100},
		{"more on one of them", []run{sum(0, 200, 100), sum(0, 200, 50)}, 100},
		{"a clock that was never set", []run{newRun(5, t0+10, t0+5, t0+1000)}, 0},
		{"a clock that goes wrong", []run{whole(0, 5000)}, 0},
		{"a clock that went back", []run{newRun(t0+10, t0, -10, t0+1000)}, 0},
	} {
		if got := runningTime(test.runs); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}

// Two short runs far apart are not the time between them.
func TestObservedFor(t *testing.T) {
	dir := t.TempDir()
	functions := []testFunc{fn("store.Open", "store.go", 1)}
	for i := range 2 {
		start := at(1 + 14*i)
		leave(t, dir, "a", functions, testProcess{id: fmt.Sprint(i), app: "shop", started: start, calls: calls{"Open": start.Add(3 * time.Second)}})
	}
	r := mustRead(t, dir)
	if got := r.Functions[0].ObservedFor; got != 6 || r.Observed.ObservedFor != 6 {
		t.Errorf("observed for %d and %d seconds, want 6", got, r.Observed.ObservedFor)
	}
}

// What makes room for others in the file still counts.
func TestObservedForSums(t *testing.T) {
	dir := t.TempDir()
	functions := []testFunc{fn("store.Open", "store.go", 1)}
	for i := range 20 {
		start := at(1 + i)
		leave(t, dir, "a", functions, testProcess{id: fmt.Sprint(i), app: "shop", started: start, calls: calls{"Open": start.Add(time.Hour)}})
	}
	r := mustRead(t, dir)
	e := r.Functions[0].Evidence
	if e.Processes != 20 || e.ObservedFor/3600 != 19 && e.ObservedFor/3600 != 20 || !e.ObservedSince.Equal(at(1)) {
		t.Errorf("evidence %+v, want 20 processes since January 1 for 20 hours", e)
	}
}

// A function is observed by the builds that have it, and can see its calls.
func TestEvidenceOfBuilds(t *testing.T) {
	dir := t.TempDir()
	open, shut := fn("store.Open", "store.go", 1), fn("store.Shut", "store.go", 9)
	leave(t, dir, "a", []testFunc{open, shut.unobservable("nosplit")},
		testProcess{id: "1", app: "shop", host: "h1", started: at(1), calls: calls{"Open": at(3)}})
	leave(t, dir, "b", []testFunc{open, shut},
		testProcess{id: "2", app: "shop", host: "h2", environment: "staging", started: at(5), calls: calls{"Open": at(6)}},
		testProcess{id: "3", app: "shop2", host: "h3", started: at(5), calls: calls{"Open": at(7)}})
	r := mustRead(t, dir)
	want := []Evidence{
		{ObservedSince: at(1), ObservedFor: 4 * day, Processes: 3, Hosts: 3, Environments: 2, Applications: 2},
		{ObservedSince: at(5), ObservedFor: 2 * day, Processes: 2, Hosts: 2, Environments: 2, Applications: 2},
	}
	if got := []Evidence{r.Functions[0].Evidence, r.Functions[1].Evidence}; !slices.Equal(got, want) {
		t.Errorf("evidence %+v, want %+v", got, want)
	}
}

// Each environment has a codebase of its own, and they are one build.
func TestEnvironments(t *testing.T) {
	dir := t.TempDir()
	functions := []testFunc{fn("store.Open", "store.go", 1), fn("store.Shut", "store.go", 9), fn("store.Sum", "store.go", 19)}
	leave(t, dir, "a", functions, testProcess{id: "1", app: "shop", environment: "production", started: at(1), calls: calls{"Open": at(2)}})
	leave(t, dir, "b", functions, testProcess{id: "2", app: "shop", environment: "staging", started: at(3), calls: calls{"Open": at(3), "Shut": at(4)}})
	r := mustRead(t, dir)
	var got []string
	for _, f := range r.Functions {
		got = append(got, fmt.Sprint(f.Name, " ", f.Status, " ", f.CalledIn))
	}
	want := []string{"Open called [production staging]", "Shut called [staging]", "Sum never-called []"}
	if !slices.Equal(got, want) {
		t.Errorf("functions %q, want %q", got, want)
	}
	if p := r.Programs[0]; len(r.Programs) != 1 || len(p.Builds) != 1 || !slices.Equal(p.Environments, []string{"production", "staging"}) {
		t.Errorf("programs %+v, want one with one build", r.Programs)
	}
}

// A report on some processes is what they alone would have given.
func TestFilter(t *testing.T) {
	dir, alone := t.TempDir(), t.TempDir()
	functions := []testFunc{fn("store.Open", "store.go", 1), fn("store.Shut", "store.go", 9)}
	production := testProcess{id: "1", app: "shop", host: "h1", environment: "production", started: at(1), calls: calls{"Open": at(2)}}
	leave(t, dir, "a", functions, production)
	leave(t, alone, "a", functions, production)
	leave(t, dir, "b", append(functions, fn("store.New", "store.go", 29)),
		testProcess{id: "2", app: "work", host: "h2", environment: "staging", started: at(3), calls: calls{"Shut": at(4)}})
	damageStamp(t, dir, "b", append(functions, testFunc{}), testProcess{app: "work", host: "h2", environment: "staging"}, 0)
	want := mustRead(t, alone)
	for _, filter := range []Filter{
		{Environments: []string{"production"}}, {Applications: []string{"shop"}}, {Hosts: []string{"h1", "h3"}},
		{Environments: []string{"production", "staging"}, Hosts: []string{"h1"}},
	} {
		got, err := readSome(dir, filter)
		if err != nil {
			t.Fatal(err)
		}
		want.Filter = filter
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", &filter, got, want)
		}
	}
	_, err := readSome(dir, Filter{Environments: []string{"prod"}})
	if err == nil || !strings.Contains(err.Error(), "of environment prod: there is environment production, staging") {
		t.Errorf("an environment that there is not: %v", err)
	}
}

// Somebody goes back to an older build, and works on from the newer one: what that has is
// listed, and what the older one has as well, as it runs.
func TestRollback(t *testing.T) {
	dir := t.TempDir()
	open, shut, next := fn("store.Open", "store.go", 1), fn("store.Shut", "store.go", 9), fn("store.Next", "store.go", 9)
	rest := []testFunc{open, fn("store.A", "store.go", 2), fn("store.B", "store.go", 3), fn("store.C", "store.go", 4)}
	leave(t, dir, "a", append(rest[:4:4], shut),
		testProcess{id: "1", app: "shop", started: at(1), calls: calls{"Open": at(2)}},
		testProcess{id: "3", app: "shop", started: at(5), calls: calls{"Open": at(6)}})
	leave(t, dir, "b", append(rest[:4:4], next),
		testProcess{id: "2", app: "shop", started: at(3), calls: calls{"Open": at(4)}})
	r := mustRead(t, dir)
	got := statuses(r)
	if got["store.Next"] != NeverCalled || got["store.Shut"] != NeverCalled {
		t.Errorf("after the roll-back: %v, want Next and Shut never called", got)
	}
	if f := r.Functions[slices.IndexFunc(r.Functions, func(f Function) bool { return f.Name == "A" })]; len(r.Programs[0].Builds) != 2 || f.Processes != 3 {
		t.Errorf("%+v, and A has %d processes; want 2 builds and 3 processes", r.Programs[0], f.Processes)
	}
	leave(t, dir, "c", append(rest[:4:4], next), testProcess{id: "4", app: "shop", started: at(8)})
	got = statuses(mustRead(t, dir))
	if _, listed := got["store.Shut"]; listed || got["store.Next"] != NeverCalled {
		t.Errorf("after the next build: %v, want Next and not Shut", got)
	}
}

// Two modules' files of one name are told apart.
func TestModule(t *testing.T) {
	dir := t.TempDir()
	for i, module := range []string{"example.com/a", "example.com/b"} {
		main := fn("x.main", "main.go", 12)
		main.Package = module
		library := fn("x.F", "example.org/lib/f.go", 1)
		library.Package = "example.org/lib"
		leave(t, dir, fmt.Sprint(i), []testFunc{main, library}, testProcess{id: fmt.Sprint(i), app: "x", main: module, module: module, started: at(1)})
	}
	for _, f := range mustRead(t, dir).Functions {
		want := f.Package
		if f.Package == "example.org/lib" {
			want = "" // its file says it
		}
		if f.Module != want {
			t.Errorf("%s:%d of %s is in module %q, want %q", f.File, f.Line, f.Package, f.Module, want)
		}
	}
}

// A function literal gets the name of another one when that is deleted. What was observed of
// the other proves nothing.
func TestEvidenceOfLiterals(t *testing.T) {
	literal := func(name string, lines int) testFunc {
		f := fn("store."+name, "store.go", 2)
		f.Name, f.Receiver, f.Lines = name, "", lines
		return f
	}
	open, main := fn("store.Open", "store.go", 1), fn("shop.main", "main.go", 1)
	for name, test := range map[string]struct {
		older []testFunc
		since time.Time // when the literal was observed first
	}{
		"the same":       {[]testFunc{main, open, literal("Open.func1", 3)}, at(1)},
		"another before": {[]testFunc{main, open, literal("Open.func1", 5), literal("Open.func2", 3)}, at(5)},
		"another":        {[]testFunc{main, open, literal("Open.func1", 5)}, at(5)},
		"none":           {[]testFunc{main, open}, at(5)},
	} {
		dir := t.TempDir()
		leave(t, dir, "a", test.older, testProcess{id: "1", app: "shop", started: at(1), calls: calls{"Open": at(2)}})
		leave(t, dir, "b", []testFunc{main, open, literal("Open.func1", 3)}, testProcess{id: "2", app: "shop", started: at(5), calls: calls{"Open": at(6)}})
		r := mustRead(t, dir)
		if f := functionOf(t, r, "Open.func1"); f.Status != NeverCalled || f.ObservedSince != test.since {
			t.Errorf("%s: %s, observed since %v, want %v", name, f.Status, f.ObservedSince, test.since)
		}
		if f := functionOf(t, r, "Open"); f.ObservedSince != at(1) {
			t.Errorf("%s: the function around it is observed since %v", name, f.ObservedSince)
		}
	}
}
