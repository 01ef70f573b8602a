package link

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/action"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/registry"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchaintest"
)

// hitrt is compiled into programs with what the registry calls, and without what only
// commands call: nobody should wait for the compiler because of that.
func TestHitrtOfPrograms(t *testing.T) {
	root := filepath.Join("..", "..")
	cfg := toolchain.ParseImportcfg("packagefile runtime=" + toolchaintest.CompileArchive(t, "package runtime\n"))
	for _, noNetwork := range []bool{false, true} {
		l := &linking{
			Action: &action.Action{Sources: os.DirFS(root)}, config: &config.Config{NoNetwork: noNetwork},
			cfg: cfg, main: &registry.Metadata{Main: &registry.MainMetadata{}},
		}
		p, err := l.readHitrt("hitrt")
		if err != nil {
			t.Fatal(err)
		}
		var exported []string
		names, uses := map[string][]string{}, map[string]int{} // of files; in files
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "hitrt", name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, decl := range file.Decls {
				if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.IsExported() {
					exported = append(exported, fn.Name.Name)
				}
			}
			names[name] = declared(file)
			for _, used := range identifiers(file) {
				uses[used]++
			}
		}
		slices.Sort(exported)
		if want := []string{"Exit", "Flush", "Register", "Shutdown", "Start"}; !slices.Equal(exported, want) {
			t.Errorf("network = %v: programs have %q, want %q", !noNetwork, exported, want)
		}
		for name, declared := range names {
			if !slices.ContainsFunc(declared, func(d string) bool { return uses[d] > 1 || slices.Contains(exported, d) }) {
				t.Errorf("network = %v: programs have %s, whose names %q no other file has", !noNetwork, name, declared)
			}
		}
	}
}

// declared returns the names that a file declares for others: all at its top level, and those of
// methods.
func declared(file *ast.File) (names []string) {
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			names = append(names, decl.Name.Name)
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					names = append(names, spec.Name.Name)
				case *ast.ValueSpec:
					for _, id := range spec.Names {
						names = append(names, id.Name)
					}
				}
			}
		}
	}
	return names
}

// identifiers returns each name that occurs in a file once.
func identifiers(file *ast.File) (names []string) {
	ast.Inspect(file, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Name != "_" {
			names = append(names, id.Name)
		}
		return true
	})
	slices.Sort(names)
	return slices.Compact(names)
}
