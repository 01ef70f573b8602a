// Tests of the join: several processes, builds, programs.

package report

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

const day = 24 * 3600 // seconds

type calls = map[string]time.Time

func TestJoin(t *testing.T) {
	mainShop := fn("cmd/shop.main", "cmd/shop/main.go", 5)
	mainWork := fn("cmd/wire.main", "cmd/wire/main.go", 5)
	open, shut := fn("store.Open", "store.go", 10), fn("store.*DB.Shut", "store.go", 20)
	tests := []struct {
		name  string
		files func(t *testing.T, dir string)
		want  map[string]Status
	}{
		{
			"called by one process of two",
			func(t *testing.T, dir string) {
				leave(t, dir, "a", []testFunc{open, shut},
					testProcess{id: "1", app: "shop", started: at(1), calls: calls{"Open": at(2)}},
					testProcess{id: "2", app: "shop", started: at(3)})
			},
			map[string]Status{"store.Open": Called, "store.*DB.Shut": NeverCalled},
		},
		{
			"called in an older build, elsewhere in the file, with another receiver",
			func(t *testing.T, dir string) {
				leave(t, dir, "a", []testFunc{fn("store.DB.Shut", "old.go", 1), open},
					testProcess{id: "1", app: "shop", started: at(1), calls: calls{"Shut": at(2)}})
				leave(t, dir, "b", []testFunc{open, shut},
					testProcess{id: "2", app: "shop", started: at(3)})
			},
			map[string]Status{"store.Open": NeverCalled, "store.*DB.Shut": Called},
		},
		{
			"removed in the newest build of the program",
			func(t *testing.T, dir string) {
				leave(t, dir, "a", []testFunc{open, shut},
					testProcess{id: "1", app: "shop", started: at(1), calls: calls{"Shut": at(2)}})
				leave(t, dir, "b", []testFunc{open},
					testProcess{id: "2", app: "shop", started: at(3)})
			},
			map[string]Status{"store.Open": NeverCalled},
		},
		{
			"back to the older build",
			func(t *testing.T, dir string) {
				leave(t, dir, "a", []testFunc{open, shut},
					testProcess{id: "1", app: "shop", started: at(1)},
					testProcess{id: "3", app: "shop", started: at(4)})
				leave(t, dir, "b", []testFunc{open},
					testProcess{id: "2", app: "shop", started: at(3), calls: calls{"Open": at(3)}})
			},
			map[string]Status{"store.Open": Called, "store.*DB.Shut": NeverCalled},
		},
		{
			"removed in one program, present in another",
			func(t *testing.T, dir string) {
				leave(t, dir, "a", []testFunc{open, shut},
					testProcess{id: "1", app: "shop", started: at(1)})
				leave(t, dir, "b", []testFunc{open},
					testProcess{id: "2", app: "work", started: at(3)})
			},
			map[string]Status{"store.Open": NeverCalled, "store.*DB.Shut": NeverCalled},
		},
		{
			"two commands under one application name do not replace each other",
			func(t *testing.T, dir string) {
				leave(t, dir, "a", []testFunc{mainShop, open},
					testProcess{id: "1", app: "shop", started: at(1), calls: calls{"main": at(1)}})
				leave(t, dir, "b", []testFunc{mainWork, shut},
					testProcess{id: "2", app: "shop", started: at(3), calls: calls{"main": at(3)}})
			},
			map[string]Status{"cmd/shop.main": Called, "store.Open": NeverCalled, "cmd/wire.main": Called, "store.*DB.Shut": NeverCalled},
		},
		{
			"observable only since the newest build",
			func(t *testing.T, dir string) {
				leave(t, dir, "a", []testFunc{open.unobservable("nosplit"), shut},
					testProcess{id: "1", app: "shop", started: at(1)})
				leave(t, dir, "b", []testFunc{open, shut.unobservable("no body")},
					testProcess{id: "2", app: "shop", started: at(3)})
			},
			map[string]Status{"store.Open": NeverCalled, "store.*DB.Shut": NotObservable},
		},
		{
			"not observable in the newest build, called in an older one",
			func(t *testing.T, dir string) {
				leave(t, dir, "a", []testFunc{open},
					testProcess{id: "1", app: "shop", started: at(1), calls: calls{"Open": at(1)}})
				leave(t, dir, "b", []testFunc{open.unobservable("nosplit")},
					testProcess{id: "2", app: "shop", started: at(3)})
			},
			map[string]Status{"store.Open": Called},
		},
		{
			"not observable in one of two programs of today",
			func(t *testing.T, dir string) {
				leave(t, dir, "a", []testFunc{open.unobservable("nosplit")},
					testProcess{id: "1", app: "shop", started: at(1)})
				leave(t, dir, "b", []testFunc{open},
					testProcess{id: "2", app: "work", started: at(3)})
			},
			map[string]Status{"store.Open": NotObservable},
		},
		{
			"a build that no process belongs to",
			func(t *testing.T, dir string) {
				leave(t, dir, "a", []testFunc{open},
					testProcess{id: "1", app: "shop", started: at(1)})
				leave(t, dir, "b", []testFunc{shut})
			},
			map[string]Status{"store.Open": NeverCalled},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			tt.files(t, dir)
			if got := statuses(mustRead(t, dir)); !maps.Equal(got, tt.want) {
				t.Errorf("statuses = %v, want %v", got, tt.want)
			}
		})
	}
}

