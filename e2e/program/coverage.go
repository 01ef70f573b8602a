// The oracle of which functions ran: Go's own -cover.

package program

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/tools/cover"
)

// A Function identifies a function: Receiver is its base type, without star
// and type parameters, "" for a plain function. An init function, of which a
// package may have several, has the name init@ and its place.
type Function struct {
	Package, Receiver, Name string
}

func (f Function) String() string {
	if f.Receiver == "" {
		return f.Package + "." + f.Name
	}
	return f.Package + ".(" + f.Receiver + ")." + f.Name
}

// Covered reads what a binary built with `-cover -coverpkg=./...` left in
// GOCOVERDIR and tells, for each function of the program that has a body,
// whether it was executed.
//
// `go tool covdata func` would not do: it shows 0.0 % for an empty function
// that ran.
func (p *Program) Covered(ctx context.Context, coverDir string) (map[Function]bool, error) {
	profile := filepath.Join(coverDir, "profile.txt")
	cmd := exec.CommandContext(ctx, "go", "tool", "covdata", "textfmt", "-i="+coverDir, "-o="+profile)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go tool covdata: %w\n%s", err, out)
	}
	defer os.Remove(profile)
	files, err := cover.ParseProfiles(profile)
	if err != nil {
		return nil, err
	}
	covered := map[Function]bool{}
	for _, file := range files {
		rel, ok := strings.CutPrefix(file.FileName, p.Path+"/")
		if !ok {
			return nil, fmt.Errorf("cover profile names %s, which is not of module %s", file.FileName, p.Path)
		}
		if err := coveredInFile(covered, filepath.Join(p.Dir, filepath.FromSlash(rel)), file); err != nil {
			return nil, err
		}
	}
	return covered, nil
}

func coveredInFile(covered map[Function]bool, name string, profile *cover.Profile) error {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, decl := range f.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || fn.Body == nil || fn.Name.Name == "_" {
			continue
		}
		id := Function{path.Dir(profile.FileName), receiver(fn), fn.Name.Name}
		if id.Receiver == "" && id.Name == "init" {
			id.Name = fmt.Sprintf("init@%s:%d", filepath.Base(name), fset.PositionFor(fn.Pos(), false).Line)
		}
		begin := fset.PositionFor(fn.Body.Lbrace, false)
		end := fset.PositionFor(fn.Body.Rbrace, false)
		covered[id] = covered[id] || firstBlockRan(profile.Blocks, begin, end)
	}
	return nil
}

// firstBlockRan reports whether the first cover block between two positions
// was executed. Blocks are sorted by where they start.
func firstBlockRan(blocks []cover.ProfileBlock, begin, end token.Position) bool {
	for _, b := range blocks {
		if b.StartLine < begin.Line || b.StartLine == begin.Line && b.StartCol < begin.Column {
			continue
		}
		return (b.StartLine < end.Line || b.StartLine == end.Line && b.StartCol <= end.Column) && b.Count > 0
	}
	return false
}

// receiver returns the name of the receiver's base type.
func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return ""
	}
	t := fn.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.ParenExpr:
			t = x.X
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}
