// Tests of clocks that were never set: what is not known of them.

package report

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// neverSet is what programs write if their clock was never set.
var neverSet = time.UnixMilli(datafile.MinTime)

// A process that started before its clock was set has not run for years.
func TestObservedForUnsetClock(t *testing.T) {
	functions := []testFunc{fn("store.Open", "store.go", 1)}
	for _, n := range []int{1, 20} { // with records of their own, and in the sums
		dir := t.TempDir()
		for i := range n {
			leave(t, dir, "a", functions, testProcess{id: fmt.Sprint(i), app: "shop", started: neverSet, calls: calls{"Open": at(3)}})
		}
		leave(t, dir, "a", functions, testProcess{id: "z", app: "shop", started: at(2), calls: calls{"Open": at(3)}})
		r := mustRead(t, dir)
		want := Evidence{ObservedSince: at(2), ObservedFor: day, Processes: n + 1, Hosts: 1, Environments: 1, Applications: 1}
		if got := r.Functions[0].Evidence; got != want || r.Observed.From != at(2) {
			t.Errorf("%d processes: %+v from %v, want %+v", n, got, r.Observed.From, want)
		}
	}
}

// Nobody knows when a build ran whose clocks were wrong. It may be the one that runs today, so
// what it cannot tell is not known. What it alone has is not listed.
func TestUnknownTimeOfBuild(t *testing.T) {
	open, shut, old := fn("store.Open", "store.go", 1), fn("store.Shut", "store.go", 2), fn("store.Old", "store.go", 3)
	common := []testFunc{fn("shop.main", "main.go", 1), open}
	for i := range 5 {
		common = append(common, fn(fmt.Sprint("shop.F", i), "shop.go", i+1))
	}
	with := func(more ...testFunc) []testFunc { return append(slices.Clone(common), more...) }
	known := testProcess{id: "1", app: "shop", started: at(5), calls: calls{"Open": at(6)}}
	const unknown = "a build of example.com/shop that ran at an unknown time"
	for name, clock := range map[string]time.Time{"never set": neverSet, "ahead": time.Now().AddDate(10, 0, 0)} {
		for _, tt := range []struct {
			unlisted  string
			functions []testFunc
			state     datafile.ProcessState
			status    Status // of Shut
			reason    string
		}{
			{"", with(shut, old), datafile.Ended, NeverCalled, ""},
			{"", with(shut.unobservable("nosplit"), old), datafile.Ended, NotObservable, "nosplit"},
			{"", with(shut, old), datafile.Lossy, Unknown, wroteNothing},
			{"example.com/store:Shut", with(old), datafile.Ended, NotObservable, "left out in " + unknown},
		} {
			dir := t.TempDir()
			leave(t, dir, "a", with(shut), known)
			leaveBlind(t, dir, "b", tt.unlisted, tt.functions, testProcess{id: "2", app: "shop", started: clock, state: tt.state})
			r, err := Read(dir)
			if err != nil {
				t.Fatal(err)
			}
			if f := functionOf(t, r, "Shut"); f.Status != tt.status || f.Reason != tt.reason {
				t.Errorf("%s, %+v: Shut is %s, %q", name, tt, f.Status, f.Reason)
			}
			if slices.ContainsFunc(r.Functions, func(f Function) bool { return f.Name == "Old" }) {
				t.Errorf("%s, %+v: Old is listed", name, tt)
			}
		}
	}
}
