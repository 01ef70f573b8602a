// The compiler's messages and output for marked packages, compared with the originals.

package rewrite

import (
	"bytes"
	"fmt"
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

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// A compiler compiles packages, and their marked versions, in a temporary directory.
type compiler struct {
	program   string
	dir       string
	importcfg string
}

func newCompiler(t *testing.T, imports ...string) *compiler {
	t.Helper()
	c := &compiler{program: compilerFile(t), dir: t.TempDir()}
	args := []string{"list", "-export", "-deps", "-f", "{{with .Export}}packagefile {{$.ImportPath}}={{.}}{{end}}"}
	var cfg []byte
	if len(imports) > 0 {
		cmd := exec.Command("go", append(args, imports...)...)
		cmd.Dir = c.dir // outside of any module
		cmd.Stderr = os.Stderr
		var err error
		if cfg, err = cmd.Output(); err != nil {
			t.Fatal(err)
		}
	}
	c.importcfg = c.write(t, "importcfg", cfg)
	return c
}

// compilerFile returns the compiler's file: to start it by the go command takes about as
// long as to compile a small file.
func compilerFile(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "tool", "-n", "compile").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func (c *compiler) write(t *testing.T, name string, text []byte) (file string) {
	t.Helper()
	file = filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

// compile returns the output of the compiler. args are files, and flags in front of them.
func (c *compiler) compile(t *testing.T, args []string, flags ...string) (output string, err error) {
	t.Helper()
	first := []string{"-p", testPath, "-importcfg", c.importcfg, "-o", filepath.Join(c.dir, "p.a")}
	out, err := exec.Command(c.program, slices.Concat(first, flags, args)...).CombinedOutput()
	return string(out), err
}

// both writes the original and the marked version of a package. It returns the arguments
// of compile for each.
func (c *compiler) both(t *testing.T, opts Options, files map[string]string) (plain, marked []string) {
	t.Helper()
	var sources []Source
	for name, text := range files {
		file := c.write(t, filepath.Join("plain", name), []byte(text))
		sources = append(sources, Source{file, []byte(text)})
	}
	slices.SortFunc(sources, func(a, b Source) int { return strings.Compare(a.Name, b.Name) })
	res, err := Package(opts, sources)
	if err != nil {
		t.Fatal(err)
	}
	if res.CoverageCfg != nil {
		marked = append(marked, "-coveragecfg="+c.write(t, "marked/coveragecfg", res.CoverageCfg))
	}
	if res.Declarations != nil {
		marked = append(marked, c.write(t, filepath.Join("marked", declarationsName), res.Declarations))
	}
	for i, source := range sources {
		plain = append(plain, source.Name)
		if text := res.Files[i]; text != nil {
			source.Name = c.write(t, filepath.Join("marked", filepath.Base(source.Name)), text)
		}
		marked = append(marked, source.Name)
	}
	return plain, marked
}

var plainOptions = Options{ImportPath: testPath, Dir: "p", Columns: true}

// forms returns options for each form of a mark.
func forms() []Options {
	var list []Options
	for i := range 4 {
		opts := plainOptions
		opts.Sanitizer, opts.Free = i&1 != 0, i&2 != 0
		list = append(list, opts)
	}
	return list
}

// withoutDirectives matches a position that the compiler adds to another one.
var withoutDirectives = regexp.MustCompile(`\[/\S*/x\.go:\d+:\d+\]`)

// compareMessages compares messages of the compiler, except for the differences that
// mark.go names.
func compareMessages(t *testing.T, got, want string) {
	t.Helper()
	fold := func(s string) string {
		lines := strings.SplitAfter(withoutDirectives.ReplaceAllString(s, ""), "\n")
		slices.Sort(lines)
		return strings.Join(lines, "")
	}
	if got, want := fold(got), fold(want); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestCompileErrors compares the compiler's messages about wrong programs.
func TestCompileErrors(t *testing.T) {
	wide := strings.Repeat("x, ", 60) + "x"
	for name, text := range map[string]string{
		"one line":         "package p\nfunc f() int { return \"a\" }\n",
		"two on a line":    "package p\nfunc f() { a() }; func g() { b() }\n",
		"missing return":   "package p\nfunc f() int { }\n",
		"empty body":       "package p\nfunc f() int {\n\t}\n",
		"unused variable":  "package p\nfunc f() { x := 1 }\n",
		"unused label":     "package p\nfunc f() {\nx:\n}\n",
		"unused import":    "package p\nimport \"unsafe\"\nfunc f() { }\n",
		"goto over":        "package p\nfunc f() { goto l; x := 1; _ = x; l: }\n",
		"misplaced":        "package p\nfunc f() {\n\t//go:noinline\n\tf()\n}\n",
		"redeclared":       "package p\nfunc f() {}\nfunc f() { f() }\n",
		"not a function":   "package p\nfunc f() { 1() }\nvar x int = \"s\"\n",
		"first line":       "package p; func f() { a() }\n",
		"byte order mark":  "\uFEFFpackage p; func f() { a() }; var x int = \"\"\n",
		"no column":        "package p\n//line a.y:10\nfunc f() { a(); b() }\nfunc g() {\n\ta()\n}\nvar x int = \"\"\n",
		"column":           "package p\n//line a.y:10:20\nfunc f() { a(); b() }\nfunc g() {\n\ta()\n}\n",
		"inline":           "package p\nfunc f() { /*line a.y:10:3*/a(); /*line :7:7*/ b() }\nfunc g() { c() }\n",
		"inline no column": "package p\nfunc f() { /*line a.y:10*/a(); /*line b.y:7:7*/ b() }\nfunc g() { c() }\n",
		"before statement": "package p\nfunc f() {\n//line a.y:10:3\n\ta(); b()\n//line b.y:20\n\tc()\n}\n",
		"leading":          "//line a.go:1:1\npackage p\nfunc f() { a() }\n",
		"leading empty":    "//line :10:1\npackage p\nfunc f() { a() }\n",
		"leading unnamed":  "//line :10\npackage p\nfunc f() { a() }\n",
		"relative":         "package p\n//line ./x/../a.y:10:1\nfunc f() { a() }\n",
		"last line":        "package p\n//line a.y:1073741824:1\nfunc f() { a() }\n",
		"declarations":     "package p\nfunc f() { const a = b; c() }\nfunc g() {\n\tvar a int\n\tc()\n}\n",
		"label":            "package p\nfunc f() {\nl:\n\ta(); for { break l; continue m }\n}\n",
		"switch":           "package p\nfunc f() {\n\tswitch { case a:\n\tcase b: }\n}\n",
		"carriage return":  "package p\r\nfunc f() {\r\n\ta(); b()\r\n}\r\n//line x.y:1\r\nfunc g() { a() }\r\n",
		"non-ASCII":        "package p\nfunc 世界() { \"世界\"(); 世 }\n",
		"wide":             "package p\nfunc f() {\n\t_ = []int{" + wide + "}\n}\n",
		"wide comment":     "package p\nfunc f() { /* " + wide + " */\n\ta() /* " + wide + wide + " */; b()\n}\n",
		"wide one line":    "package p\nfunc f() { _ = []int{" + wide[:120] + "} }\n",
		"wide no column":   "package p\n//line x.y:1\nfunc f() {\n\t_ = []int{" + wide + "}\n}\n",
		"wide directive":   "package p\n//line x.y:5:9\nfunc f() {\n\t_ = []int{" + wide + "}\n}\n",
		"wide after decl":  "package p\nfunc f() { const c = d\n\t_ = []int{" + wide + "}\n}\n",
		"wide label":       "package p\nfunc f() {\nx:\n\t_ = []int{" + wide + "}\n}\n",
	} {
		t.Run(name, func(t *testing.T) {
			c, want := newCompiler(t), ""
			for i, opts := range forms() {
				plain, marked := c.both(t, opts, map[string]string{"x.go": text})
				if i == 0 {
					var err error
					if want, err = c.compile(t, plain, "-e"); err == nil {
						t.Fatal("the original compiles")
					}
				}
				got, _ := c.compile(t, marked, "-e")
				compareMessages(t, got, want)
			}
		})
	}
}

// TestCompileErrorsRandom does the same for files that are put together from pieces at
// random.
func TestCompileErrorsRandom(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles many files")
	}
	compileErrorsRandom(t, 40)
}

// TestHeavyCompileErrorsRandom does so for more of them.
func TestHeavyCompileErrorsRandom(t *testing.T) {
	program.Heavy(t)
	compileErrorsRandom(t, 400)
}

func compileErrorsRandom(t *testing.T, files int) {
	t.Helper()
	pieces := []string{
		"u%d()", "u%d(); v%d()", "return u%d", "x := 1", "x := u%d", "var x int", "var x = u%d()", "const c = 1", "const c = u%d",
		"type t int", "_ = u%d", "goto l", "l:", "k:", "for u%d { }", "if u%d { }", "switch { case u%d: }", "switch {\ncase u%d: }",
		"{ u%d() }", "func() { u%d() }()", "/* c */", "// c\n", "/* c\n */", "\n", "\n", ";", " ", "\t", "\r\n", "é%d()",
		"\n//line a.y:1\n", "\n//line a.y:10:20\n", "\n//line :5:1\n", "\n//line :5\n", "\n//line /abs/c.y:2:2\n",
		"/*line b.y:7*/", "/*line b.y:7:8*/", "/*line :3:4*/", "`\n//line d.y:1\n`", "\n" + strings.Repeat("w%d();", 30) + "\n",
	}
	r := rand.New(rand.NewPCG(1, 2))
	c := newCompiler(t)
	names := 0
	for compiled := 0; compiled < files; {
		text := "package p\n"
		for i := range 1 + r.IntN(3) {
			text += fmt.Sprintf("func f%d() {", i)
			for range r.IntN(7) {
				piece := pieces[r.IntN(len(pieces))]
				for ; strings.Contains(piece, "%d"); names++ {
					piece = strings.Replace(piece, "%d", fmt.Sprint(names), 1)
				}
				text += piece + []string{"", ";"}[r.IntN(2)]
			}
			text += "}\n"
		}
		if _, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution); err != nil {
			continue
		}
		compiled++
		opts := forms()[compiled%4]
		plain, marked := c.both(t, opts, map[string]string{"x.go": text})
		want, _ := c.compile(t, plain, "-e")
		got, _ := c.compile(t, marked, "-e")
		if compareMessages(t, got, want); t.Failed() {
			t.Fatalf("of\n%s", text)
		}
	}
}

// TestCompileGoldens compiles the goldens that type-check, and compares the lines of each
// function's instructions.
func TestCompileGoldens(t *testing.T) {
	c := newCompiler(t, "embed", "errors", "strings")
	embed := fmt.Sprintf(`{"Patterns": {"x.go": ["x.go"], "*.go": ["x.go"]}, "Files": {"x.go": %q}}`, c.importcfg)
	flags := []string{"-embedcfg", c.write(t, "embedcfg", []byte(embed)), "-S", "-N", "-l"}
	for _, g := range goldens(t) {
		if g.untyped {
			continue
		}
		g.opts.Inlined = false // which is what -l says
		name := filepath.Base(g.file)
		files := make(map[string]string)
		for _, source := range g.sources {
			files[filepath.Base(source.Name)] = string(source.Text)
		}
		if err := os.RemoveAll(filepath.Join(c.dir, "plain")); err != nil {
			t.Fatal(err)
		}
		plain, marked := c.both(t, g.opts, files)
		want, err := c.compile(t, plain, flags...)
		if err != nil {
			t.Errorf("%s: %v\n%.500s", name, err, want)
			continue
		}
		got, err := c.compile(t, marked, flags...)
		if err != nil {
			t.Errorf("%s: marked: %v\n%.500s", name, err, got)
			continue
		}
		marks, original := instructionLines(got), instructionLines(want)
		if gained, lost := shortLines(missing(marks, original)), missing(original, marks); gained != g.gained || lost != "" {
			t.Errorf("%s: lines gained: %q, want %q; lines lost:\n%s", name, gained, g.gained, lost)
		}
	}
}

var instruction = regexp.MustCompile(`(?m)^(?:(\S+) STEXT|\t0x[0-9a-f]+ \d+ \(([^)[]*)\S*\)\t(?:([A-Z]+)))`)

// instructionLines returns each function with the lines that it has code of, from the
// output of compile -S. It leaves out functions with endless loops. For those the
// compiler makes up a line, the first of the file, where a marked file has its header.
func instructionLines(assembly string) []string {
	var lines []string
	function := ""
	endless := make(map[string]bool)
	for _, m := range instruction.FindAllStringSubmatch(assembly, -1) {
		switch {
		case m[1] != "":
			function = m[1]
		case m[3] == "TEXT" || m[3] == "FUNCDATA" || m[3] == "PCDATA" || strings.Contains(function, "_scavenger_"):
		case function == "runtime/coverage.initHook" || strings.HasSuffix(function, ".init") && m[2] == "<autogenerated>:1":
			// These belong to free marks. Nobody calls the empty init.
		case m[2] == "<unknown line number>": // Go 1.24 has such
		case strings.HasSuffix(m[2], ".go:0") || strings.HasSuffix(m[2], ".go:1"):
			endless[function] = true
		default:
			lines = append(lines, function+" "+m[2])
		}
	}
	lines = slices.DeleteFunc(lines, func(line string) bool {
		function, _, _ := strings.Cut(line, " ")
		return endless[function]
	})
	slices.Sort(lines)
	return slices.Compact(lines)
}

// shortLines returns lines of instructionLines without the import path and the directory,
// separated by ", ".
func shortLines(lines string) string {
	var short []string
	for line := range strings.Lines(lines) {
		function, position, _ := strings.Cut(strings.TrimSpace(line), " ")
		short = append(short, strings.TrimPrefix(function, testPath+".")+" "+filepath.Base(position))
	}
	return strings.Join(short, ", ")
}

// missing returns the elements of list that are not in other.
func missing(list, other []string) string {
	var b strings.Builder
	for _, s := range list {
		if _, ok := slices.BinarySearch(other, s); !ok {
			fmt.Fprintln(&b, s)
		}
	}
	return b.String()
}

// TestOldLanguage compiles with the oldest version of the language that go.mod files ask
// for in practice.
func TestOldLanguage(t *testing.T) {
	c := newCompiler(t)
	for _, opts := range forms() {
		_, marked := c.both(t, opts, map[string]string{"x.go": "package p\nfunc f(n int) int { return n }\n"})
		flags := []string{"-complete", "-lang=go1.1"}
		if opts.Sanitizer {
			flags = append(flags, "-race")
		}
		if out, err := c.compile(t, marked, flags...); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// TestArchivePaths checks that the archive does not contain the names of the marked
// files, if the compiler gets the -trimpath of the go command.
func TestArchivePaths(t *testing.T) {
	c := newCompiler(t)
	_, marked := c.both(t, plainOptions, map[string]string{"x.go": "package p\nfunc F(n int) int { return n }\n"})
	if out, err := c.compile(t, marked, "-trimpath", filepath.Join(c.dir, "plain")+"=>example.com/p;"+c.dir+"=>"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	archive, err := os.ReadFile(filepath.Join(c.dir, "p.a"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(archive, []byte(c.dir)) {
		t.Error("archive contains the temporary directory")
	}
	if !bytes.Contains(archive, []byte("example.com/p/x.go")) {
		t.Error("archive does not contain the original name")
	}
}
