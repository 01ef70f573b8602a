package rewrite

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// FuzzPackage checks the invariants for every file that parses.
func FuzzPackage(f *testing.F) {
	for _, g := range goldens(f) {
		for _, source := range g.sources {
			f.Add(source.Text, g.opts.Sanitizer, g.opts.Free)
		}
	}
	// Small packages that contain much of the syntax.
	for _, root := range []string{"go/constant", "iter", "sync/atomic", "container", "errors", "unicode/utf8"} {
		for _, sources := range stdPackages(f, root) {
			for _, source := range sources {
				f.Add(source.Text, false, true)
			}
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, sanitizer, free bool) {
		checkText(t, text, sanitizer, free)
	})
}

// FuzzFragments puts files together from pieces, because most changes that a fuzzer makes
// to Go source do not parse.
func FuzzFragments(f *testing.F) {
	fragments := []string{
		"func f() {", "func (T) f() {", "func _() {", "func init() {", "func g()", "}", "{", "\n", "\n", ";", " ", "\t",
		"f()", "return", "x := 1", "x := f", "var x int", "var x = f()", "const x = 1", "type x int", "_ = x", "goto l", "l:", "k:",
		"for {", "if true {", "switch {", "case true:", "default:", "func() {", "}()", "panic(1)", "/* c */", "// c\n", "/* c\n */",
		"\n//line a.y:1\n", "\n//line a.y:10:20\n", "\n//line :5:1\n", "\n//line :5\n", "/*line b.y:7*/", "/*line b.y:7:8*/", "/*line :3:4*/",
		"\n//go:nosplit\n", "//go:nosplit", "\n//line /abs/c.y:2:2\n", "`\n//line d.y:1\n`", "\r\n", "\uFEFF", "/*x*/", "é",
		strings.Repeat(" ", 100), strings.Repeat("f();", 50), "/*line b.y:1073741824:1*/", "}\n\nfunc f() {\n", "}\n\nfunc f() {", ";func init()\n",
	}
	for i := range fragments {
		f.Add([]byte{0, byte(i), 12, 5}, true)
		f.Add([]byte{byte(i), 0, 7, 12, 9, byte(i), 7, 5}, false)
	}
	f.Fuzz(func(t *testing.T, indexes []byte, header bool) {
		if len(indexes) > 500 {
			t.Skip("on a busy machine the checks would take the 10 s that a fuzzer takes for a hang")
		}
		text := []byte("package p;")
		for _, i := range indexes {
			text = append(text, fragments[int(i)%len(fragments)]...)
		}
		if header {
			text = append([]byte("//line /src/p/original.go:1:1\n"), text...)
		}
		checkText(t, text, len(indexes)%2 == 0, len(indexes)%4 < 2)
	})
}

func checkText(t *testing.T, text []byte, sanitizer, free bool) {
	t.Helper()
	sources := []Source{{"/src/p/fuzz.go", text}}
	opts := Options{ImportPath: testPath, Dir: "p", Sanitizer: sanitizer, Free: free, Columns: len(text)%2 == 0}
	if _, err := markPackage(opts, sources); err != nil { // a panic shows where a bug is
		if _, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution); err == nil {
			t.Errorf("markPackage: %v", err)
		}
		return
	}
	static := opts
	static.Inlined, static.Main = true, true
	checkOptions(t, static, sources)
	res := checkOptions(t, opts, sources)
	if !typesQuickly(text) {
		return
	}
	checkTypes(t, sources, res)
	opts.Closures = closuresForTests
	checkTypes(t, sources, checkOptions(t, opts, sources))
	static.Closures = closuresForTests // function literals make findStatics look at more
	checkOptions(t, static, sources)
}

// checkOptions marks a package that can be marked and checks the result.
func checkOptions(t *testing.T, opts Options, sources []Source) *Result {
	t.Helper()
	p, err := markPackage(opts, sources)
	if err != nil {
		t.Fatal(err)
	}
	checkResult(t, opts, sources, p.result)
	return p.result
}

// typesQuickly reports whether the file has no imports that would have to be type-checked
// first.
func typesQuickly(text []byte) bool {
	f, err := parser.ParseFile(token.NewFileSet(), "", text, parser.ImportsOnly)
	if err != nil {
		return true // not type-checked at all
	}
	for _, spec := range f.Imports {
		if spec.Path.Value != `"unsafe"` && spec.Path.Value != `"C"` {
			return false
		}
	}
	return true
}
