// The direction of imports inside the project, and what hitrt may bring into
// other people's programs.

package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/naver/scavenger/scavenger-wrap"

// allowedImports lists, by package, which packages of ours its code imports
// (tests aside). The end-to-end tests drive the built binary and import none
// of what they test.
// DO NOT CHANGE THIS DATA TO FIX BUILDS: a new edge is a decision.
var allowedImports = map[string][]string{
	"":                {"wrapper"},
	"config":          {},
	"e2e":             {},
	"e2e/bazel":       {},
	"e2e/bench":       {"e2e/collector", "e2e/program"},
	"e2e/browser":     {},
	"e2e/buildcost":   {},
	"e2e/collector":   {},
	"e2e/corpus":      {"e2e/program"},
	"e2e/demo":        {"e2e/program"},
	"e2e/examples":    {},
	"e2e/faults":      {},
	"e2e/filesystems": {},
	"e2e/gotest":      {"e2e/program"},
	"e2e/matrix":      {},
	"e2e/oracle":      {"e2e/program"},
	"e2e/program":     {},
	"hitrt":           {"hitrt/datafile"},
	"hitrt/datafile":  {},
	"rewrite":         {},
	"wrapper": {"wrapper/action", "wrapper/command", "wrapper/compile", "wrapper/link", "wrapper/plain", "wrapper/toolchain",
		"wrapper/toolid"},
	"wrapper/action": {"config", "wrapper/early", "wrapper/evidence", "wrapper/toolchain", "wrapper/toolchain/lean"},
	"wrapper/command": {"config", "hitrt", "rewrite", "wrapper/action", "wrapper/compile", "wrapper/evidence", "wrapper/link", "wrapper/output", "wrapper/output/html", "wrapper/plan",
		"wrapper/registry", "wrapper/report", "wrapper/toolchain", "wrapper/toolid"},
	"wrapper/compile":        {"config", "rewrite", "wrapper/action", "wrapper/plain", "wrapper/registry", "wrapper/toolchain"},
	"wrapper/early":          {"wrapper/toolchain/lean"},
	"wrapper/evidence":       {"config"},
	"wrapper/link":           {"config", "rewrite", "wrapper/action", "wrapper/evidence", "wrapper/plain", "wrapper/registry", "wrapper/toolchain", "wrapper/toolchain/lean", "wrapper/toolid"},
	"wrapper/output":         {"wrapper/report"},
	"wrapper/output/html":    {"wrapper/output", "wrapper/report"},
	"wrapper/plain":          {"config", "wrapper/action", "wrapper/early", "wrapper/toolchain", "wrapper/toolchain/lean"},
	"wrapper/plan":           {"rewrite", "wrapper/output", "wrapper/report"},
	"wrapper/registry":       {"rewrite", "wrapper/action", "wrapper/toolchain", "wrapper/toolchain/lean"},
	"wrapper/report":         {"hitrt/datafile"},
	"wrapper/toolchain":      {"wrapper/toolchain/lean"},
	"wrapper/toolchain/lean": {},
	"wrapper/toolchaintest":  {},
	"wrapper/toolid":         {"config", "wrapper/action", "wrapper/evidence", "wrapper/toolchain"},
}

func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-tags=browser", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen, used := map[string]bool{}, map[string]bool{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		allowed, ok := allowedImports[name]
		if !ok {
			t.Errorf("package %q is not in the list", name)
		}
		seen[name] = true
		for _, imp := range p.Imports {
			ours, ok := strings.CutPrefix(imp, module+"/")
			if ok && !slices.Contains(allowed, ours) {
				t.Errorf("%q imports %q", name, ours)
			}
			used[name+" "+ours] = ok
			if strings.HasPrefix(name, "hitrt") && !ok && strings.Contains(strings.Split(imp, "/")[0], ".") {
				t.Errorf("%s imports %s, which is not of the standard library", name, imp)
			}
			if room := strings.HasPrefix(name, "wrapper/") && name != "wrapper/report"; imp == "os/exec" && !room && name != "wrapper" && !strings.HasPrefix(name, "e2e") {
				t.Errorf("%q imports os/exec; wrapper and its rooms alone start processes", name)
			}
		}
	}
	for name, allowed := range allowedImports {
		if !seen[name] {
			t.Errorf("package %q of the list does not exist", name)
		}
		for _, ours := range allowed {
			if !used[name+" "+ours] {
				t.Errorf("%q does not import %q, which the list allows", name, ours)
			}
		}
	}
}

// hitrt leaves the start of a program alone: its packages have neither init functions nor
// variables whose values have to be computed.
func TestNothingToInitialise(t *testing.T) {
	for _, dir := range []string{"hitrt", "hitrt/datafile"} {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, decl := range file.Decls {
				fn, isFunc := decl.(*ast.FuncDecl)
				if isFunc && fn.Recv == nil && fn.Name.Name == "init" {
					t.Errorf("%v: an init function", fset.Position(fn.Pos()))
				}
				if vars, ok := decl.(*ast.GenDecl); ok && vars.Tok == token.VAR {
					for _, spec := range vars.Specs {
						for _, value := range spec.(*ast.ValueSpec).Values {
							if n := computed(value); n != nil {
								t.Errorf("%v: a variable is initialised by code", fset.Position(n.Pos()))
							}
						}
					}
				}
			}
		}
	}
}

// computed returns a part of an initialiser that the compiler cannot lay out as data, or nil.
func computed(value ast.Expr) (found ast.Node) {
	ast.Inspect(value, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.ArrayType, *ast.StructType:
			return false
		case *ast.CompositeLit:
			if _, ok := n.Type.(*ast.MapType); ok {
				found = n
			}
		case *ast.CallExpr, *ast.IndexExpr, *ast.StarExpr:
			found = n
		}
		return found == nil
	})
	return found
}

func TestComputed(t *testing.T) {
	for text, want := range map[string]bool{
		"1":                                 false,
		"[]*T{{1}, nil}":                    false,
		"func() { f(a[0]) }":                false,
		"struct{ p *int }{&b}":              false,
		"f()":                               true,
		"[]int{len(a)}":                     true,
		"map[int]int{1: 2}":                 true,
		"a[i]":                              true,
		"&T{*p}":                            true,
		"struct{ m any }{map[int]int{}}.m":  true,
		"[]func(){func() {}, functions[0]}": true,
	} {
		value, err := parser.ParseExpr(text)
		if err != nil {
			t.Fatal(err)
		}
		if found := computed(value); (found != nil) != want {
			t.Errorf("%s: found %v, want %v", text, found, want)
		}
	}
}

// This binary has the source of every package that decides how programs come out.
func TestSources(t *testing.T) {
	for _, dir := range []string{"config", "hitrt", "rewrite", "wrapper"} {
		err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.Name() == "testdata" {
				return cmp.Or(err, fs.SkipDir)
			}
			if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil {
				return fs.SkipDir // another module
			}
			if strings.HasSuffix(name, ".go") {
				_, err = fs.Stat(sources, filepath.ToSlash(name))
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}
