package e2e

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/tools/go/packages"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// A removal is a program without functions that a plan has.
type removal struct {
	dir     string
	mu      sync.Mutex                  // files are parsed at the same time
	removed map[string]program.Function // by place and name
	blank   map[string]bool             // places of assertions such as var _ io.Reader = file{}
}

func placeKey(file string, line int, name string) string {
	return fmt.Sprintf("%s:%d %s", file, line, name)
}

// checkRemoval type-checks the program without the functions of a plan, but those that
// must stay. All that is wrong then has to be at a site of an entry, which is what the
// plan asks to change, or an assertion, which goes with its type.
func checkRemoval(t *testing.T, dir, tags string, patterns []string, functions []plannedFunction) {
	t.Helper()
	r := &removal{dir: dir, removed: map[string]program.Function{}, blank: map[string]bool{}}
	sites := map[string]bool{}
	for i := range functions {
		f := &functions[i]
		r.removed[placeKey(f.File, f.Line, f.Name)] = f.id()
		for _, s := range f.Sites {
			sites[fmt.Sprintf("%s:%d", s.File, s.Line)] = true
		}
	}
	found := len(r.removed)
	cfg := &packages.Config{
		Mode: packages.LoadAllSyntax, Dir: dir, ParseFile: r.parse, BuildFlags: []string{"-tags=" + tags},
	}
	list, err := packages.Load(cfg, patterns...)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.removed) > 0 {
		t.Errorf("%d of %d functions are not where the plan says: %v", len(r.removed), found, r.removed)
	}
	packages.Visit(list, nil, func(pkg *packages.Package) {
		for _, err := range pkg.TypeErrors {
			pos := err.Fset.Position(err.Pos)
			at := fmt.Sprintf("%s:%d", r.rel(pos.Filename), pos.Line)
			switch {
			case err.Soft || sites[at] || r.blank[at]: // unused variables and imports are soft
			case strings.Contains(err.Msg, "invalid type") || strings.Contains(err.Msg, "imported and not used"):
			default:
				t.Errorf("%s: %s", at, err.Msg)
			}
		}
	})
}

func (r *removal) rel(file string) string {
	if rel, err := filepath.Rel(r.dir, file); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return file
}

// parse parses a file and takes the functions out of it.
func (r *removal) parse(fset *token.FileSet, name string, text []byte) (*ast.File, error) {
	file, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if file == nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var rest []ast.Decl
	for _, d := range file.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			pos := fset.Position(fn.Name.Pos())
			key := placeKey(r.rel(pos.Filename), pos.Line, fn.Name.Name)
			if _, ok := r.removed[key]; ok {
				delete(r.removed, key)
				continue
			}
		}
		if gen, ok := d.(*ast.GenDecl); ok && gen.Tok == token.VAR {
			r.noteBlank(fset, gen)
		}
		rest = append(rest, d)
	}
	file.Decls = rest
	return file, err
}

func (r *removal) noteBlank(fset *token.FileSet, gen *ast.GenDecl) {
	for _, spec := range gen.Specs {
		v := spec.(*ast.ValueSpec)
		if v.Names[0].Name == "_" && v.Type != nil {
			pos := fset.Position(v.Pos())
			r.blank[fmt.Sprintf("%s:%d", r.rel(pos.Filename), pos.Line)] = true
		}
	}
}
