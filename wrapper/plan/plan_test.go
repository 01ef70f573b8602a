package plan

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// The functions of a module are in the groups that its comments name, and nowhere else.
func TestGroups(t *testing.T) {
	dir := extract(t, "groups.txtar")
	r, want := annotated(t, dir)
	p := makePlan(t, Options{Dir: dir, Patterns: []string{"."}}, r)
	got := groups(t, p)
	for name, w := range want {
		if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" && strings.Contains(name, "/asm.") {
			continue
		}
		if got[name] != w {
			t.Errorf("%s: %q, want %q", name, got[name], w)
		}
		delete(got, name)
	}
	for name, g := range got {
		t.Errorf("%s: %q, want none", name, g)
	}
	if d := p.Difference; len(d.Missing)+d.Moved+len(d.Packages) > 0 {
		t.Errorf("difference: %+v", d)
	}
}

// Each site of an entry names the function at its line.
func TestSites(t *testing.T) {
	dir := extract(t, "groups.txtar")
	r, _ := annotated(t, dir)
	p := makePlan(t, Options{Dir: dir, Patterns: []string{"."}}, r)
	for _, e := range p.Entries {
		if len(e.Sites) == 0 {
			t.Errorf("%s: no site", e.name())
		}
		for _, s := range e.Sites {
			if s.File == "text.y" {
				continue // which is not there: a //line directive has the name
			}
			text, err := os.ReadFile(filepath.Join(dir, s.File))
			if err != nil {
				t.Fatal(err)
			}
			if line := strings.Split(string(text), "\n")[s.Line-1]; !strings.Contains(line, e.Name) {
				t.Errorf("%s: %s:%d has %q", e.name(), s.File, s.Line, line)
			}
		}
	}
	if e := entryOf(t, p, "belowGenerated"); e.File != "text.y" || e.Line != 3 || e.Sites[0].File != "text.y" || e.Sites[0].Line != 7 {
		t.Errorf("//line: %+v", e)
	}
	if e := entryOf(t, p, "branch"); e.FallsFunctions != 3 || e.FallsLines != 6 {
		t.Errorf("branch: %d functions, %d lines; want 3, 6", e.FallsFunctions, e.FallsLines)
	}
	if e := entryOf(t, p, "belowHidden"); e.Sites[0].Status != report.NotObservable {
		t.Errorf("belowHidden: %+v", e.Sites)
	}
}

