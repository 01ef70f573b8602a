package rewrite

import (
	"bytes"
	"flag"
	"fmt"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the goldens")

const testPath = "example.com/p"

// A golden is one case of testdata. Its comment says what it shows; lines of the form
// "option: value" may follow.
//
//	x.go           an input file, any number of them
//	want/x.go      its marked text; absent if it is left as it is
//	want.decl      the generated file; absent if there are no marks
//	want.cfg       the file for -coveragecfg; absent if there is none
//	want.entries   one line per function
type golden struct {
	file    string
	archive *txtar.Archive
	opts    Options
	sources []Source
	untyped bool // the input does not type-check

	// gained are the lines that have code only because of marks, where mark.go says that
	// this cannot be helped: "function file:line", separated by ", ".
	gained string
}

func readGolden(t testing.TB, file string) *golden {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	g := &golden{file: file, archive: archive, opts: Options{ImportPath: testPath, Dir: "p", Columns: true}}
	for line := range strings.SplitSeq(string(archive.Comment), "\n") {
		switch key, value, _ := strings.Cut(line, ": "); key {
		case "dir":
			g.opts.Dir = value
		case "closures":
			g.opts.Closures = closuresForTests
		case "sanitizer":
			g.opts.Sanitizer = true
		case "columns":
			g.opts.Columns = value == "true"
		case "inlined":
			g.opts.Inlined = true
		case "free":
			g.opts.Free = true
		case "counters":
			g.opts.CounterPrefix = value
		case "main":
			g.opts.Main = true
		case "presumed":
			g.opts.Presumed = func(base, name string) bool {
				return slices.Contains(strings.Split(value, ", "), strings.TrimPrefix(base+"."+name, "."))
			}
		case "untyped":
			g.untyped = true
		case "gained lines":
			g.gained = value
		}
	}
	for _, f := range archive.Files {
		if !strings.HasPrefix(f.Name, "want") {
			g.sources = append(g.sources, Source{Name: "/src/p/" + f.Name, Text: f.Data})
		}
	}
	if len(g.sources) == 0 {
		t.Fatalf("%s: no input file", file)
	}
	return g
}

func goldens(t testing.TB) []*golden {
	t.Helper()
	dir, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	var all []*golden
	for _, entry := range dir {
		switch filepath.Ext(entry.Name()) {
		case ".txtar":
			all = append(all, readGolden(t, filepath.Join("testdata", entry.Name())))
		default:
			// The fuzzer keeps its findings in a directory. Anything else would be a
			// golden that is never run.
			if !entry.IsDir() || entry.Name() != "fuzz" {
				t.Errorf("testdata/%s is not a golden", entry.Name())
			}
		}
	}
	if len(all) == 0 {
		t.Fatal("no goldens")
	}
	return all
}

func TestGoldens(t *testing.T) {
	for _, g := range goldens(t) {
		t.Run(strings.TrimSuffix(filepath.Base(g.file), ".txtar"), func(t *testing.T) {
			res, err := Package(g.opts, g.sources)
			if err != nil {
				t.Fatal(err)
			}
			checkResult(t, g.opts, g.sources, res)
			if typed := checkTypes(t, g.sources, res); typed == g.untyped {
				t.Errorf("input type-checks: %v", typed)
			}
			got := &txtar.Archive{Comment: g.archive.Comment}
			for i, source := range g.sources {
				name := strings.TrimPrefix(source.Name, "/src/p/")
				got.Files = append(got.Files, txtar.File{Name: name, Data: source.Text})
				if res.Files[i] != nil {
					got.Files = append(got.Files, txtar.File{Name: "want/" + name, Data: res.Files[i]})
				}
			}
			if res.Declarations != nil {
				got.Files = append(got.Files, txtar.File{Name: "want.decl", Data: res.Declarations})
			}
			if res.CoverageCfg != nil {
				got.Files = append(got.Files, txtar.File{Name: "want.cfg", Data: append(res.CoverageCfg, '\n')})
			}
			got.Files = append(got.Files, txtar.File{Name: "want.entries", Data: formatEntries(res.Functions)})
			compareGolden(t, g, got)
		})
	}
}

func compareGolden(t *testing.T, g *golden, got *txtar.Archive) {
	t.Helper()
	data := txtar.Format(got)
	if *update {
		if err := os.WriteFile(g.file, data, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want := make(map[string][]byte)
	for _, f := range g.archive.Files {
		want[f.Name] = f.Data
	}
	for _, f := range got.Files {
		if w, ok := want[f.Name]; !ok {
			t.Errorf("%s: not in the golden:\n%s", f.Name, f.Data)
		} else if !bytes.Equal(f.Data, w) {
			t.Errorf("%s: got\n%s\nwant\n%s", f.Name, f.Data, w)
		}
		delete(want, f.Name)
	}
	for name := range want {
		t.Errorf("%s: in the golden only", name)
	}
}

// formatEntries returns a line per function: index or reason, position, receiver, name
// and parameters.
func formatEntries(functions []Function) []byte {
	var b bytes.Buffer
	for _, f := range functions {
		if f.Index >= 0 {
			fmt.Fprintf(&b, "%d", f.Index)
		} else {
			fmt.Fprintf(&b, "[%s]", f.Reason)
		}
		fmt.Fprintf(&b, " %s:%d+%d ", f.File, f.Line, f.Lines-1)
		if f.Receiver != "" {
			fmt.Fprintf(&b, "(%s).", f.Receiver)
		}
		fmt.Fprintf(&b, "%s(%s)", f.Name, f.Params)
		if f.Static {
			b.WriteString(" static")
		}
		if f.Presumed {
			b.WriteString(" presumed")
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

func TestPackageErrors(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"/src/x.go", "package p\nfunc f() {", "parsing /src/x.go: 2:11: expected '}', found 'EOF'"},
		{"/src/x.go", "", "parsing /src/x.go: 1:1: expected 'package', found 'EOF'"},
		{"/src/x.go", "package p\n\xff", "parsing /src/x.go: 2:1: illegal UTF-8 encoding"},
		{"/src/x_test.go", "package", "parsing /src/x_test.go: 1:8: expected 'IDENT', found 'EOF'"},
		{"/src/a\nb.go", "package p", `parsing /src/a` + "\n" + `b.go: line break in file name "/src/a\nb.go"`},
	} {
		res, err := Package(Options{ImportPath: "p"}, []Source{{test.name, []byte(test.text)}})
		if err == nil {
			t.Errorf("Package(%q) = %+v, want an error", test.text, res)
		} else if !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("Package(%q): %q, want %q", test.text, err, test.want)
		}
	}
}

type panickingImporter struct{}

func (panickingImporter) Import(string) (*types.Package, error) { panic("a bug") }

// A type checker that panics costs what it would have told, and no more.
func TestTypeCheckerPanics(t *testing.T) {
	const text = "package p\n\nimport \"fmt\"\n\nvar x = f()\n\nfunc f() string { return fmt.Sprint() }\n\nfunc g() { func() {}() }\n"
	opts := Options{ImportPath: "p", Importer: panickingImporter{}, Closures: &Closures{Release: "go1.26"}, Inlined: true}
	res, err := Package(opts, []Source{{"/src/x.go", []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Functions) != 3 || res.Files[0] == nil { // f, g and the literal in g
		t.Errorf("functions %+v", res.Functions)
	}
}

// A bug is an error, by which the package is compiled without marks. It says where the bug is.
func TestPackageBug(t *testing.T) {
	opts := Options{ImportPath: "p", Presumed: func(string, string) bool { panic("bug") }}
	res, err := Package(opts, []Source{{"/src/x.go", []byte("package p\n\nfunc F() {}\n")}})
	if res != nil || err == nil || !strings.HasPrefix(err.Error(), "internal error: bug (rewrite_test.go:") {
		t.Errorf("got %v, %v, want an internal error with its place", res, err)
	}
}

func TestNothingToMark(t *testing.T) {
	for _, text := range []string{"package p", "// Package p is empty.\npackage p\n", "package p\nfunc init() {}\nfunc _() {}\n"} {
		res, err := Package(Options{ImportPath: "p"}, []Source{{"/src/x.go", []byte(text)}})
		if err != nil {
			t.Errorf("Package(%q): %v", text, err)
			continue
		}
		if res.Files[0] != nil || res.Declarations != nil || res.Cells != 0 || len(res.Functions) != 0 {
			t.Errorf("Package(%q) = %+v, want nothing", text, res)
		}
	}
	if res, err := Package(Options{ImportPath: "p"}, nil); err != nil || res.Cells != 0 {
		t.Errorf("Package without files: %+v, %v", res, err)
	}
}

// TestMarks checks that the cells fill whole words of 8 bytes, since hitrt reads and
// clears a word at once.
func TestMarks(t *testing.T) {
	for _, test := range []struct{ functions, want int }{{1, 8}, {7, 8}, {8, 8}, {9, 16}, {300, 304}} {
		text := "package p\n" + strings.Repeat("func (T) f() {}\n", test.functions)
		res, err := Package(Options{ImportPath: "p"}, []Source{{"/src/x.go", []byte(text)}})
		if err != nil {
			t.Fatal(err)
		}
		if res.Cells != test.want {
			t.Errorf("%d functions: array of %d, want %d", test.functions, res.Cells, test.want)
		}
		if decl := fmt.Sprintf("[%d]uint8\n", test.want+2*4096); !bytes.Contains(res.Declarations, []byte(decl)) {
			t.Errorf("%d functions: no %q in\n%s", test.functions, decl, res.Declarations)
		}
	}
}

// TestSourceUnchanged checks that Package does not write to its input.
func TestSourceUnchanged(t *testing.T) {
	text := []byte("\uFEFFpackage p\nfunc f() { g() }\n")
	before := bytes.Clone(text)
	if _, err := Package(Options{ImportPath: "p"}, []Source{{"/src/x.go", text}}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, before) {
		t.Errorf("text is now %q", text)
	}
}
