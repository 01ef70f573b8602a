// Tests of what tells two programs from two versions of one.

package report

import (
	"fmt"
	"maps"
	"testing"
)

// ran is a process of an application that called the functions on the day that it
// started.
func ran(id string, day int, functions ...string) testProcess {
	p := testProcess{id: id, app: "tool", started: at(day), calls: calls{}}
	for _, name := range functions {
		p.calls[name] = at(day)
	}
	return p
}

// inFile is a function of a program that is built from files.
func inFile(name, file string) testFunc {
	f := fn("x."+name, file, 1)
	f.Package = singleFiles
	return f
}

// library returns n functions that are in no package of the program's module.
func library(n int) []testFunc {
	var list []testFunc
	for i := range n {
		f := fn(fmt.Sprintf("x.F%d", i), "x.go", i)
		f.Package = "example.org/library"
		list = append(list, f)
	}
	return list
}

func TestVersions(t *testing.T) {
	app := func(names ...string) (list []testFunc) {
		for i, name := range names {
			list = append(list, fn("app."+name, "main.go", i+1))
		}
		return list
	}
	files := func(file string, names ...string) (list []testFunc) {
		for _, name := range names {
			list = append(list, inFile(name, file))
		}
		return list
	}
	withModule := func(p testProcess) testProcess {
		p.main, p.module = "example.com/app", "example.com/app"
		return p
	}
	for _, tt := range []struct {
		name               string
		older, newer       []testFunc
		olderRan, newerRan testProcess
		programs           int
		gone               []string
	}{
		{
			name:  "two files that differ in one function of ten",
			older: files("a.go", "main", "A", "1", "2", "3", "4", "5", "6", "7", "8"), olderRan: ran("1", 1, "main", "A"),
			newer: files("b.go", "main", "B", "1", "2", "3", "4", "5", "6", "7", "8"), newerRan: ran("2", 2, "main", "B"),
			programs: 2,
		},
		{
			name:  "two versions of one file, another one beside it",
			older: files("a.go", "main", "A", "dead"), olderRan: ran("1", 1, "main", "A"),
			newer: append(files("a.go", "main", "A"), inFile("B", "b.go")), newerRan: ran("2", 2, "main", "A"),
			programs: 1, gone: []string{"dead"},
		},
		{
			name:  "two modules of one name",
			older: app("main", "usage", "run", "A", "dead"), olderRan: ran("1", 1, "main", "A"),
			newer: app("main", "usage", "run", "B"), newerRan: ran("2", 2, "main", "B"),
			programs: 2,
		},
		{
			name:  "two modules of one name, of which one has little",
			older: app("main", "1", "2", "3", "4", "A"), olderRan: ran("1", 1, "main", "A"),
			newer: app("main", "1"), newerRan: ran("2", 2, "main"),
			programs: 2,
		},
		{
			name:  "two modules of one name with a library that both mark",
			older: append(app("main", "A"), library(90)...), olderRan: withModule(ran("1", 1, "main", "A")),
			newer: append(app("main", "B"), library(90)...), newerRan: withModule(ran("2", 2, "main", "B")),
			programs: 2,
		},
		{
			name:  "all that was dead is deleted",
			older: app("main", "A", "1", "2", "3", "4", "5"), olderRan: ran("1", 1, "main", "A"),
			newer: app("main", "A"), newerRan: ran("2", 2, "main", "A"),
			programs: 1, gone: []string{"1", "2", "3", "4", "5"},
		},
		{
			name:  "one function is renamed",
			older: app("main", "1", "2", "3", "A"), olderRan: ran("1", 1, "main", "A"),
			newer: app("main", "1", "2", "3", "B"), newerRan: ran("2", 2, "main", "B"),
			programs: 1, gone: []string{"A"},
		},
		{
			name:  "one function is renamed, and the older build still runs",
			older: app("main", "1", "2", "3", "A", "dead"), olderRan: testProcess{id: "1", app: "tool", started: at(1), calls: calls{"A": at(3)}},
			newer: app("main", "1", "2", "3", "B"), newerRan: ran("2", 2, "main", "B"),
			programs: 1, // the build is in use
		},
		{
			name:  "two variants of one program side by side",
			older: app("main", "1", "2", "3", "A", "B"), olderRan: testProcess{id: "1", app: "tool", started: at(1), calls: calls{"main": at(3)}},
			newer: app("main", "1", "2", "3"), newerRan: ran("2", 2, "main"),
			programs: 1,
		},
		{
			name:  "two variants that start at the same time",
			older: app("main", "1", "2", "3", "A"), olderRan: ran("1", 1, "main"),
			newer: app("main", "1", "2", "3"), newerRan: ran("2", 1, "main"),
			programs: 1,
		},
		{
			name:  "two modules of one name, of which the older one called nothing but main",
			older: app("main", "A", "B", "C"), olderRan: ran("1", 1, "main"),
			newer: app("main", "1", "2", "3"), newerRan: ran("2", 2, "main"),
			programs: 2,
		},
		{
			name:  "two modules of one name, of which the older one called nothing",
			older: app("main", "A", "B", "C"), olderRan: ran("1", 1),
			newer: app("main", "1", "2", "3"), newerRan: ran("2", 2, "main"),
			programs: 2,
		},
		{
			name:  "two modules of one name, of which the older one called only a library that both mark",
			older: append(app("main", "A", "B"), library(9)...), olderRan: withModule(ran("1", 1, "main", "F0")),
			newer: append(app("main", "1", "2"), library(9)...), newerRan: withModule(ran("2", 2, "main")),
			programs: 2,
		},
		{
			name:  "two modules of one name that have nothing but main and libraries",
			older: append(app("main"), library(9)...), olderRan: withModule(ran("1", 1, "main")),
			newer: app("main"), newerRan: withModule(ran("2", 2, "main")),
			programs: 2,
		},
		{
			name:  "nothing but main, which moved",
			older: app("main"), olderRan: withModule(ran("1", 1, "main")),
			newer: []testFunc{fn("app.main", "main.go", 9)}, newerRan: withModule(ran("2", 2, "main")),
			programs: 1,
		},
		{
			name:  "main packages that are not marked, and are named",
			older: library(4), olderRan: testProcess{id: "1", app: "tool", main: "example.com/a", started: at(1)},
			newer: library(3), newerRan: testProcess{id: "2", app: "tool", main: "example.com/b", started: at(2)},
			programs: 2,
		},
		{
			name:  "files of the first version, and later ones",
			older: app("main", "A", "dead"), olderRan: ran("1", 1, "main", "A"),
			newer: app("main", "A"), newerRan: withModule(ran("2", 2, "main", "A")),
			programs: 1, gone: []string{"dead"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			leave(t, dir, "a", tt.older, tt.olderRan)
			leave(t, dir, "b", tt.newer, tt.newerRan)
			r := mustRead(t, dir)
			if len(r.Programs) != tt.programs {
				t.Errorf("Programs = %+v, want %d", r.Programs, tt.programs)
			}
			gone, want := map[string]bool{}, map[string]bool{}
			for _, f := range r.Removed {
				gone[f.Name] = true
			}
			for _, name := range tt.gone {
				want[name] = true
			}
			if !maps.Equal(gone, want) {
				t.Errorf("gone are %v, want %v", gone, want)
			}
		})
	}
}

