// Tests of the coverage profile: with go tool cover, which reads it, and of what has to hold
// for any functions.

package output

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/cover"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// coverSource has functions whose names say what is known of them, and what go tool cover
// has to print: literals that were not called are those with a parameter called never.
const coverSource = `package cart

type T struct{}

func called100() { println() }
func never0()    { println() }

func (t *T) called100(
	n int,
) {
	println()
}

func never0() {
	f := func(never int) {
		println()
	}
	f(0)
}

func called100() func() { return func(never int) { println() } }

func called71() {
	f := func(never int) {
		println()
		println()
	}
	f(0)
}

func called100() {
	f := func(n int) {
		println()
	}
	f(0)
}

func called80() {
	each(func(n int) {
		each(func(never int) {
			println()
			println()
		})
	}, func(n int) {
		println()
	})
}

func unknown100() {
	println()
	println()
}

var hook = func(never int) {
	println()
}

func called100() { never() }; func called100() {}
func never0() {}`

// coverReport returns the functions of coverSource.
func coverReport(t *testing.T) *report.Report {
	t.Helper()
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, "cart.go", coverSource, 0)
	if err != nil {
		t.Fatal(err)
	}
	r := &report.Report{}
	add := func(n ast.Node, name string, status report.Status) {
		from, to := fset.Position(n.Pos()).Line, fset.Position(n.End()).Line
		r.Functions = append(r.Functions, report.Function{
			Package: "example.com/app/cart", Name: name, File: "cart/cart.go", Module: "example.com/app", Line: from, Lines: to - from + 1, Status: status,
		})
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			status := report.Called
			if strings.HasPrefix(n.Name.Name, "never") {
				status = report.NeverCalled
			} else if strings.HasPrefix(n.Name.Name, "unknown") {
				status = report.NotObservable
			}
			add(n, n.Name.Name, status)
		case *ast.FuncLit:
			status := report.Called
			if params := n.Type.Params.List; len(params) > 0 && params[0].Names[0].Name == "never" {
				status = report.NeverCalled
			}
			add(n, "outer.func1", status)
		}
		return true
	})
	return r
}

func TestCoverProfileTool(t *testing.T) {
	dir := t.TempDir()
	var profile bytes.Buffer
	note, err := CoverProfile(&profile, coverReport(t))
	if err != nil {
		t.Fatal(err)
	}
	if want := "1 function counts as covered in the word func alone: whether it was called is not known"; note != want {
		t.Errorf("note %q, want %q", note, want)
	}
	for name, text := range map[string]string{"go.mod": "module example.com/app\n\ngo 1.24\n", "cart/cart.go": coverSource, "profile": profile.String()} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cover := func(args ...string) string {
		cmd := exec.Command("go", append([]string{"tool", "cover"}, args...)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s\n%s", err, out, &profile)
		}
		return string(out)
	}
	lines := regexp.MustCompile(`(?m)^example.com/app/cart/cart.go:\d+:\s+[a-z]+(\d+)\s+([0-9.]+)%$`).FindAllStringSubmatch(cover("-func=profile"), -1)
	if len(lines) != strings.Count(coverSource, "\nfunc ")+1 {
		t.Errorf("%d functions in %q", len(lines), cover("-func=profile"))
	}
	for _, line := range lines {
		if got, _, _ := strings.Cut(line[2], "."); got != line[1] {
			t.Errorf("%s: want %s%%\n%s", line[0], line[1], &profile)
		}
	}
	cover("-html=profile", "-o", "cover.html")
	html, err := os.ReadFile(filepath.Join(dir, "cover.html"))
	if err != nil {
		t.Fatal(err)
	}
	checkColours(t, string(html))
}

// checkColours checks what go tool cover -html shows of coverSource.
func checkColours(t *testing.T, html string) {
	t.Helper()
	for _, want := range []string{
		"\n<span class=\"cov8\" title=\"1\">func called100() { println() }\n</span><span class=\"cov0\" title=\"0\">func never0()    { println() }\n</span>",
		"\n<span class=\"cov8\" title=\"1\">func (t *T) called100(\n        n int,\n) {\n        println()\n}</span>\n",
		"\n<span class=\"cov8\" title=\"1\">func called71() {\n        f := func(never int) {\n</span><span class=\"cov0\" title=\"0\">                println()\n                println()\n</span>" +
			"<span class=\"cov8\" title=\"1\">        }\n        f(0)\n}</span>\n",
		"\n<span class=\"cov8\" title=\"1\">func</span> unknown100() {\n        println()\n        println()\n}\n",
		"\n<span class=\"cov0\" title=\"0\">var hook = func(never int) {\n        println()\n}</span>\n",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("the page does not have %q:\n%s", want, html[strings.Index(html, "<pre"):])
		}
	}
}

