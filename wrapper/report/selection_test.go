package report

import (
	"strings"
	"testing"
	"time"
)

func TestSelect(t *testing.T) {
	dir := t.TempDir()
	functions := []testFunc{
		fn("a.Open", "a.go", 1), fn("a.Old", "a.go", 2), fn("a.dead", "a.go", 3), fn("a.*T.Dead", "a.go", 4), fn("a.*t.Dead", "a.go", 5),
		fn("a.Asm", "a.go", 6).unobservable("no body"),
	}
	for i := range functions {
		functions[i].Generated = functions[i].Name == "Old"
	}
	leave(t, dir, "a", functions, testProcess{id: "1", app: "shop", started: at(1), calls: calls{"Open": at(21), "Old": at(5)}})
	leave(t, dir, "b", []testFunc{fn("b.New", "b.go", 1)}, testProcess{id: "2", app: "work", started: at(20), calls: calls{"None": at(21)}})
	yes, no := true, false
	for name, test := range map[string]struct {
		s    Selection
		want string
	}{
		"all":                    {Selection{}, "Open Old dead T.Dead t.Dead Asm New"},
		"packages":               {Selection{Packages: []string{"b"}, InPackages: func(path string) bool { return strings.HasSuffix(path, "/b") }}, "New"},
		"status":                 {Selection{Statuses: []Status{Called, NotObservable}}, "Open Old Asm"},
		"observed for":           {Selection{ObservedFor: 20 * day}, "Open Old dead T.Dead t.Dead"},
		"observed for too short": {Selection{ObservedFor: 20*day + 1}, ""},
		"not called since":       {Selection{NotCalledSince: at(6)}, "Old dead T.Dead t.Dead New"},
		"called then":            {Selection{NotCalledSince: at(5)}, "dead T.Dead t.Dead New"},
		"not called for":         {Selection{NotCalledFor: 15 * 24 * time.Hour}, "Old dead T.Dead t.Dead New"},
		"exported":               {Selection{Exported: &yes}, "Open Old T.Dead Asm New"},
		"not exported":           {Selection{Exported: &no}, "dead t.Dead"},
		"generated":              {Selection{Generated: &yes}, "Old"},
		"not generated":          {Selection{Generated: &no}, "Open dead T.Dead t.Dead Asm New"},
		"several":                {Selection{Exported: &yes, Statuses: []Status{NeverCalled}, ObservedFor: 5 * day}, "T.Dead"},
	} {
		r := mustRead(t, dir)
		if err := r.Select(test.s); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range r.Functions {
			got = append(got, strings.TrimPrefix(strings.TrimPrefix(f.Receiver, "*")+"."+f.Name, "."))
		}
		if got := strings.Join(got, " "); got != test.want || len(r.Functions)+len(r.Others) != 7 {
			t.Errorf("%s: %q and %d others, want %q", name, got, len(r.Others), test.want)
		}
		if (name == "all") != r.Selection.IsZero() {
			t.Errorf("%s: IsZero is %v", name, r.Selection.IsZero())
		}
	}
	if err := mustRead(t, dir).Select(Selection{NotCalledSince: at(22)}); err == nil || !strings.Contains(err.Error(), "the data end on 2026-01-21") {
		t.Errorf("what was called after the data end: %v, want an error", err)
	}
}

func TestIsExported(t *testing.T) {
	for name, want := range map[string]bool{
		"Add": true, "add": false, "*T.Add": true, "T.Add": true, "t.Add": false, "*t.Add": false, "T.add": false, "Größe": true, "Add.func1": false, "Add-range1": false,
	} {
		receiver, method := "", name
		if head, tail, ok := strings.Cut(name, "."); ok && !strings.HasPrefix(tail, "func") {
			receiver, method = head, tail
		}
		if got := isExported(&Function{Receiver: receiver, Name: method}); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}
