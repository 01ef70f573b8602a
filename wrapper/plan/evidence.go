// Evidence: what the report and the directives say of the functions of the source.

package plan

import (
	"bytes"
	"go/ast"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/go/callgraph/rta"
	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/go/ssa"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// observe gives each function the status that the report has for it.
func (p *program) observe(r *report.Report) {
	ours := p.modules()
	for path := range p.inits {
		if ours.MatchString(path) {
			p.seen[path] = true
		}
	}
	for i := range r.Functions {
		f := &r.Functions[i]
		p.seen[f.Package] = true
		p.know(f)
	}
	// What an older build has and the newest lacks may be in the source again. That it
	// was called then still counts.
	for i := range r.Removed {
		if f := &r.Removed[i]; f.Status != report.NeverCalled {
			p.know(f)
		}
	}
}

// know notes the status of a function, and that a function ran one of whose literals did.
func (p *program) know(f *report.Function) {
	name, status := f.Name, f.Status
	if outer, isLiteral := report.Around(name); isLiteral {
		if status != report.Called {
			return
		}
		name = outer
	}
	for _, d := range p.byID[id{f.Package, strings.TrimPrefix(f.Receiver, "*"), name}] {
		if d.status != report.Called {
			d.status, d.presumed = status, f.Presumed
		}
		if f.Kept() && d.reason == "" {
			d.reason = f.Keep.From + " keeps it: " + f.Keep.Reason
		}
	}
}

// difference compares the functions of the report with those of the source.
func (p *program) difference(r *report.Report) Difference {
	diff := Difference{Missing: []string{}, Unobserved: p.unobserved(r)}
	others := map[string]bool{}
	for i := range r.Functions {
		f := &r.Functions[i]
		if p.inits[f.Package] == nil {
			others[f.Package] = true
			continue
		}
		if strings.Contains(f.Name, ".") {
			continue // a literal, whose name depends on the others
		}
		d := decl{id: id{f.Package, strings.TrimPrefix(f.Receiver, "*"), f.Name}, syntax: &ast.FuncDecl{}}
		if strings.HasPrefix(f.Receiver, "*") {
			d.star = "*"
		}
		switch found := p.byID[d.id]; {
		case len(found) == 0:
			diff.Missing = append(diff.Missing, d.String())
		case len(found) == 1 && p.fset.Position(found[0].syntax.Pos()).Line != f.Line:
			diff.Moved++
		}
	}
	diff.Packages = slices.Sorted(maps.Keys(others))
	if diff.Packages == nil {
		diff.Packages = []string{}
	}
	return diff
}

// spare makes unknown what programs without data may call: that others never call it says
// nothing of them. If none has data, as where tests were observed, this would be all.
func (p *program) spare(without []string) {
	if len(without) == 0 || len(without) == len(p.mains) {
		return
	}
	var roots []*ssa.Function
	for i, main := range p.mains {
		if slices.Contains(without, main) {
			roots = append(roots, p.roots[2*i], p.roots[2*i+1])
		}
	}
	for fn := range rta.Analyze(roots, false).Reachable {
		if d := p.of(fn); d != nil && d.status == report.NeverCalled {
			d.status = report.Unknown
		}
	}
}

// unobserved returns the programs of the plan that the report does not have.
func (p *program) unobserved(r *report.Report) []string {
	list := []string{}
	for _, main := range p.mains {
		// Data of the first versions do not name the main package.
		if !slices.ContainsFunc(r.Programs, func(o report.Program) bool { return o.Main == main || o.Main == "" }) {
			list = append(list, main)
		}
	}
	return list
}

// pin finds the functions that are called by other than Go code: those that assembly and
// directives name, also in a package that does not import theirs. The standard library, which
// is of no module, knows of no others.
func (p *program) pin() {
	packages.Visit(p.initial, nil, func(pkg *packages.Package) {
		if pkg.Module == nil && !p.concerns(pkg) {
			return
		}
		for _, file := range pkg.Syntax {
			p.pinDirectives(pkg, file)
		}
		for _, name := range pkg.OtherFiles {
			if ext := filepath.Ext(name); ext == ".s" || ext == ".S" {
				p.pinAssembly(pkg, name)
			}
		}
	})
}

// pinDirectives looks at the comments of a file.
func (p *program) pinDirectives(pkg *packages.Package, file *ast.File) {
	for _, group := range file.Comments {
		for _, c := range group.List {
			if !strings.HasPrefix(c.Text, "//go:") && !strings.HasPrefix(c.Text, "//export") {
				continue
			}
			words := strings.Fields(c.Text)
			if len(words) < 2 {
				continue
			}
			switch words[0] {
			case "//export":
				p.pinName(pkg.PkgPath+"."+words[1], words[0])
			case "//go:linkname":
				p.pinName(pkg.PkgPath+"."+words[1], words[0])
				if len(words) > 2 {
					p.pinName(words[2], words[0])
				}
			case "//go:wasmexport":
				for _, d := range p.decls {
					if d.syntax.Doc == group {
						d.reason = words[0] + " names it"
					}
				}
			}
		}
	}
}

// pinAssembly looks at the names in a file. One that cannot be read is left to the build.
func (p *program) pinAssembly(pkg *packages.Package, name string) {
	text, err := os.ReadFile(name)
	if err != nil {
		return
	}
	// ·local, or example·com∕app·remote
	asmName := regexp.MustCompile(`([\w.·∕/]*)·(\w+)(?:<ABIInternal>)?\(SB\)`)
	for _, m := range asmName.FindAllSubmatch(text, -1) {
		path := pkg.PkgPath
		if len(m[1]) > 0 {
			path = strings.NewReplacer("∕", "/", "·", ".").Replace(string(bytes.TrimSpace(m[1])))
		}
		p.pinName(path+"."+string(m[2]), filepath.Base(name))
	}
}

// pinName notes that something other than Go code names a function, as the linker does:
// example.com/app.F, example.com/app.T.M or example.com/app.(*T).M.
func (p *program) pinName(name, by string) {
	dot := max(0, strings.LastIndexByte(name, '.'))
	pkg, last := name[:dot], strings.TrimPrefix(name[dot:], ".")
	dot = max(0, strings.LastIndexByte(pkg, '.'))
	base := strings.Trim(pkg[dot:], ".(*)")
	for _, d := range slices.Concat(p.named(id{pkg: pkg, name: last}), p.named(id{pkg[:dot], base, last})) {
		if d.reason == "" {
			d.reason = by + " names it"
		}
	}
}

// named returns the functions that the linker knows by a name. To it each main package is
// "main", whatever its import path is, and a dot in the last part of a path is "%2e".
func (p *program) named(name id) []*decl {
	name.pkg = strings.ReplaceAll(name.pkg, "%2e", ".")
	list := slices.Clone(p.byID[name])
	if name.pkg == "main" {
		for _, main := range p.mains {
			list = append(list, p.byID[id{main, name.base, name.name}]...)
		}
	}
	return list
}
