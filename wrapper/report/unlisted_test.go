package report

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What one program calls dead, another one may call all day without listing it. Then it is
// not observable, and the reason says where.
func TestUnlisted(t *testing.T) {
	mainA, mainB := fn("cmd/a.main", "cmd/a/main.go", 1), fn("cmd/b.main", "cmd/b/main.go", 1)
	open, shut := fn("store.Open", "store.go", 10), fn("store.*DB.Shut", "store.go", 20)
	literal := fn("store.*DB.Shut.func1", "store.go", 21)
	literal.Receiver, literal.Name = "*DB", "Shut.func1"
	listed := []testFunc{mainB, open, shut, literal}
	const notMarked, leftOut, observed = "not marked in example.com/cmd/a", "left out in example.com/cmd/a", ""
	for name, test := range map[string]struct {
		unlisted            string
		also                []testFunc // that a lists
		open, shut, literal string     // the reasons
	}{
		"earlier version":       {"", nil, observed, observed, observed},
		"another package":       {"fmt example.com/stores", nil, observed, observed, observed},
		"package":               {"example.com/store fmt", nil, notMarked, notMarked, notMarked},
		"of a method":           {"fmt example.com/store:New,DB.Shut", nil, observed, leftOut, observed},
		"of a function":         {"example.com/store:Open,OpenAll fmt", []testFunc{shut}, leftOut, observed, observed},
		"names that are longer": {"example.com/store:OpenAll,DB.Shutdown,BigDB.Shut", nil, observed, observed, observed},
		"of a marked package":   {"example.com/store", []testFunc{open}, observed, leftOut, leftOut},
		"no closures":           {"func() fmt", []testFunc{open, shut}, observed, observed, leftOut},
		"no closures there":     {"func() fmt", nil, observed, observed, observed},
		"all left out":          {"func() fmt example.com/store:Open,DB.Shut", nil, leftOut, leftOut, leftOut},
		"anything":              {"...", []testFunc{shut}, leftOut, observed, leftOut},
		"malformed":             {" :Open  example.com/store func( a:", nil, notMarked, notMarked, notMarked},
	} {
		dir := t.TempDir()
		leaveBlind(t, dir, "a", test.unlisted, append([]testFunc{mainA}, test.also...),
			testProcess{id: "1", app: "a", main: "example.com/cmd/a", started: at(1)})
		leaveBlind(t, dir, "b", "func() fmt", listed, testProcess{id: "2", app: "b", main: "example.com/cmd/b", started: at(2), calls: calls{"main": at(2)}})
		r := mustRead(t, dir)
		for function, want := range map[string]string{"Open": test.open, "Shut": test.shut, "Shut.func1": test.literal} {
			i := slices.IndexFunc(r.Functions, func(f Function) bool { return f.Name == function })
			status := NotObservable
			if want == observed {
				status = NeverCalled
			}
			if f := r.Functions[i]; f.Reason != want || f.Status != status {
				t.Errorf("%s: %s is %s, reason %q, want %s, %q", name, function, f.Status, f.Reason, status, want)
			}
		}
	}
}

// An older build of the program itself matters as long as it is in use.
func TestUnlistedInUse(t *testing.T) {
	open, both, main := fn("store.Open", "store.go", 10), fn("shop.Both", "shop.go", 1), fn("shop.main", "main.go", 1)
	newer := testProcess{id: "2", app: "shop", started: at(5), calls: calls{"Both": at(6)}}
	for _, test := range []struct {
		last int // day of the older build's last call
		want string
	}{
		{3, ""},
		{7, "not marked in an older build of example.com/shop"},
	} {
		dir := t.TempDir()
		leaveBlind(t, dir, "a", "example.com/store", []testFunc{main, both}, testProcess{id: "1", app: "shop", started: at(1), calls: calls{"Both": at(test.last)}})
		leaveBlind(t, dir, "b", "fmt", []testFunc{main, both, open}, newer)
		f := functionOf(t, mustRead(t, dir), "Open")
		if f.Reason != test.want || (f.Status == NeverCalled) != (test.want == "") {
			t.Errorf("last call on day %d: %s, %q, want %q", test.last, f.Status, f.Reason, test.want)
		}
	}
}

// A later call of a function that was called may be missing. Directories that are read
// together, and what is merged of them, say the same; so does a newly dead list.
func TestUnlistedElsewhere(t *testing.T) {
	open, shut := fn("store.Open", "store.go", 10), fn("store.*DB.Shut", "store.go", 20)
	a, b, merged := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "merged")
	leaveBlind(t, a, "a", "example.com/store", []testFunc{fn("cmd/a.main", "cmd/a/main.go", 1)}, testProcess{id: "1", app: "a", started: at(1), calls: calls{"main": at(20)}})
	leaveBlind(t, b, "b", "fmt", []testFunc{open, shut}, testProcess{id: "2", app: "b", started: at(2), calls: calls{"Open": at(3)}})
	if _, err := Merge(merged, []string{a, b}); err != nil {
		t.Fatal(err)
	}
	for _, dirs := range [][]string{{a, b}, {b, a}, {merged}} {
		in, err := Open(dirs, strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		r, err := in.Read(Filter{})
		if err != nil {
			t.Fatal(err)
		}
		if f := functionOf(t, r, "Open"); f.Status != Called || !f.uncertain {
			t.Errorf("%v: %+v", dirs, f)
		}
		if f := functionOf(t, r, "Shut"); f.Status != NotObservable || f.Reason != "not marked in example.com/cmd/a" {
			t.Errorf("%v: %+v", dirs, f)
		}
		if err := r.Select(Selection{NotCalledSince: at(15)}); err != nil {
			t.Fatal(err)
		}
		if len(r.Functions) != 0 {
			t.Errorf("%v: not called since: %+v", dirs, r.Functions)
		}
	}
}

// functionOf returns the function of a name that a report lists.
func functionOf(t *testing.T, r *Report, name string) Function {
	t.Helper()
	i := slices.IndexFunc(r.Functions, func(f Function) bool { return f.Name == name })
	if i < 0 {
		t.Fatalf("%s is not listed", name)
	}
	return r.Functions[i]
}