// Whatever the functions are, of several builds too, blocks do not overlap, a function that
// was called has a covered line, and one that was not has none unless it shares lines.
func TestCoverBlocks(t *testing.T) {
	statuses := []report.Status{report.Called, report.NeverCalled, report.NeverCalled, report.Unknown}
	for seed := range uint64(20000) {
		random := rand.New(rand.NewPCG(seed, 1))
		var functions []*report.Function
		var given []coverBlock
		for i := range 1 + random.IntN(7) {
			f := &report.Function{Name: fmt.Sprint("f", i), Line: 1 + random.IntN(15), Lines: random.IntN(9), Status: statuses[random.IntN(len(statuses))]}
			if random.IntN(3) == 0 {
				f.Name += ".func1"
			}
			functions = append(functions, f)
			given = append(given, newCoverBlock(&report.Report{}, f))
		}
		blocks := coverBlocks(given)
		for i, b := range blocks {
			if b.from > b.to || i > 0 && b.from <= blocks[i-1].to {
				t.Fatalf("seed %d: block %d of %+v overlaps", seed, i, blocks)
			}
		}
		for _, f := range functions {
			if strings.Contains(f.Name, ".") {
				continue
			}
			end, count := f.Line+max(f.Lines, 1)-1, 0
			for _, b := range blocks {
				if b.from <= end && b.to >= f.Line {
					count += b.count
				}
			}
			if f.Status != report.NeverCalled && count == 0 {
				t.Fatalf("seed %d: %+v has no covered block in %+v", seed, *f, blocks)
			}
			if f.Status == report.NeverCalled && count > 0 && !shares(functions, f) {
				t.Fatalf("seed %d: %+v is covered in %+v", seed, *f, blocks)
			}
		}
	}
}

// shares reports whether a function that was or may have been called stands in the lines of
// another one.
func shares(functions []*report.Function, f *report.Function) bool {
	for _, other := range functions {
		if other.Status != report.NeverCalled && other.Line < f.Line+max(f.Lines, 1) && f.Line < other.Line+max(other.Lines, 1) {
			return true
		}
	}
	return false
}

// Whatever is selected, no function of a file is left without a block: it would be 0.0%. If
// calls count since a time, those before it do not.
func TestCoverProfileSelection(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }
	r := &report.Report{Observed: report.Observed{To: day(20)}}
	for i, f := range []report.Function{
		{File: "a.go", Status: report.NeverCalled}, {File: "a.go", Status: report.Called, LastCalledAt: day(3)}, {File: "a.go", Status: report.Called, LastCalledAt: day(15)},
		{File: "a.go", Status: report.NotObservable}, {File: "b.go", Status: report.Called, LastCalledAt: day(15)},
	} {
		f.Package, f.Module, f.Name, f.Line, f.Lines = "example.com/app", "example.com/app", fmt.Sprint("f", i), 10*i+10, 5
		r.Functions = append(r.Functions, f)
	}
	const unknown = "example.com/app/a.go:40.1,40.5 1 1\n"
	for _, tt := range []struct {
		selection report.Selection
		want      string
	}{
		{report.Selection{Statuses: []report.Status{report.NeverCalled}}, "example.com/app/a.go:10.1,14.2 5 0\nexample.com/app/a.go:20.1,24.2 5 1\nexample.com/app/a.go:30.1,34.2 5 1\n" + unknown},
		{report.Selection{NotCalledSince: day(10)}, "example.com/app/a.go:10.1,14.2 5 0\nexample.com/app/a.go:20.1,24.2 5 0\nexample.com/app/a.go:30.1,34.2 5 1\n" + unknown},
	} {
		if err := r.Select(tt.selection); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if _, err := CoverProfile(&out, r); err != nil || out.String() != "mode: set\n"+tt.want {
			t.Errorf("selection %+v gives %v and\n%s\nwant\n%s", tt.selection, err, &out, tt.want)
		}
	}
}

