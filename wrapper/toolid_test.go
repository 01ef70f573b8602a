package wrapper

import (
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The files that the compile action reaches and that decide nothing about what
// it compiles.
var undecided = map[string]string{
	"cacheprog.go": "an archive is taken or compiled, and is the same",
	"exec_*.go":    "how a process is replaced",
	"lock_*.go":    "who asks first",
	"log.go":       "what is logged",
	"workdir.go":   "where settings are looked for, which are in the ID themselves",
}

// Functions that Main reaches and the compile action does not go through.
var notCompile = map[string]string{
	"isCommand":      "whether it is an action at all; the go command names a tool by its path",
	"runLink":        "the link action",
	"printVersion":   "the tool ID itself",
	"runCommand":     "a command for people",
	"unknownCommand": "a command for people",
}

// compile's tool ID has every file of wrapper that its action reaches, and no
// other: whoever moves a function into another file is told here. What a
// declaration uses it reaches, and of a type each exported method, which others
// may call through an interface.
func TestCompileSources(t *testing.T) {
	p := checkWrapper(t)
	reached := p.reach("Main", notCompile)
	var listed []string
	for _, pattern := range compileSources {
		if dir, file := path.Split(pattern); dir == "wrapper/" {
			listed = append(listed, file)
		} else if file != "*.go" {
			t.Errorf("%s is not a whole package", pattern)
		}
	}
	var want []string
	for file, why := range reached {
		if stem, _, ok := strings.Cut(file, "_"); ok {
			file = stem + "_*.go" // whatever the platform
		}
		if undecided[file] == "" && !slices.Contains(listed, file) {
			t.Errorf("%s is not in compileSources: %s", file, why)
		}
		want = append(want, file)
	}
	for _, file := range listed {
		if !slices.Contains(want, file) {
			t.Errorf("%s is in compileSources, but no compile action reaches it", file)
		}
	}
	for file := range undecided {
		if !slices.Contains(want, file) || slices.Contains(listed, file) {
			t.Errorf("%s: is an exception without need", file)
		}
	}
}

// A checkedPackage is a package with its types.
type checkedPackage struct {
	fset *token.FileSet
	pkg  *types.Package
	info types.Info
	decl map[types.Object]ast.Node // of its package-level objects and methods
}

func checkWrapper(t *testing.T) *checkedPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	archives := map[string]string{}
	for line := range strings.Lines(string(out)) {
		importPath, archive, _ := strings.Cut(strings.TrimSpace(line), "=")
		archives[importPath] = archive
	}
	p := &checkedPackage{fset: token.NewFileSet(), decl: map[types.Object]ast.Node{}}
	p.info = types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	out, err = exec.Command("go", "list", "-f", "{{range .GoFiles}}{{.}}\n{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range strings.Fields(string(out)) {
		f, err := parser.ParseFile(p.fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	conf := types.Config{Importer: importer.ForCompiler(p.fset, "gc", func(importPath string) (io.ReadCloser, error) {
		if archives[importPath] == "" {
			return nil, errors.New("no archive")
		}
		return os.Open(archives[importPath])
	})}
	if p.pkg, err = conf.Check("wrapper", p.fset, files, &p.info); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		for _, d := range f.Decls {
			p.add(d)
		}
	}
	return p
}

// add notes which node declares an object.
func (p *checkedPackage) add(d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		p.decl[p.info.Defs[d.Name]] = d
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				p.decl[p.info.Defs[spec.Name]] = spec
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					p.decl[p.info.Defs[name]] = spec
				}
			}
		}
	}
}

// reach returns the files that a function reaches, without going through any of
// the functions or methods that are named, and how each is reached.
func (p *checkedPackage) reach(from string, without map[string]string) map[string]string {
	files := map[string]string{}
	seen := map[types.Object]bool{}
	var visit func(obj types.Object, by string)
	visit = func(obj types.Object, by string) {
		node := p.decl[obj]
		if f, ok := obj.(*types.Func); node == nil || seen[obj] || ok && without[f.Name()] != "" {
			return
		}
		seen[obj] = true
		file := filepath.Base(p.fset.Position(node.Pos()).Filename)
		if files[file] == "" {
			files[file] = fmt.Sprintf("%s uses %s", by, obj.Name())
		}
		ast.Inspect(node, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && p.info.Uses[id] != nil {
				used := p.info.Uses[id]
				if f, ok := used.(*types.Func); ok {
					used = f.Origin()
				}
				visit(used, obj.Name())
			}
			return true
		})
		if name, ok := obj.(*types.TypeName); ok {
			for m := range types.NewMethodSet(types.NewPointer(name.Type())).Methods() {
				if m.Obj().Exported() {
					visit(m.Obj(), obj.Name())
				}
			}
		}
	}
	visit(p.pkg.Scope().Lookup(from), "the program")
	return files
}
