package report

import (
	"slices"
	"testing"
	"time"
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
