package report

import (
	"slices"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// A function that was called long ago is not listed as not called since, if a later call may
// have been missed: where it could not be seen, where it is damaged or lost, and where the
// clock was never set.
func TestNotCalledSinceUncertain(t *testing.T) {
	open, other := fn("a.Open", "a.go", 1), fn("a.Other", "a.go", 2)
	old := testProcess{id: "0", app: "shop", started: at(1), calls: calls{"Open": at(2), "Other": at(9)}}
	later := testProcess{id: "1", app: "shop", started: at(5), calls: calls{"Other": at(20)}}
	for name, test := range map[string]struct {
		newer  []testFunc
		damage bool
		first  time.Time // Open's call in the older build
		listed bool
	}{
		"known":            {[]testFunc{open, other}, false, at(2), true},
		"not observable":   {[]testFunc{open.unobservable("nosplit"), other}, false, at(2), false},
		"damaged":          {[]testFunc{open, other}, true, at(2), false},
		"clock at its end": {[]testFunc{open, other}, false, time.UnixMilli(0), false},
	} {
		dir := t.TempDir()
		old.calls["Open"] = test.first
		leave(t, dir, "a", []testFunc{open, other}, old)
		leave(t, dir, "b", test.newer, later)
		if test.damage {
			damageStamp(t, dir, "b", test.newer, later, 0)
		}
		r, err := Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(r.Functions, func(f Function) bool { return f.Name == "Open" })
		if f := r.Functions[i]; f.Status != Called {
			t.Errorf("%s: %+v", name, f)
		}
		if err := r.Select(Selection{NotCalledSince: at(15)}); err != nil {
			t.Fatal(err)
		}
		if listed := slices.ContainsFunc(r.Functions, func(f Function) bool { return f.Name == "Open" }); listed != test.listed {
			t.Errorf("%s: listed as not called since: %v", name, listed)
		}
	}
}

// An older build that could not observe a function may have called it for as long as it ran,
// although a newer one, which took its place, saw no call.
func TestNotCalledSinceBlind(t *testing.T) {
	open, other := fn("a.Open", "a.go", 1), fn("a.Other", "a.go", 2)
	for name, test := range map[string]struct {
		between  []testFunc // what the build lists that ran from day 5 to day 12
		unlisted string
		lossy    bool // it was killed at once, and wrote nothing
		until    int  // the first day since when nothing is missed
	}{
		"observed":       {[]testFunc{open, other}, "", false, 3},
		"not observable": {[]testFunc{open.unobservable("nosplit"), other}, "", false, 13},
		"presumed":       {[]testFunc{open.presumed(at(2), "e"), other}, "", false, 13},
		"mute":           {[]testFunc{open, other}, "", true, 6},
		"left out":       {[]testFunc{other}, "example.com/a:Open", false, 13},
		"not there":      {[]testFunc{other}, "fmt", false, 3},
	} {
		dir := t.TempDir()
		leave(t, dir, "a", []testFunc{open, other}, testProcess{id: "0", app: "shop", started: at(1), calls: calls{"Open": at(2), "Other": at(4)}})
		p := testProcess{id: "1", app: "shop", started: at(5), calls: calls{"Other": at(12)}}
		if test.lossy {
			p.calls, p.state = nil, datafile.Lossy
		}
		leaveBlind(t, dir, "b", test.unlisted, test.between, p)
		leave(t, dir, "c", []testFunc{open, other, fn("a.New", "a.go", 3)},
			testProcess{id: "2", app: "shop", started: at(13), calls: calls{"Other": at(20), "New": at(20)}})
		for day := 3; day < 20; day++ {
			r, err := Read(dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Select(Selection{NotCalledSince: at(day)}); err != nil {
				t.Fatal(err)
			}
			listed := slices.ContainsFunc(r.Functions, func(f Function) bool { return f.Name == "Open" })
			if want := day >= test.until; listed != want {
				t.Errorf("%s: listed as not called since day %d: %v", name, day, listed)
			}
		}
	}
}

// What one program called is not known to be uncalled because another one ran longer: the
// data of the first may be an old copy.
func TestNotCalledSinceEnd(t *testing.T) {
	dir := t.TempDir()
	open, shut, both := fn("a.Open", "a.go", 1), fn("b.Shut", "b.go", 1), fn("c.Both", "c.go", 1)
	leave(t, dir, "a", []testFunc{open, both}, testProcess{id: "0", app: "a", started: at(1), calls: calls{"Open": at(2), "Both": at(3)}})
	leave(t, dir, "b", []testFunc{shut, both}, testProcess{id: "1", app: "b", started: at(1), calls: calls{"Shut": at(20)}})
	for day, want := range map[int]string{3: "Open", 4: "Both"} {
		r := mustRead(t, dir)
		if err := r.Select(Selection{NotCalledSince: at(day)}); err != nil {
			t.Fatal(err)
		}
		if len(r.Functions) != 1 || r.Functions[0].Name != want {
			t.Errorf("not called since day %d: %+v, want %s", day, r.Functions, want)
		}
	}
}
