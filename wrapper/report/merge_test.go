// Tests of merging.

package report

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// contents returns the files of a directory.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	m := map[string]string{}
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		m[e.Name()] = string(readFile(t, dir, e.Name()))
	}
	return m
}

// The report on the result is that on the files in one directory, which it is also if
// they are merged in several steps.
func TestMerge(t *testing.T) {
	functions := []testFunc{fn("store.Open", "a.go", 1), fn("store.*DB.Shut", "a.go", 2), fn("store.New", "b.go", 1), fn("store.Dead", "b.go", 2)}
	a, b, c := t.TempDir(), t.TempDir(), t.TempDir()
	leave(t, a, "x", functions,
		testProcess{id: "1", app: "shop", host: "h1", started: at(1), calls: calls{"Open": at(9)}},
		testProcess{id: "2", app: "work", host: "h1", started: at(8)})
	leave(t, b, "x", functions,
		testProcess{id: "3", app: "shop", host: "h1", started: at(4), calls: calls{"Shut": at(6), "Open": at(5)}},
		testProcess{id: "4", app: "shop", host: "h2", started: at(5), state: datafile.Lossy, calls: calls{"Open": at(6)}})
	leaveOld(t, c, "y", functions[1:], testProcess{id: "5", app: "old", host: "h3", started: at(5), calls: calls{"New": at(6)}})
	before := []map[string]string{contents(t, a), contents(t, b), contents(t, c)}

	once, step := filepath.Join(t.TempDir(), "to", "once"), filepath.Join(t.TempDir(), "step")
	m, err := Merge(once, []string{a, b, c})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Problems) > 0 || m.Read != 5 || m.Written != 4 || m.Codebases != 2 {
		t.Errorf("Merge = %+v, want 5 files in 4, of 2 codebases", m)
	}
	for i, dir := range []string{a, b, c} {
		if !maps.Equal(contents(t, dir), before[i]) {
			t.Errorf("directory %d was changed", i)
		}
	}
	if _, err := Merge(step, []string{c, b}); err != nil {
		t.Fatal(err)
	}
	twice := t.TempDir() // empty
	if _, err := Merge(twice, []string{step, a}); err != nil {
		t.Fatal(err)
	}
	var reports []*Report
	for _, dir := range []string{once, twice} {
		r, err := Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]Status{"store.Open": Called, "store.*DB.Shut": Called, "store.New": Called, "store.Dead": NeverCalled}
		if got := statuses(r); !maps.Equal(got, want) {
			t.Errorf("statuses = %v, want %v", got, want)
		}
		// One of them is of an earlier version.
		if r.Processes.Total != 5 || kinds(r) != "lossy lossy" {
			t.Errorf("processes %+v, problems %v, want 5 with two lossy ones", r.Processes, r.Problems)
		}
		r.Problems = nil // they name the directory
		reports = append(reports, r)
	}
	if !reflect.DeepEqual(reports[0], reports[1]) {
		t.Errorf("merged at once:\n%+v\nin steps:\n%+v", reports[0], reports[1])
	}
	for _, want := range []string{"is not empty", "no data of a process", "no directory"} {
		out, dir := once, a
		switch want {
		case "no data of a process":
			out, dir = filepath.Join(t.TempDir(), "new"), t.TempDir()
		case "no directory":
			out, dir = filepath.Join(t.TempDir(), "new"), filepath.Join(a, "none")
		}
		if _, err := Merge(out, []string{dir}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Merge: %v, want an error with %q", err, want)
		}
	}
}