// Names that go tool cover cannot find, or read as something else, are counted and left out.
func TestCoverProfileHostile(t *testing.T) {
	r := hostileReport()
	for _, name := range hostileNames {
		r.Functions = append(r.Functions, report.Function{Package: "example.com/" + name, File: name + ".go", Name: name, Line: 1, Lines: 2, Status: report.Called})
	}
	var out bytes.Buffer
	note, err := CoverProfile(&out, r)
	if err != nil {
		t.Fatal(err)
	}
	profiles, err := cover.ParseProfilesFromReader(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	var names []string
	for _, p := range profiles {
		names = append(names, p.FileName)
	}
	want := []string{"example.com/+1/+1.go", "example.com/-1/-1.go", "example.com/größe/größe.go", "example.com/www.example.com/www.example.com.go", "example.com/~~~/~~~.go"}
	if !slices.Equal(names, want) {
		t.Errorf("files %q, want %q", names, want)
	}
	if want := fmt.Sprintf("%d functions are left out: go tool cover would find no source", len(r.Functions)-len(names)); note != want {
		t.Errorf("note %q, want %q", note, want)
	}
}

// go tool cover stops at the first file that it does not find. The last file of each row is
// the one whose name is asked for.
func TestProfileName(t *testing.T) {
	for _, tt := range []struct {
		pkg, module string
		files       []string
		want        string
	}{
		{"example.com/app", "example.com/app", []string{"main.go"}, "example.com/app/main.go"},
		{"example.com/app/cart", "example.com/app", []string{"cart/cart.go"}, "example.com/app/cart/cart.go"},
		// In a workspace, whose directories have any names.
		{"example.com/app", "example.com/app", []string{"app/main.go"}, "example.com/app/main.go"},
		{"example.com/app_test", "example.com/app", []string{"app/main_test.go"}, "example.com/app/main_test.go"},
		{"example.com/app/cart", "example.com/app", []string{"app/cart/cart.go"}, "example.com/app/cart/cart.go"},
		{"example.com/app/app", "example.com/app", []string{"app/app/app.go"}, "example.com/app/app/app.go"},
		{"example.com/client", "example.com/app", []string{"client/client.go"}, "example.com/client/client.go"},
		// In the directory that a //line directive names, there is no package.
		{"example.com/app", "example.com/app", []string{"main.go", "sub/main.go"}, ""},
		{"example.com/app", "example.com/app", []string{"sub/main.go", "main.go"}, "example.com/app/main.go"},
		{"example.com/app", "example.com/app", []string{"app/main.go", "app/sub/main.go"}, ""},
		{"example.com/app_test", "example.com/app", []string{"main_test.go", "sub/main_test.go"}, ""},
		{"example.com/app/cart", "example.com/app", []string{"cart/cart.go", "cart/sub/cart.go"}, ""},
		{"example.com/client", "example.com/app", []string{"client/client.go", "client/sub/client.go"}, ""},
		{"example.com/app/cart", "example.com/app", []string{"cart/sub/cart.go"}, ""},
		{"example.com/app/cart", "", []string{"example.com/app/cart/sub/cart.go"}, ""},
		// Two builds of one package, one of them in a workspace.
		{"example.com/app/cart", "example.com/app", []string{"cart/cart.go", "app/cart/cart.go"}, "example.com/app/cart/cart.go"},
		{"example.com/app/cart_test", "example.com/app", []string{"cart/cart_test.go"}, "example.com/app/cart/cart_test.go"},
		{"example.com/app/cart", "", []string{"example.com/app/cart/cart.go"}, "example.com/app/cart/cart.go"},
		{"app/größe", "app", []string{"größe/größe.go"}, "app/größe/größe.go"},
		{"example.com/app/cart", "example.com/app", []string{"cart/parse.y"}, ""},
		{"command-line-arguments", "", []string{"main.go"}, ""},
		{"main", "", []string{"main.go"}, ""},
		{"", "", []string{"main.go"}, ""},
		{"-toolexec=x", "", []string{"main.go"}, ""},
		{"./cart", "", []string{"cart.go"}, ""},
		{"/cart", "", []string{"cart.go"}, ""},
		{"example.com/...", "", []string{"cart.go"}, ""},
		{"example.com/app", "", []string{"a\n.go"}, ""},
		{"example.com/app", "", []string{"a b.go"}, ""},
		{"example.com/app", "", []string{"<script>.go"}, ""},
		{"example.com/\xff", "", []string{"a.go"}, ""},
	} {
		r := &report.Report{}
		for _, name := range tt.files {
			r.Functions = append(r.Functions, report.Function{Package: tt.pkg, Module: tt.module, File: name, Line: 1})
		}
		last := len(r.Functions) - 1
		if got := newProfileNames(r).of(&r.Functions[last]); got != tt.want {
			t.Errorf("name of %q in %q: %q, want %q", tt.files, tt.pkg, got, tt.want)
		}
		r.Functions, r.Others = r.Functions[last:], r.Functions[:last] // one is selected
		if got := newProfileNames(r).of(&r.Functions[0]); got != tt.want {
			t.Errorf("name of the last of %q in %q: %q, want %q", tt.files, tt.pkg, got, tt.want)
		}
	}
	r := &report.Report{Functions: []report.Function{{Package: "a", File: "a.go"}}}
	if got := newProfileNames(r).of(&r.Functions[0]); got != "" {
		t.Errorf("a function without a line is in %q", got)
	}
}