// Versions that each have little in common with the first are one program, if each
// is like the one before it.
func TestVersionsInSteps(t *testing.T) {
	dir := t.TempDir()
	for v := range 6 {
		var functions []testFunc
		for i := range 10 {
			functions = append(functions, fn(fmt.Sprintf("app.F%d", 2*v+i), "main.go", i))
		}
		id := fmt.Sprint(v)
		leave(t, dir, id, functions, ran(id, v+1, fmt.Sprintf("F%d", 2*v)))
	}
	if r := mustRead(t, dir); len(r.Programs) != 1 || len(r.Programs[0].Builds) != 6 || len(r.Functions) != 10 {
		t.Errorf("%d programs, %d functions, want 1 with 6 builds, and 10", len(r.Programs), len(r.Functions))
	}
}

// What a build in use cannot observe, it may call all day, though the newest one
// does observe it.
func TestVariantReason(t *testing.T) {
	open, shut := fn("store.Open", "store.go", 1), fn("store.Shut", "store.go", 2)
	dir := t.TempDir()
	leave(t, dir, "a", []testFunc{open, shut.unobservable("no body")},
		testProcess{id: "1", app: "shop", started: at(1), calls: calls{"Open": at(3)}})
	leave(t, dir, "b", []testFunc{open, shut}, testProcess{id: "2", app: "shop", started: at(2)})
	if got := statuses(mustRead(t, dir))["store.Shut"]; got != NotObservable {
		t.Errorf("Shut is %s, want not-observable", got)
	}
}
