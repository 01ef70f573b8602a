// Loading: the program as deadcode sees it, and its functions.

package plan

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/go/callgraph/rta"
	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/go/ssa"

	"github.com/naver/scavenger/scavenger-wrap/rewrite"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// A program is the source of one or several main packages, with what they import.
type program struct {
	dir       string
	fset      *token.FileSet
	ssa       *ssa.Program
	initial   []*packages.Package
	mains     []string
	roots     []*ssa.Function // init and main of each
	reachable map[*ssa.Function]struct{ AddrTaken bool }

	decls []*decl // of all packages
	byFn  map[*ssa.Function]*decl
	byID  map[id][]*decl // several only if they are named _ or init
	inits map[string]*decl
	seen  map[string]bool // packages that the report or the module has

	mentions   map[*types.TypeName][]mention
	assertions map[*types.TypeName][]assertion
}

// An id is what makes a function of the source one of the report.
type id struct{ pkg, base, name string }

// A decl is a function that is declared in the source, or the initialiser of a package,
// which has no syntax.
type decl struct {
	id
	star   string // "*" if the receiver has one
	syntax *ast.FuncDecl
	fn     *ssa.Function
	lines  int
	status report.Status

	presumed string // the evidence by which it counts as called
	dead     bool   // deadcode prints it, if that looks at its package
	live     bool   // a path leads to it, or it may be called from where none is seen
	made     bool   // no path leads to it, but its file is generated, and has it again

	refs []*ref // to it
	out  []*ref // from it

	group   group
	weak    bool    // only reflection leads to it, where its type becomes an interface
	owners  []*decl // the entries that a falling one falls with
	reason  string  // why it must stay
	because *ref
}

// String is the name that the runtime has for it.
func (d *decl) String() string {
	switch {
	case d.syntax == nil:
		return d.pkg + ".init"
	case d.base == "":
		return d.pkg + "." + d.name
	case d.star != "":
		return d.pkg + ".(*" + d.base + ")." + d.name
	}
	return d.pkg + "." + d.base + "." + d.name
}

// load loads the packages. It builds the program that deadcode builds.
func load(opts Options, dir string) (*program, error) {
	// ssautil would make this shorter, but the initialisers of go/loader, which it imports,
	// run at each start of scavenger-wrap as a tool.
	cfg := &packages.Config{Mode: packages.LoadAllSyntax | packages.NeedModule, Dir: dir}
	if opts.Tags != "" {
		cfg.BuildFlags = []string{"-tags=" + opts.Tags}
	}
	initial, err := packages.Load(cfg, opts.Patterns...)
	if err != nil {
		return nil, err
	}
	if len(initial) == 0 {
		return nil, fmt.Errorf("no package matches %s", strings.Join(opts.Patterns, " "))
	}
	if err := cmp.Or(argumentError(initial), packageErrors(initial)); err != nil {
		return nil, err
	}
	p := &program{
		dir: dir, fset: initial[0].Fset, initial: initial,
		byFn: map[*ssa.Function]*decl{}, byID: map[id][]*decl{}, inits: map[string]*decl{}, seen: map[string]bool{},
		mentions: map[*types.TypeName][]mention{}, assertions: map[*types.TypeName][]assertion{},
	}
	p.ssa = ssa.NewProgram(p.fset, ssa.InstantiateGenerics)
	packages.Visit(initial, nil, func(pkg *packages.Package) {
		if pkg.Types != nil && !pkg.IllTyped {
			p.ssa.CreatePackage(pkg.Types, pkg.Syntax, pkg.TypesInfo, true)
		}
	})
	p.ssa.Build()
	for _, pkg := range initial {
		s := p.ssa.Package(pkg.Types)
		if s != nil && pkg.Name == "main" && s.Func("main") != nil {
			p.mains = append(p.mains, pkg.PkgPath)
			p.roots = append(p.roots, s.Func("init"), s.Func("main"))
		}
	}
	if p.roots == nil {
		return nil, errors.New("no main package among those named: what of a library is called is up to its users")
	}
	packages.Visit(initial, nil, p.addPackage)
	p.reachable = rta.Analyze(p.roots, false).Reachable
	p.findDead()
	return p, nil
}

// argumentError returns the error about an argument by which the go command found nothing.
// It may be a directory with data that is spelled wrong.
func argumentError(initial []*packages.Package) error {
	for _, pkg := range initial {
		if len(pkg.Errors) > 0 && pkg.Errors[0].Kind == packages.ListError && len(pkg.GoFiles) == 0 {
			return fmt.Errorf("%q is neither a directory with data nor a package: %s", pkg.PkgPath, pkg.Errors[0].Msg)
		}
	}
	return nil
}

// packageErrors returns what is wrong with the packages, as far as it fits.
func packageErrors(initial []*packages.Package) error {
	const most = 5
	var list []error
	packages.Visit(initial, nil, func(pkg *packages.Package) {
		for _, err := range pkg.Errors {
			if err.Pos == "" || err.Pos == "-" { // it would be printed as "-: "
				list = append(list, errors.New(err.Msg))
			} else {
				list = append(list, err)
			}
		}
	})
	if n := len(list) - most; n > 0 {
		list = append(list[:most], fmt.Errorf("and %d more", n))
	}
	return errors.Join(list...)
}

