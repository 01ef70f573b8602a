// The oracle of which functions ran: Go's own -cover.

package program

import (
	"cmp"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
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
	return p.CoveredIn(profile)
}

// CoveredIn is Covered for a profile, as `go test -coverprofile` writes it. If a block stands
// in it several times, once for each test binary, it ran if it did in one of them.
func (p *Program) CoveredIn(profile string) (map[Function]bool, error) {
	text, err := os.ReadFile(profile)
	if err != nil {
		return nil, err
	}
	blocks, err := parseProfile(string(text))
	if err != nil {
		return nil, err
	}
	covered := map[Function]bool{}
	for _, pkg := range packagesOf(blocks) {
		rel, ok := strings.CutPrefix(pkg+"/", p.Path+"/")
		if !ok {
			return nil, fmt.Errorf("cover profile names %s, which is not of module %s", pkg, p.Path)
		}
		files, err := filepath.Glob(filepath.Join(p.Dir, filepath.FromSlash(rel), "*.go"))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			if err := coveredInFile(covered, file, pkg, blocks); err != nil {
				return nil, err
			}
		}
	}
	return covered, nil
}

// A block is one block of a cover profile.
type block struct {
	startLine, startCol, endLine, endCol, statements, count int
}

// parseProfile returns the blocks of a cover profile by file name, sorted by
// where they start. x/tools/cover refuses the profiles of generated parsers, in
// which //line directives give several blocks one place.
func parseProfile(text string) (map[string][]block, error) {
	blocks := map[string][]block{}
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		if strings.HasPrefix(line, "mode: ") {
			continue
		}
		colon := strings.LastIndexByte(line, ':')
		var b block
		if _, err := fmt.Sscanf(line[colon+1:], "%d.%d,%d.%d %d %d", &b.startLine, &b.startCol, &b.endLine, &b.endCol, &b.statements, &b.count); err != nil || colon < 0 {
			return nil, fmt.Errorf("cover profile: unexpected line %q", line)
		}
		blocks[line[:colon]] = append(blocks[line[:colon]], b)
	}
	for _, list := range blocks {
		slices.SortFunc(list, func(a, b block) int {
			return cmp.Or(a.startLine-b.startLine, a.startCol-b.startCol, b.count-a.count)
		})
	}
	return blocks, nil
}

func packagesOf(blocks map[string][]block) []string {
	var packages []string
	for file := range blocks {
		packages = append(packages, path.Dir(file))
	}
	slices.Sort(packages)
	return slices.Compact(packages)
}

// coveredInFile looks up the functions of one source file. The profile names
// what //line directives name, so that counts here too; a file that it does not
// name was not compiled.
func coveredInFile(covered map[Function]bool, name, pkg string, blocks map[string][]block) error {
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
		begin, end := fset.Position(fn.Body.Lbrace), fset.Position(fn.Body.Rbrace)
		list, ok := blocks[path.Join(pkg, filepath.Base(begin.Filename))]
		if !ok {
			continue
		}
		id := Function{pkg, receiver(fn), fn.Name.Name}
		if id.Receiver == "" && id.Name == "init" {
			id.Name = fmt.Sprintf("init@%s:%d", filepath.Base(name), fset.Position(fn.Pos()).Line)
		}
		covered[id] = firstBlockRan(list, begin, end)
	}
	return nil
}

// firstBlockRan reports whether the first block between two positions was
// executed.
func firstBlockRan(blocks []block, begin, end token.Position) bool {
	for _, b := range blocks {
		if b.startLine < begin.Line || b.startLine == begin.Line && b.startCol < begin.Column {
			continue
		}
		return (b.startLine < end.Line || b.startLine == end.Line && b.startCol <= end.Column) && b.count > 0
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