// The description comes from the newest build, the time from any.
func TestDescription(t *testing.T) {
	dir := t.TempDir()
	old := fn("store.DB.Shut", "old.go", 1)
	old.Signature = "old"
	leave(t, dir, "a", []testFunc{old, fn("store.Gone", "old.go", 2)},
		testProcess{id: "1", app: "shop", host: "h1", started: at(1), calls: calls{"Shut": at(4)}},
		testProcess{id: "2", app: "shop", host: "h2", started: at(2), calls: calls{"Shut": at(3)}})
	leave(t, dir, "b", []testFunc{fn("store.*DB.Shut", "new.go", 7)},
		testProcess{id: "3", app: "shop", host: "h1", started: at(5)})
	r := mustRead(t, dir)
	want := Function{
		Package: "example.com/store", Receiver: "*DB", Name: "Shut", Signature: "example.com.store.DB.Shut()",
		File: "new.go", Line: 7, Status: Called, LastCalledAt: at(4), CalledIn: []string{"test"},
		Evidence: Evidence{ObservedSince: at(1), ObservedFor: 3 * day, Processes: 3, Hosts: 2, Environments: 1, Applications: 1}, observedTo: at(5),
	}
	if len(r.Functions) != 1 || !reflect.DeepEqual(r.Functions[0], want) {
		t.Errorf("Functions = %+v, want only %+v", r.Functions, want)
	}
	if len(r.Removed) != 1 || r.Removed[0].Name != "Gone" {
		t.Errorf("Removed = %+v, want Gone", r.Removed)
	}
	versions, environments := []string{""}, []string{"test"}
	wantProgram := Program{
		App: "shop", Environments: environments, Processes: 3, Hosts: 2, From: at(1), To: at(5), ObservedFor: 3 * day,
		Builds: []Build{
			{Versions: versions, Environments: environments, Functions: 1, Processes: 1, From: at(5), To: at(5), InUse: true},
			{Versions: versions, Environments: environments, Functions: 2, Processes: 2, From: at(1), To: at(4), ObservedFor: 3 * day},
		},
	}
	if newest := &r.Programs[0].Builds[0]; len(newest.entries) != 1 {
		t.Errorf("the newest build has the functions %v, want one", newest.entries)
	} else {
		newest.entries = nil
	}
	if len(r.Programs) != 1 || !reflect.DeepEqual(r.Programs[0], wantProgram) {
		t.Errorf("Programs = %+v, want only %+v", r.Programs, wantProgram)
	}
}

