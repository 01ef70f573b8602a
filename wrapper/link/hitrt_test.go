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
		}
		slices.Sort(exported)
		if want := []string{"Exit", "Flush", "Register", "Shutdown", "Start"}; !slices.Equal(exported, want) {
			t.Errorf("network = %v: programs have %q, want %q", !noNetwork, exported, want)
		}
	}
}