// What must stay says why, and where that stands.
func TestReasons(t *testing.T) {
	dir := extract(t, "groups.txtar")
	r, _ := annotated(t, dir)
	p := makePlan(t, Options{Dir: dir, Patterns: []string{"."}}, r)
	for name, want := range map[string]string{
		"main.oval.Area":        "its type is asserted of example.com/app.shape main.go:",
		"main.square.Area":      "its type becomes example.com/app.shape main.go:",
		"main.small.Area":       "its type becomes example.com/app.shape main.go:",
		"main.constrained.Key":  "its type is a type argument for example.com/app/lib.Keyed main.go:",
		"main.shown.Exported":   "no path to it is seen: reflection or an assertion may call it main.go:",
		"main.belowArea":        "what refers to it must stay main.go:",
		"lib.Linked":            "//go:linkname names it",
		"lib.belowLinked":       "what refers to it must stay " + filepath.FromSlash("lib/lib.go:"),
		"main.small.Unexpected": "",
	} {
		var got string
		for _, k := range p.MustStay {
			if short := strings.TrimPrefix(strings.Replace(k.Function.name(), "example.com/app.", "main.", 1), "example.com/app/"); short == name {
				got = k.Reason
				if k.Site != nil {
					got += " " + k.Site.File + ":"
				}
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestExplain(t *testing.T) {
	dir := extract(t, "groups.txtar")
	r, _ := annotated(t, dir)
	p := makePlan(t, Options{Dir: dir, Patterns: []string{"."}}, r)
	for _, test := range []struct{ name, group, path, with string }{
		{"deep", "falls with", "main branch onlyBranch deep", "branch"},
		{"example.com/app.both", "falls with", "main branch both", "branch shared1 shared2"},
		{"example.com/app/lib.(*Set).add", "falls with", "main lib.Set.Add lib.(*Set).add", "lib.Set.Add"},
		{"lib.Set.add", "falls with", "main lib.Set.Add lib.(*Set).add", "lib.Set.Add"},
		{"inTable", "entry", "init inTable", ""},
		{"main", "", "", ""},
		{"main.branch", "entry", "main branch", ""},
		{"dead", "unreachable", "", ""},
		{"square.Area", "must stay", "main square.Area", ""},
	} {
		e, err := p.Explain(test.name)
		if err != nil {
			t.Error(err)
			continue
		}
		var path []string
		for i, s := range e.Path {
			if i == 0 {
				path = append(path, s.Caller)
			}
			path = append(path, s.To)
		}
		short := strings.NewReplacer("example.com/app.", "", "example.com/app/", "")
		if got := short.Replace(strings.Join(path, " ")); e.Group != test.group || got != test.path || short.Replace(strings.Join(e.With, " ")) != test.with {
			t.Errorf("%s: %q, path %q, with %q", test.name, e.Group, got, e.With)
		}
	}
	for _, name := range []string{"Area", "nowhere"} {
		if e, err := p.Explain(name); err == nil {
			t.Errorf("%s: %+v, want an error", name, e)
		}
	}
}

// Where the source is not that of the program, the plan says so.
func TestDifference(t *testing.T) {
	dir := extract(t, "groups.txtar")
	r, _ := annotated(t, dir)
	for i := range r.Functions {
		if r.Functions[i].Name == "branch" {
			r.Functions[i].Line++
		}
	}
	r.Programs[0].Main = "example.com/other"
	r.Functions = append(r.Functions,
		report.Function{Package: "example.com/app", Receiver: "*gone", Name: "f", Status: report.NeverCalled},
		report.Function{Package: "example.com/other", Name: "main", Status: report.Called})
	p := makePlan(t, Options{Dir: dir, Patterns: []string{"."}}, r)
	d := p.Difference
	if len(d.Missing) != 1 || d.Missing[0] != "example.com/app.(*gone).f" || d.Moved != 1 || len(d.Packages) != 1 || d.Packages[0] != "example.com/other" ||
		len(d.Unobserved) != 1 || d.Unobserved[0] != "example.com/app" {
		t.Errorf("%+v", d)
	}
	var text strings.Builder
	if err := p.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(text.String(), "WARNING: "); n != 4 || !strings.HasPrefix(text.String(), "WARNING: ") {
		t.Errorf("%d warnings in\n%s", n, text.String())
	}
}

// What a program without data may call is in no group, unless none has data.
func TestSpared(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "go.mod", "module example.com/app\n\ngo 1.24\n")
	write(t, dir, "main.go", `package main

import "example.com/app/lib"

func main() { // ran
	if len(lib.Names()) > 1 {
		lib.Branch()
		lib.Both()
	}
}
`)
	write(t, dir, "cli/main.go", `package main

import "example.com/app/lib"

func main() { // ran
	defer lib.Alone()
	lib.Both()
}
`)
	write(t, dir, "lib/lib.go", `package lib

func Names() []string { return nil } // ran

func Branch() {} // = entry

func Both() {} // = entry

func Alone() { below() } // = entry

func below() {} // = falls

func unused() {} // = unreachable
`)
	r, all := annotated(t, dir)
	spared := map[string]string{"example.com/app/lib.Branch": "entry", "example.com/app/lib.unused": "unreachable"}
	for _, test := range []struct {
		mains []string
		want  map[string]string
	}{
		{[]string{"example.com/app", "example.com/app/cli"}, all},
		{[]string{"example.com/app"}, spared},
		{[]string{"example.com/app.test"}, all},
	} {
		r.Programs = nil
		for _, main := range test.mains {
			r.Programs = append(r.Programs, report.Program{Main: main})
		}
		got := groups(t, makePlan(t, Options{Dir: dir, Patterns: []string{"./..."}}, r))
		if !maps.Equal(got, test.want) {
			t.Errorf("data of %q: %q, want %q", test.mains, got, test.want)
		}
	}
}

// Tags decide which files there are.
func TestTags(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "go.mod", "module example.com/app\n\ngo 1.24\n")
	write(t, dir, "main.go", "package main\n\nfunc main() { extra() }\n")
	write(t, dir, "on.go", "//go:build special\n\npackage main\n\nfunc extra() {}\n\nfunc unused() {}\n")
	write(t, dir, "off.go", "//go:build !special\n\npackage main\n\nfunc extra() {}\n")
	for tags, want := range map[string]int{"special": 1, "": 0} {
		p := makePlan(t, Options{Dir: dir, Patterns: []string{"."}, Tags: tags}, &report.Report{})
		if len(p.Unreachable) != want {
			t.Errorf("tags %q: %+v", tags, p.Unreachable)
		}
	}
}

// The system decides which files there are, as it does for go build.
func TestPlatform(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "go.mod", "module example.com/app\n\ngo 1.24\n")
	write(t, dir, "main.go", "package main\n\nfunc main() { system() }\n")
	write(t, dir, "main_windows.go", "package main\n\nfunc system() {}\n\nfunc unused() {}\n")
	write(t, dir, "main_plan9.go", "package main\n\nfunc system() { unused() }\n\nfunc unused() {}\n")
	for goos, want := range map[string]int{"windows": 1, "plan9": 0} {
		t.Setenv("GOOS", goos)
		t.Setenv("GOARCH", "amd64")
		p := makePlan(t, Options{Dir: dir, Patterns: []string{"."}}, &report.Report{})
		if len(p.Unreachable) != want || p.GOOS != goos {
			t.Errorf("%s: %s, %+v", goos, p.GOOS, p.Unreachable)
		}
	}
}

// Functions of files with cgo stand where they were written, and what C calls stays.
func TestCgo(t *testing.T) {
	if out, err := exec.Command("go", "env", "CGO_ENABLED").Output(); err != nil || strings.TrimSpace(string(out)) != "1" {
		t.Skip("no cgo here")
	}
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("no C compiler")
	}
	dir := t.TempDir()
	write(t, dir, "go.mod", "module example.com/app\n\ngo 1.24\n")
	write(t, dir, "main.go", `package main

// static int twice(int n) { return 2 * n; }
import "C"

func main() { // ran
	if C.twice(1) > 3 {
		branch()
	}
}

func branch() { C.twice(2) } // = entry

//export fromC
func fromC() { belowC() } // = stay

func belowC() {} // = stay

func unused() {} // = unreachable
`)
	r, want := annotated(t, dir)
	p := makePlan(t, Options{Dir: dir, Patterns: []string{"."}}, r)
	got := groups(t, p)
	for name, w := range want {
		if got[name] != w {
			t.Errorf("%s: %q, want %q", name, got[name], w)
		}
	}
	if e := entryOf(t, p, "branch"); e.File != "main.go" || e.Line != 12 || e.Sites[0].Line != 8 {
		t.Errorf("%+v", e)
	}
}

