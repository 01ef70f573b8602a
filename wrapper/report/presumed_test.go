package report

import (
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// A function without a mark was called when the evidence says so, and nobody observed it
// since. Another build may have seen a later call.
func TestPresumed(t *testing.T) {
	open := fn("a.Open", "a.go", 1)
	other := fn("a.Other", "a.go", 2)
	for name, test := range map[string]struct {
		builds   [][]testFunc // the last has no mark in Open, unless said otherwise
		called   time.Time
		presumed string
		in       []string
		since    bool // it is listed as not called since the 15th
	}{
		"alone":             {[][]testFunc{{open.presumed(at(3), "e"), other}}, at(3), "e", nil, false},
		"after a call":      {[][]testFunc{{open, other}, {open.presumed(at(3), "e"), other}}, at(5), "e", []string{"prod"}, false},
		"the same call":     {[][]testFunc{{open, other}, {open.presumed(at(5), "e"), other}}, at(5), "e", []string{"prod"}, false},
		"later than a call": {[][]testFunc{{open, other}, {open.presumed(at(6), "e"), other}}, at(6), "e", []string{"prod"}, false},
		"marked again":      {[][]testFunc{{open.presumed(at(6), "e"), other}, {open, other}}, at(6), "e", nil, true},
		"renewed":           {[][]testFunc{{open.presumed(at(2), "e"), other}, {open, other}}, at(9), "", []string{"prod"}, true},
	} {
		dir := t.TempDir()
		older := testProcess{id: "0", app: "shop", environment: "prod", started: at(1), calls: calls{"Open": at(5), "Other": at(4)}}
		newer := testProcess{id: "1", app: "shop", environment: "prod", started: at(9), calls: calls{"Open": at(9), "Other": at(20)}}
		processes := []testProcess{older, newer}[2-len(test.builds):]
		for i, functions := range test.builds {
			p := processes[i]
			if functions[0].Presumed != 0 { // the process has it from the evidence
				p.calls["Open"] = time.UnixMilli(functions[0].Presumed)
			} else if name == "marked again" {
				delete(p.calls, "Open")
			}
			leave(t, dir, string(rune('a'+i)), functions, p)
		}
		r := mustRead(t, dir)
		i := slices.IndexFunc(r.Functions, func(f Function) bool { return f.Name == "Open" })
		f := r.Functions[i]
		if f.Status != Called || !f.LastCalledAt.Equal(test.called) || f.Presumed != test.presumed || !slices.Equal(f.CalledIn, test.in) {
			t.Errorf("%s: %+v", name, f)
		}
		if last := test.builds[len(test.builds)-1][0]; last.Presumed != 0 && (f.Processes != len(test.builds)-1 || len(test.builds) == 1 && !f.ObservedSince.IsZero()) {
			t.Errorf("%s: observed by %+v", name, f.Evidence)
		}
		if err := r.Select(Selection{NotCalledSince: at(15)}); err != nil {
			t.Fatal(err)
		}
		if listed := slices.ContainsFunc(r.Functions, func(f Function) bool { return f.Name == "Open" }); listed != test.since {
			t.Errorf("%s: listed as not called since a later time: %v", name, listed)
		}
	}
}

// The stamp of a function without a mark may be damaged: its list of functions has the call.
func TestPresumedDamaged(t *testing.T) {
	dir := t.TempDir()
	functions := []testFunc{fn("a.Open", "a.go", 1).presumed(at(3), "e"), fn("a.Other", "a.go", 2)}
	p := testProcess{id: "1", app: "shop", started: at(9), calls: calls{"Open": at(3)}}
	leave(t, dir, "a", functions, p)
	damageStamp(t, dir, "a", functions, p, 0)
	r, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if f := r.Functions[0]; f.Status != Called || !f.LastCalledAt.Equal(at(3)) || f.Presumed != "e" {
		t.Errorf("%+v", f)
	}
}

// Merged directories have it as well, and so has a report that is read again.
func TestPresumedMerged(t *testing.T) {
	dir, to := t.TempDir(), filepath.Join(t.TempDir(), "new")
	leave(t, dir, "a", []testFunc{fn("a.Open", "a.go", 1).presumed(at(3), "e")}, testProcess{id: "1", app: "shop", started: at(9), calls: calls{"Open": at(3)}})
	if _, err := Merge(to, []string{dir}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{to, dir} {
		r, err := ReadEarlier(path)
		if err != nil {
			t.Fatal(err)
		}
		if f := r.Functions[0]; f.Presumed != "e" || !f.LastCalledAt.Equal(at(3)) || !r.Observed.To.Equal(at(9)) || len(r.Programs) != 1 {
			t.Errorf("%s: %+v", path, f)
		}
	}
}
