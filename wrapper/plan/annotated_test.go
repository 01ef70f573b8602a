// Programs whose source says what a plan has of them.

package plan

import (
	"bufio"
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/naver/scavenger/scavenger-wrap/rewrite"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

func makePlan(t *testing.T, opts Options, r *report.Report) *Plan {
	t.Helper()
	p, err := Make(opts, r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// groups returns the group of each function of a plan, and fails if one is in two.
func groups(t *testing.T, p *Plan) map[string]string {
	got := map[string]string{}
	put := func(f *Function, group string) {
		if was, twice := got[f.name()]; twice {
			t.Errorf("%s: %s and %s", f.name(), was, group)
		}
		got[f.name()] = group
	}
	for i := range p.Unreachable {
		put(&p.Unreachable[i].Function, "unreachable")
	}
	for i := range p.Entries {
		put(&p.Entries[i].Function, "entry")
		for j := range p.Entries[i].Falls {
			put(&p.Entries[i].Falls[j], "falls")
		}
	}
	for i := range p.Shared {
		put(&p.Shared[i].Function, "shared")
	}
	for i := range p.MustStay {
		put(&p.MustStay[i].Function, "stay")
	}
	return got
}

func entryOf(t *testing.T, p *Plan, name string) *Entry {
	t.Helper()
	for i := range p.Entries {
		if p.Entries[i].Name == name {
			return &p.Entries[i]
		}
	}
	t.Fatalf("no entry %s", name)
	return nil
}

// extract writes the files of an archive to a directory.
func extract(t *testing.T, name string) string {
	t.Helper()
	archive, err := txtar.ParseFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range archive.Files {
		write(t, dir, f.Name, string(f.Data))
	}
	return dir
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// annotated returns the report that the comments of a module's functions describe, and the
// groups that they ask for.
func annotated(t *testing.T, dir string) (*report.Report, map[string]string) {
	t.Helper()
	r, want := &report.Report{Programs: []report.Program{{Main: "example.com/app"}}}, map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, filepath.Dir(path))
		if err != nil {
			return err
		}
		pkg := strings.TrimSuffix("example.com/app/"+filepath.ToSlash(rel), "/.")
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, text, parser.ParseComments)
		if err != nil {
			return err
		}
		comments := lineComments(text)
		for _, node := range file.Decls {
			fn, ok := node.(*ast.FuncDecl)
			if !ok {
				continue
			}
			know, group, _ := strings.Cut(comments[fset.PositionFor(fn.Pos(), false).Line], "=")
			f := report.Function{Package: pkg, Name: fn.Name.Name, Line: fset.Position(fn.Pos()).Line, Status: report.NeverCalled}
			if fn.Recv != nil {
				star, base := rewrite.BaseType(fn.Recv.List[0].Type)
				f.Receiver = star + base
			}
			in := Function{Package: f.Package, Receiver: f.Receiver, Name: f.Name}
			if g := strings.TrimSpace(group); g != "" {
				want[in.name()] = g
			}
			switch strings.TrimSpace(know) {
			case "unlisted":
				continue
			case "ran":
				f.Status = report.Called
			case "hidden":
				f.Status = report.NotObservable
			case "unknown":
				f.Status = report.Unknown
			case "literal ran", "literal in range ran":
				name := map[string]string{"literal ran": ".func1", "literal in range ran": "-range1.1"}[strings.TrimSpace(know)]
				r.Functions = append(r.Functions, report.Function{Package: pkg, Receiver: f.Receiver, Name: f.Name + name, Status: report.Called})
			}
			r.Functions = append(r.Functions, f)
		}
		return nil
	})
	if err != nil || len(want) == 0 {
		t.Fatalf("%d functions with a group, %v", len(want), err)
	}
	return r, want
}

// lineComments returns the last comment of each line.
func lineComments(text []byte) map[int]string {
	comments, n := map[int]string{}, 0
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		n++
		if i := strings.LastIndex(lines.Text(), " // "); i >= 0 {
			comments[n] = lines.Text()[i+4:]
		}
	}
	return comments
}