// Whatever is damaged is named when it is merged, and the report on the result is not
// complete either.
func TestMergeDamaged(t *testing.T) {
	functions := []testFunc{fn("store.Open", "a.go", 1), fn("store.Shut", "a.go", 2), fn("store.Dead", "a.go", 3)}
	p := testProcess{id: "1", app: "shop", host: "h1", started: at(1), calls: calls{"Open": at(2), "Shut": at(2)}}
	for _, tt := range []struct {
		name   string
		damage func(dir, hits string)
		kinds  string
		shut   Status // "" if it is not listed
	}{
		{"a stamp", func(dir, hits string) { damageStamp(t, dir, "a", functions, p, 1) }, "damaged", Unknown},
		{"a record", func(dir, hits string) {
			// Two ran for an hour of the next day: now is when the file was made.
			now := time.Now()
			for _, id := range []string{"2", "3"} {
				leave(t, dir, "a", functions, testProcess{id: id, app: "shop", host: "h1", started: now.Add(10 * time.Hour), calls: calls{"Open": now.Add(11 * time.Hour)}})
			}
			damageRecord(t, dir, hits, "3")
		}, "damaged", Called},
		{"all records", func(dir, hits string) { damageRecord(t, dir, hits, "1") }, "damaged", Called},
		{"a header", func(dir, hits string) {
			content := readFile(t, dir, hits)
			content[40] ^= 1
			overwrite(t, dir, hits, content)
			leave(t, dir, "a", functions, testProcess{id: "2", app: "work", started: at(1)})
		}, "damaged", NeverCalled},
		{"the number of functions", func(dir, hits string) {
			other := append(slices.Clone(functions), fn("store.More", "a.go", 4))
			q := testProcess{id: "2", app: "work", started: at(1)}
			record(t, store(dir, "a", other, q), other, q)
		}, "damaged", Called},
		{"a codebase", func(dir, hits string) { overwrite(t, dir, "codebase-a.json", []byte("{}")) }, "damaged", ""},
		{"no codebase", func(dir, hits string) { os.Remove(filepath.Join(dir, "codebase-a.json")) }, "no-codebase", ""},
		{"a link", func(dir, hits string) {
			if err := os.Symlink(hits, filepath.Join(dir, "hits-0.hits")); err != nil {
				t.Skip(err)
			}
		}, "unreadable", Called},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
			leave(t, dir, "a", functions, p)
			tt.damage(dir, filepath.Base(store(dir, "a", functions, p).Path()))
			before, err := Read(dir)
			if err != nil {
				t.Fatal(err)
			}
			m, err := Merge(out, []string{dir})
			if err != nil {
				t.Fatal(err)
			}
			if got := kinds(&Report{Problems: m.Problems}); got != tt.kinds {
				t.Errorf("problems %v, want %s", m.Problems, tt.kinds)
			}
			r, err := Read(out)
			if err != nil {
				t.Fatal(err)
			}
			if r.Complete() && tt.kinds != "unreadable" { // what cannot be read cannot be kept
				t.Error("the report on the result is complete")
			}
			if got := statuses(r)["store.Shut"]; got != tt.shut {
				t.Errorf("Shut is %q, want %q", got, tt.shut)
			}
			if is, was := r.Observed.ObservedFor, before.Observed.ObservedFor; is > was {
				t.Errorf("observed for %d s, but for %d s before", is, was)
			}
		})
	}
}

// Processes without a sound record in two directories do not become one that ran from the
// first to the last.
func TestMergeWithoutRecords(t *testing.T) {
	functions := []testFunc{fn("store.Open", "a.go", 1)}
	p := testProcess{id: "1", app: "shop", host: "h1", started: at(1), calls: calls{"Open": at(2)}}
	var dirs []string
	for i := range 2 {
		dir := t.TempDir()
		leave(t, dir, "a", functions, p)
		hits := filepath.Base(store(dir, "a", functions, p).Path())
		damageRecord(t, dir, hits, "1")
		setCreated(t, dir, hits, time.Now().AddDate(0, 0, -10*i))
		dirs = append(dirs, dir)
	}
	for _, dirs := range [][]string{dirs, {dirs[1], dirs[0]}} {
		r, err := Read(mergedOf(t, dirs...))
		if err != nil {
			t.Fatal(err)
		}
		if r.Processes.Total != 2 || r.Observed.ObservedFor != 0 {
			t.Errorf("%d processes, observed for %d s, want two of which nobody knows how long they ran", r.Processes.Total, r.Observed.ObservedFor)
		}
	}
}

// Marks of this machine: of killed processes they are recovered, of others they are
// merged as they are.
func TestMergeMarks(t *testing.T) {
	for _, alive := range []bool{false, true} {
		m := newMarked(t, "1", []string{"Open"}, "Shut")
		if alive {
			hold(t, m.path)
		}
		out := filepath.Join(t.TempDir(), "out")
		if got, err := Merge(out, []string{m.dir}); err != nil || len(got.Problems) > 0 {
			t.Fatalf("%+v, %v", got, err)
		}
		r, err := readAt(out, at(20), thisBoot)
		if err != nil {
			t.Fatal(err)
		}
		if got := statuses(r); got["store.Open"] != Called || got["store.*DB.Shut"] != Called || got["store.Unused"] != NeverCalled {
			t.Errorf("alive %v: statuses = %v", alive, got)
		}
		if r.Processes.Total != 1 || r.Complete() == alive {
			t.Errorf("alive %v: processes %+v, problems %v", alive, r.Processes, r.Problems)
		}
		if got := contents(t, out); slices.ContainsFunc(slices.Collect(maps.Keys(got)), func(name string) bool { return datafile.IsMarks(name, "") }) {
			t.Error("a marks file was copied")
		}
		if _, err := os.Stat(m.path); errors.Is(err, fs.ErrNotExist) {
			t.Error("the marks file is gone at once")
		}
	}
}

