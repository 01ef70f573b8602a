// How real Go programs look in Scavenger's web page.

package hitrt

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	fake "github.com/naver/scavenger/scavenger-wrap/e2e/collector"
)

var pageSource = flag.String("pageSource", "", "directory, such as a module cache, whose functions TestPage looks at instead of some of the standard library's")

// A goFunction is what a program says of a function.
type goFunction struct{ path, receiver, name, params string }

func (f goFunction) signature() string {
	return signature(declaringType(packagePart(f.path), f.receiver), f.name, f.params)
}

// TestPage: in the page of real source, each function has a node of its own, as each type
// and package has, and the labels say what Go says.
func TestPage(t *testing.T) {
	var all []goFunction
	if *pageSource != "" {
		all = functionsBelow(t, *pageSource, "")
	} else {
		goroot, err := exec.Command("go", "env", "GOROOT").Output()
		if err != nil {
			t.Fatal(err)
		}
		src := filepath.Join(strings.TrimSpace(string(goroot)), "src")
		for _, dir := range []string{"cmd/go/internal/modload", "iter", "maps", "net/http", "reflect", "slices", "sync", "text/template", "vendor/golang.org/x/net"} {
			all = append(all, functionsBelow(t, src, dir)...)
		}
	}
	if len(all) < 2000 {
		t.Fatalf("only %d functions", len(all))
	}
	checkPage(t, all)
	t.Logf("%d functions", len(all))
}

// TestPageMadeUp does so for all short paths and names of parts that could be mistaken for
// one another.
func TestPageMadeUp(t *testing.T) {
	elements := []string{"a", "com", "func", "A", "a.b", "a.com", "", "-", ".", "a.com.b", "com.com", "a.A.com", "a.func.com", "~_", "a~type", "·", "A.b"}
	var paths []string
	for _, a := range elements {
		paths = append(paths, a)
		for _, b := range elements {
			paths = append(paths, a+"/"+b)
			for _, c := range elements[:6] {
				paths = append(paths, a+"/"+b+"/"+c)
			}
		}
	}
	var all []goFunction
	for _, path := range paths {
		for _, receiver := range []string{"", "a", "A", "com", "A日", "_"} {
			all = append(all, goFunction{path, receiver, "F", ""})
		}
		all = append(all, goFunction{path, "", "F.func1", ""}, goFunction{path, "", "F-range1", ""}, goFunction{path, "", "F_range1", ""})
	}
	checkPage(t, all)
	t.Logf("%d functions", len(all))
}

// checkPage shows functions in the page and looks at what it says.
func checkPage(t *testing.T, all []goFunction) {
	t.Helper()
	bySignature := make(map[string]goFunction, len(all))
	classes := make(map[string]int) // how many functions are in each
	list := make([]fake.Function, 0, len(all))
	for _, f := range all {
		s := f.signature()
		if other, ok := bySignature[s]; ok {
			t.Errorf("%v and %v are both %q", f, other, s)
		}
		bySignature[s] = f
		classes[declaringType(packagePart(f.path), f.receiver)]++
		list = append(list, fake.Function{Signature: s, MethodName: methodName(f.name)})
	}
	nodes, err := fake.Tree(list, 0)
	if err != nil {
		t.Fatal(err)
	}
	page, err := fake.Page(nodes)
	if err != nil {
		t.Fatal(err)
	}
	if len(page) != len(nodes) {
		t.Errorf("%d of %d nodes can be opened", len(page), len(nodes))
	}
	seen, methods := make(map[string]string), 0
	for _, n := range page {
		if other, ok := seen[n.Parent+"\n"+n.Short]; ok {
			t.Errorf("%q and %q have the same label", n.Signature, other)
		}
		seen[n.Parent+"\n"+n.Short] = n.Signature
		switch want, isClass := classes[n.Signature]; {
		case n.Type == fake.MethodNode:
			methods++
			checkMethodLabel(t, n, bySignature[n.Signature])
		case n.Type == fake.ClassNode != isClass:
			t.Errorf("%q is a %s", n.Signature, n.Type)
		case isClass && n.Unused != want:
			t.Errorf("class %q has %d functions, want %d", n.Signature, n.Unused, want)
		}
	}
	if methods != len(bySignature) {
		t.Errorf("%d functions are shown, want %d", methods, len(bySignature))
	}
}

