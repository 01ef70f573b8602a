package report

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// What changed since an earlier report: a function is the same one whatever its receiver's
// star and its place are.
func TestCompare(t *testing.T) {
	f := func(name string, status Status) Function {
		receiver, name, ok := strings.Cut(name, ".")
		if !ok {
			receiver, name = "", receiver
		}
		return Function{Package: "example.com/p", Receiver: receiver, Name: name, Status: status, File: "a.go", Line: 1}
	}
	kept := f("Kept", NeverCalled)
	kept.Keep = &Keep{Reason: "x"}
	r := &Report{Functions: []Function{
		f("Same", NeverCalled), f("*T.Died", NeverCalled), f("Came", Called), f("NewDead", NeverCalled), f("NewAlive", Called), kept,
		f("Known", NeverCalled), f("Unknown", Unknown),
	}}
	old := &oldReport{SchemaVersion: 1, Complete: true, Functions: []Function{
		f("Same", NeverCalled), f("T.Died", Called), f("Came", NeverCalled), f("Gone", Called), f("Known", Unknown), f("Unknown", NeverCalled),
		f("*T.Same", NeverCalled),
	}}
	r.compare("old.json", old)
	if got, want := changes(r.Baseline), []string{
		"newly dead: Died called never-called, NewDead  never-called, Known unknown never-called",
		"came alive: Came never-called called",
		"new: NewDead  never-called, NewAlive  called, Kept  never-called",
		"gone: Gone called , Same never-called ",
	}; !reflect.DeepEqual(got, want) {
		t.Errorf("changes\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(r.Baseline.Notes) > 0 {
		t.Errorf("notes %q, want none", r.Baseline.Notes)
	}
	old.Complete = false
	old.Header.Filter.Hosts = []string{"h1"}
	r.compare("old.json", old)
	if len(r.Baseline.Notes) != 2 || !strings.Contains(r.Baseline.Notes[1], "about host h1, and this one about all processes") {
		t.Errorf("notes %q, want that it is incomplete, and about h1 alone", r.Baseline.Notes)
	}
}

// Where a report has two functions of one name, the module tells them apart.
func TestCompareModules(t *testing.T) {
	f := func(module string, status Status) Function {
		return Function{Package: "command-line-arguments", Name: "main", Module: module, Status: status}
	}
	r := &Report{Functions: []Function{f("a", NeverCalled), f("b", Called)}}
	r.compare("old.json", &oldReport{Functions: []Function{f("b", Called), f("a", NeverCalled), f("c", Called)}})
	if got, want := changes(r.Baseline), []string{"newly dead: ", "came alive: ", "new: ", "gone: main called "}; !reflect.DeepEqual(got, want) {
		t.Errorf("changes %q, want %q", got, want)
	}
	// Another name of the module is no other function.
	r = &Report{Functions: []Function{f("a", NeverCalled)}}
	r.compare("old.json", &oldReport{Functions: []Function{f("", NeverCalled)}})
	if got, want := changes(r.Baseline), []string{"newly dead: ", "came alive: ", "new: ", "gone: "}; !reflect.DeepEqual(got, want) {
		t.Errorf("changes %q, want %q", got, want)
	}
}

func changes(b *Baseline) []string {
	line := func(title string, list []Change) string {
		var names []string
		for _, c := range list {
			names = append(names, fmt.Sprintf("%s %s %s", c.Name, c.Was, c.Is))
		}
		return title + ": " + strings.Join(names, ", ")
	}
	return []string{line("newly dead", b.NewlyDead), line("came alive", b.CameAlive), line("new", b.New), line("gone", b.Gone)}
}

// What is no report says so, instead of being one without functions.
func TestReadOld(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "it is empty",
		"[]":                                 "it is no report, or cut off",
		"{}":                                 "it is no report: write",
		`{"schemaVersion":1}`:                "it is no report: write",
		`{"schemaVersion":2,"functions":[]}`: "schema version 2, and this scavenger-wrap knows 1",
		`{"schemaVersion":1,"functions":[`:   "it is no report, or cut off",
	} {
		if _, err := readOld(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	if _, err := readOld(strings.NewReader(`{"schemaVersion":1,"functions":[],"more":1}`)); err != nil {
		t.Error(err)
	}
}