// A module that the program requires may name its functions where no path is seen, in a
// directive or in assembly. What the settings leave out may run that way, and nobody knows.
func TestNamedElsewhere(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "go.mod", "module example.com/app\n\ngo 1.24\n\nrequire example.com/dep v0.0.0\n\nreplace example.com/dep => ./dep\n")
	write(t, dir, "main.go", `package main

import (
	"example.com/app/lib"
	lib2 "example.com/app/lib.v2"
	"example.com/dep"
)

func main() { // ran
	lib.Used()
	lib2.Used()
	dep.Call()
}

type conn struct{}

func hook() {} // unlisted

func (*conn) shut() {} // unlisted

func jumped() {} // unlisted

func unhooked() {} // unlisted = unreachable
`)
	write(t, dir, "lib/lib.go", `package lib

func Used() {} // ran

func pulled() { below() } // unlisted

func below() {} // unlisted

func assembled() {} // unlisted

func unused() {} // unlisted = unreachable
`)
	write(t, dir, "lib.v2/lib.go", `package lib

func Used() {} // ran

func pulled() {} // unlisted
`)
	write(t, dir, "dep/go.mod", "module example.com/dep\n\ngo 1.24\n")
	write(t, dir, "dep/dep.go", `package dep

import _ "unsafe"

func Call() { pull() } // unlisted

//go:linkname pull2 example.com/app/lib%2ev2.pulled
func pull2() // unlisted

//go:linkname pull example.com/app/lib.pulled
func pull() // unlisted

//go:linkname hook main.hook
func hook() // unlisted

//go:linkname shut main.(*conn).shut
func shut() // unlisted
`)
	write(t, dir, "dep/asm.s", "TEXT ·jump(SB), $0\n\tCALL example·com∕app∕lib·assembled(SB)\n\tCALL main·jumped(SB)\n\tRET\n")
	r, want := annotated(t, dir)
	if got := groups(t, makePlan(t, Options{Dir: dir, Patterns: []string{"."}}, r)); !maps.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// A plan of nothing says what is wrong.
func TestErrors(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "go.mod", "module example.com/app\n\ngo 1.24\n")
	write(t, dir, "lib/lib.go", "package lib\n")
	write(t, dir, "broken/main.go", "package main\n\nfunc main() { nowhere() }\n")
	for pattern, want := range map[string]string{
		"./lib": "no main package", "./broken": "undefined: nowhere", "./none": "directory not found", ".": "no Go files",
	} {
		_, err := Make(Options{Dir: dir, Patterns: []string{pattern}}, &report.Report{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.HasPrefix(err.Error(), "-") {
			t.Errorf("%s: %v, want %s", pattern, err, want)
		}
	}
}