// A marks file without all cells, or a damaged one, does not say all that its process
// called, and the report on the result does not claim that it does.
func TestMergeMarksWithoutAll(t *testing.T) {
	for _, how := range []string{"not all cells", "damaged", "other functions"} {
		m := newMarked(t, "1", []string{"Open"}, "Shut")
		hold(t, m.store.Path()) // it cannot be recovered
		kinds := 1
		switch how {
		case "not all cells":
			m.kept, kinds = datafile.OnceASecond, 0
			m.mark(t, m.dir, "Shut")
		case "damaged":
			content := readFile(t, m.dir, filepath.Base(m.path))
			range0 := bytes.LastIndexByte(content[:4096], '}') + 1 // behind the header
			content[range0]++
			overwrite(t, m.dir, filepath.Base(m.path), content)
		case "other functions":
			m.store.Identity.Functions = 5000
			m.mark(t, m.dir, "Shut")
			hold(t, m.path)
		}
		out := filepath.Join(t.TempDir(), "out")
		got, err := Merge(out, []string{m.dir})
		if err != nil || len(got.Problems) != kinds {
			t.Fatalf("%s: %+v, %v, want %d problems", how, got, err, kinds)
		}
		r, err := readAt(out, at(20), thisBoot)
		if err != nil {
			t.Fatal(err)
		}
		if statuses(r)["store.Open"] != Called || r.Complete() || r.Processes.Recovered > 0 && how != "other functions" {
			t.Errorf("%s: statuses %v, processes %+v, problems %v", how, statuses(r), r.Processes, r.Problems)
		}
		for name, content := range contents(t, out) {
			if len(content) > 30_000 {
				t.Errorf("%s: %s has %d bytes", how, name, len(content))
			}
		}
	}
}

// Without any hits file the calls of a living process are merged, and a directory without
// any process leaves nothing behind.
func TestMergeWithoutHits(t *testing.T) {
	m := newMarked(t, "1", nil, "Shut")
	hold(t, m.path)
	out := filepath.Join(t.TempDir(), "out")
	if _, err := Merge(out, []string{m.dir}); err != nil {
		t.Fatal(err)
	}
	if r, err := Read(out); err != nil || statuses(r)["store.*DB.Shut"] != Called {
		t.Errorf("%+v, %v", r, err)
	}
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	put(t, dir, "codebase-a1.json", codebaseBytes(t, "a1", m.functions))
	if _, err := Merge(out, []string{dir}); err == nil || !strings.Contains(err.Error(), "no data of a process") {
		t.Errorf("Merge: %v", err)
	}
	if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the new directory is there: %v", err)
	}
}

// What is there twice counts once, as in the report on the directories: a backup beside its
// file, whatever its name is, and an older copy of a directory.
func TestMergeCopies(t *testing.T) {
	dir, old := t.TempDir(), filepath.Join(t.TempDir(), "old")
	functions := []testFunc{fn("store.Open", "a.go", 1), fn("store.Shut", "a.go", 2)}
	add := func(from, to int) {
		for i := from; i < to; i++ {
			leave(t, dir, "a", functions, testProcess{id: fmt.Sprint(i), app: "shop", started: at(1), calls: calls{"Open": at(1 + i%20)}})
		}
	}
	add(0, 15)
	copyDir(t, dir, old)
	add(15, 40)
	want := mustRead(t, dir)
	if want.Processes.Total != 40 {
		t.Fatalf("%d processes, want 40", want.Processes.Total)
	}
	hits := filepath.Base(store(dir, "a", functions, testProcess{app: "shop"}).Path())
	put(t, dir, hits+".bak", readFile(t, dir, hits))
	put(t, dir, hits+".1", readFile(t, old, hits))
	for _, dirs := range [][]string{{dir}, {dir, old}, {old, dir}, {old, old}} {
		processes := 40
		if !slices.Contains(dirs, dir) {
			processes = 15
		}
		r := mustRead(t, mergedOf(t, dirs...))
		if r.Processes.Total != processes || processes == 40 && !reflect.DeepEqual(r, want) {
			t.Errorf("merged %v: %+v\nwant\n%+v", dirs, r, want)
		}
	}
}

// mergedOf returns a directory with what is in others.
func mergedOf(t *testing.T, dirs ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "merged")
	if _, err := Merge(out, dirs); err != nil {
		t.Fatal(err)
	}
	return out
}