// addPackage adds the functions of a package.
func (p *program) addPackage(pkg *packages.Package) {
	s := p.ssa.Package(pkg.Types)
	if s == nil {
		return
	}
	in := &decl{id: id{pkg: pkg.PkgPath}, fn: s.Func("init"), status: report.Called, live: true}
	p.inits[pkg.PkgPath], p.byFn[in.fn] = in, in
	for _, file := range pkg.Syntax {
		for _, node := range file.Decls {
			syntax, ok := node.(*ast.FuncDecl)
			if !ok {
				continue
			}
			obj, ok := pkg.TypesInfo.Defs[syntax.Name].(*types.Func)
			if !ok {
				continue
			}
			d := &decl{syntax: syntax, fn: p.ssa.FuncValue(obj), status: NotListed, lines: p.lines(syntax)}
			d.id = id{pkg: pkg.PkgPath, name: syntax.Name.Name}
			if syntax.Recv.NumFields() > 0 {
				d.star, d.base = rewrite.BaseType(syntax.Recv.List[0].Type)
			}
			if d.base == "" && d.name == "init" {
				d.status = report.Called // as soon as the program starts
			}
			p.decls = append(p.decls, d)
			p.byFn[d.fn] = d
			p.byID[d.id] = append(p.byID[d.id], d)
		}
	}
}

// lines counts the lines of the file, whatever //line directives say.
func (p *program) lines(fn *ast.FuncDecl) int {
	return p.fset.PositionFor(fn.End(), false).Line - p.fset.PositionFor(fn.Pos(), false).Line + 1
}

// position is where something stands, relative to the working directory if it is below.
func (p *program) position(pos token.Pos) token.Position {
	at := p.fset.Position(pos)
	if rel, err := filepath.Rel(p.dir, at.Filename); err == nil && !strings.HasPrefix(rel, "..") {
		at.Filename = rel
	}
	return at
}

// of returns the declared function that a function of the program belongs to: of a literal
// the one around it, of an instance the generic one, of a wrapper the method. It returns
// nil if there is none.
func (p *program) of(fn *ssa.Function) *decl {
	for fn.Parent() != nil {
		fn = fn.Parent()
	}
	if origin := fn.Origin(); origin != nil {
		fn = origin
	}
	if d := p.byFn[fn]; d != nil {
		return d
	}
	if obj, ok := fn.Object().(*types.Func); ok {
		return p.declOf(obj)
	}
	return nil
}

// declOf returns the declaration of a function, nil for a method of an interface.
func (p *program) declOf(obj *types.Func) *decl {
	if fn := p.ssa.FuncValue(obj.Origin()); fn != nil {
		return p.byFn[fn]
	}
	return nil
}

// findDead decides which functions deadcode prints: it compares positions, and passes over
// generated files and marker methods.
func (p *program) findDead() {
	positions := map[token.Position]bool{}
	for fn := range p.reachable {
		if d := p.of(fn); d != nil {
			d.live = true
		}
		if fn.Pos().IsValid() || fn.Name() == "init" {
			positions[p.fset.Position(fn.Pos())] = true
		}
	}
	generated, interfaces := map[string]bool{}, map[string][]*types.Interface{}
	packages.Visit(p.initial, nil, func(pkg *packages.Package) {
		for _, file := range pkg.Syntax {
			if ast.IsGenerated(file) {
				generated[p.fset.File(file.Pos()).Name()] = true
			}
		}
		interfaces[pkg.PkgPath] = namedInterfaces(pkg.Types)
	})
	for _, d := range p.decls {
		pos := p.fset.Position(d.fn.Pos())
		if positions[pos] {
			continue
		}
		positions[pos] = true
		d.made = generated[pos.Filename]
		d.dead = !d.made && !isMarker(d, interfaces[d.pkg])
	}
}

// modules matches the packages of the modules that were named.
func (p *program) modules() *regexp.Regexp {
	paths := map[string]bool{}
	for _, pkg := range p.initial {
		if pkg.Module != nil && pkg.Module.Path != "" {
			paths[regexp.QuoteMeta(pkg.Module.Path)] = true
		}
	}
	if len(paths) == 0 {
		return regexp.MustCompile("")
	}
	return regexp.MustCompile("^(" + strings.Join(slices.Sorted(maps.Keys(paths)), "|") + `)\b`)
}

func namedInterfaces(pkg *types.Package) (list []*types.Interface) {
	for _, name := range pkg.Scope().Names() {
		if t, ok := pkg.Scope().Lookup(name).(*types.TypeName); ok && types.IsInterface(t.Type()) {
			list = append(list, t.Type().Underlying().(*types.Interface))
		}
	}
	return list
}

// isMarker reports whether a function is a method without code that only makes its type
// satisfy an interface of its package.
func isMarker(d *decl, interfaces []*types.Interface) bool {
	sig := d.fn.Signature
	body := d.syntax.Body
	return sig.Recv() != nil && !ast.IsExported(d.name) && sig.Params().Len() == 0 && sig.Results().Len() == 0 &&
		body != nil && len(body.List) == 0 &&
		slices.ContainsFunc(interfaces, func(i *types.Interface) bool { return types.Implements(sig.Recv().Type(), i) })
}