// checkMethodLabel checks that the label of a function is its name and the types of its
// parameters, but for what the page would cut at.
func checkMethodLabel(t *testing.T, n fake.PageNode, f goFunction) {
	t.Helper()
	back := strings.NewReplacer("·", ".", "…", "...", "❨", "(", "❩", ")")
	name, params, _ := strings.Cut(n.Short, "(")
	if got := back.Replace(name); got != f.name {
		t.Errorf("%q is shown as %q", f.name, n.Short)
	}
	want := strings.NewReplacer(",", ", ", "$", "_").Replace(f.params)
	if got := strings.TrimSuffix(back.Replace(params), ")"); got != want && len(n.Signature)+len(parameters(f.params)) < maxSignature {
		t.Errorf("%s(%s) is shown as %q", f.name, f.params, n.Short)
	}
	class := strings.TrimSuffix(n.Parent[strings.LastIndex(n.Parent, ".")+1:], "~type")
	if got, want := class, baseType(f.receiver); got != want && (got != "func" || want != "") {
		t.Errorf("methods of %q are below %q", f.receiver, n.Parent)
	}
}

// functionsBelow returns the functions in the files below dir of src, each once, in
// whatever files it is for different systems. A module cache has versions and upper-case
// letters in its names, which are not in import paths.
func functionsBelow(t *testing.T, src, dir string) []goFunction {
	t.Helper()
	version, upperCase := regexp.MustCompile(`@[^/]*`), regexp.MustCompile(`![a-z]`)
	seen := make(map[goFunction]bool)
	var list []goFunction
	err := filepath.WalkDir(filepath.Join(src, dir), func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		rel, err := filepath.Rel(src, filepath.Dir(name))
		if err != nil {
			return err
		}
		path := version.ReplaceAllString(filepath.ToSlash(rel), "")
		path = upperCase.ReplaceAllStringFunc(path, func(s string) string { return strings.ToUpper(s[1:]) })
		for _, f := range functionsOf(t, path, name) {
			// Versions of a module may differ in the rest.
			id := goFunction{f.path, baseType(f.receiver), f.name, ""}
			if !seen[id] {
				list = append(list, f)
			}
			seen[id] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// functionsOf returns the functions of one file, if it is Go.
func functionsOf(t *testing.T, path, name string) (list []goFunction) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.SkipObjectResolution)
	if err != nil {
		return nil
	}
	source := func(n ast.Node) string {
		return strings.Join(strings.Fields(string(text[fset.Position(n.Pos()).Offset:fset.Position(n.End()).Offset])), " ")
	}
	for _, decl := range file.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || fn.Name.Name == "_" || fn.Name.Name == "init" {
			continue
		}
		f := goFunction{path: path, name: fn.Name.Name}
		if fn.Recv.NumFields() > 0 {
			f.receiver = strings.Trim(source(fn.Recv.List[0].Type), "()")
		}
		var params []string
		for _, field := range fn.Type.Params.List {
			params = append(params, slices.Repeat([]string{source(field.Type)}, max(1, len(field.Names)))...)
		}
		f.params = strings.Join(params, ",")
		list = append(list, f)
	}
	return list
}

// docs/page.md shows names as they are.
func TestPageDocument(t *testing.T) {
	text, err := os.ReadFile("../docs/page.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `(.*?)` \\| (?:`(.*?)` )?\\| `([^(`]*)\\((.*)\\)` \\| `(.*)` \\|$").FindAllStringSubmatch(string(text), -1)
	if len(rows) != 14 {
		t.Errorf("%d rows, want 14", len(rows))
	}
	for _, row := range rows {
		f := goFunction{row[1], row[2], row[3], row[4]}
		if got := f.signature(); got != row[5] {
			t.Errorf("%v is %q, want %q", f, got, row[5])
		}
	}
}