// One build under two application names is two programs.
func TestSharedCodebase(t *testing.T) {
	dir := t.TempDir()
	leave(t, dir, "a", []testFunc{fn("cmd/shop.main", "main.go", 1)},
		testProcess{id: "1", app: "shop", started: at(1), calls: calls{"main": at(2)}},
		testProcess{id: "2", app: "shop2", started: at(3)})
	r := mustRead(t, dir)
	if len(r.Programs) != 2 || r.Programs[0].Processes != 1 || r.Programs[1].Processes != 1 {
		t.Errorf("Programs = %+v, want two of one process", r.Programs)
	}
	if got := statuses(r)["cmd/shop.main"]; got != Called {
		t.Errorf("main is %s, want called", got)
	}
}

// A clock that was never set stretches no time, and does no other harm.
func TestUnsetClock(t *testing.T) {
	dir := t.TempDir()
	leave(t, dir, "a", []testFunc{fn("store.Open", "store.go", 1)},
		testProcess{id: "1", app: "shop", started: time.UnixMilli(5000)},
		testProcess{id: "2", app: "shop", started: at(3)})
	r := mustRead(t, dir)
	if p := r.Programs[0]; p.From != at(3) || p.To != at(3) || p.Processes != 2 {
		t.Errorf("program = %+v, want two processes and only January 3", p)
	}
}

// The join does not depend on the order in which files are found: random names
// of processes give the same report.
func TestOrderIndependent(t *testing.T) {
	functions := []testFunc{fn("store.Open", "a.go", 1), fn("store.*DB.Shut", "a.go", 2), fn("store.New", "b.go", 1)}
	rnd := rand.New(rand.NewPCG(1, 2))
	var want *Report
	for range 20 {
		dir := t.TempDir()
		ids := rnd.Perm(4)
		id := func(i int) string { return string(rune('a' + ids[i])) }
		leave(t, dir, "x"+id(0), functions,
			testProcess{id: id(0), app: "shop", started: at(1), calls: calls{"Open": at(9)}},
			testProcess{id: id(1), app: "work", started: at(8)})
		leave(t, dir, "y"+id(1), functions[1:],
			testProcess{id: id(2), app: "shop", started: at(4), calls: calls{"Shut": at(6)}},
			testProcess{id: id(3), app: "shop", started: at(5)})
		r := mustRead(t, dir)
		if want == nil {
			want = r
		}
		if !reflect.DeepEqual(r, want) {
			t.Fatalf("report differs with the names of the files:\n%+v\nwant\n%+v", r, want)
		}
	}
}

func TestNothingToReport(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	// Nothing of this is a data file.
	unrelated := filepath.Join(dir, "unrelated")
	for _, sub := range []string{"process-dir.hits", "codebase-dir.json"} {
		if err := os.MkdirAll(filepath.Join(unrelated, sub), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"process-1.hits.tmp", "codebase-1.json.77.tmp", "process-.txt", "hits", "README"} {
		if err := os.WriteFile(filepath.Join(unrelated, name), []byte("x"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	onlyCodebase := filepath.Join(dir, "only")
	if err := os.Mkdir(onlyCodebase, 0o777); err != nil {
		t.Fatal(err)
	}
	leave(t, onlyCodebase, "a", []testFunc{fn("store.Open", "a.go", 1)})

	for path, want := range map[string]string{
		filepath.Join(dir, "none"): "no directory",
		"":                         "no directory",
		file:                       "is not a directory",
		unrelated:                  "no data of a process in",
		onlyCodebase:               "no data of a process in",
	} {
		r, err := Read(path)
		if r != nil || err == nil {
			t.Errorf("Read(%q) = %v, %v, want an error", path, r, err)
			continue
		}
		for _, want := range []string{want, "SCAVENGER_DATA_DIR"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("Read(%q): %v, want %q in it", path, err, want)
			}
		}
	}
}
