// References: which function refers to which, and where.

package plan

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/packages"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// A Kind is how code refers to a function.
type Kind string

const (
	Call       Kind = "call"       // the code calls it
	Value      Kind = "value"      // the code uses it as a value
	Interface  Kind = "interface"  // a conversion to an interface needs it
	Constraint Kind = "constraint" // a type argument needs it
	Assertion  Kind = "assertion"  // a type assertion or a case of a type switch needs it
	Reflection Kind = "reflection" // its type becomes an interface without it
)

// refers reports whether the code names the function.
func (k Kind) refers() bool { return k == Call || k == Value }

// needs reports whether the code does not compile without the function.
func (k Kind) needs() bool { return k == Interface || k == Constraint || k == Assertion }

// A ref is one place that refers to a function.
type ref struct {
	from, to *decl
	kind     Kind
	pos      token.Pos
	what     string // the interface
}

func (p *program) add(r *ref) {
	r.from.out = append(r.from.out, r)
	r.to.refs = append(r.to.refs, r)
}

// refer finds what the text of the packages refers to by name. The syntax tells more than
// the calls of package ssa: each place stands in it as it was written.
func (p *program) refer() {
	packages.Visit(p.initial, nil, func(pkg *packages.Package) {
		if !p.concerns(pkg) {
			return
		}
		for _, file := range pkg.Syntax {
			for _, node := range file.Decls {
				from := p.inits[pkg.PkgPath]
				if fn, ok := node.(*ast.FuncDecl); ok {
					if from = p.declared(pkg, fn); from == nil {
						continue
					}
				}
				for _, part := range parts(node) {
					p.referIn(pkg, from, part)
				}
			}
		}
	})
	p.referAsserted()
}

// parts returns the declarations that one with parentheses consists of.
func parts(node ast.Decl) (list []ast.Node) {
	gen, ok := node.(*ast.GenDecl)
	if !ok {
		return []ast.Node{node}
	}
	for _, spec := range gen.Specs {
		list = append(list, spec)
	}
	return list
}

// concerns reports whether a package may refer to functions of the report.
func (p *program) concerns(pkg *packages.Package) bool {
	if p.inits[pkg.PkgPath] == nil {
		return false
	}
	for _, imported := range pkg.Imports {
		if p.seen[imported.PkgPath] {
			return true
		}
	}
	return p.seen[pkg.PkgPath]
}

// declared returns the decl of a declaration.
func (p *program) declared(pkg *packages.Package, fn *ast.FuncDecl) *decl {
	obj, ok := pkg.TypesInfo.Defs[fn.Name].(*types.Func)
	if !ok {
		return nil
	}
	return p.declOf(obj)
}

// referIn finds the references in one declaration.
func (p *program) referIn(pkg *packages.Package, from *decl, node ast.Node) {
	called, asserts := map[*ast.Ident]bool{}, false
	if spec, ok := node.(*ast.ValueSpec); ok {
		asserts = p.noteAssertions(pkg, spec)
	}
	ast.Inspect(node, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if name := calledName(n.Fun); name != nil {
				called[name] = true
			}
		case *ast.ValueSpec:
			if n != node {
				p.referBlank(pkg, from, n)
			}
		case *ast.TypeAssertExpr:
			p.referAssertion(pkg, from, n.X, n.Type)
		case *ast.TypeSwitchStmt:
			p.referCases(pkg, from, n)
		case *ast.Ident:
			if !asserts {
				p.noteMention(pkg, from, n)
			}
			if inst, ok := pkg.TypesInfo.Instances[n]; ok {
				p.referConstraints(from, n.Pos(), pkg.TypesInfo.Uses[n], inst.TypeArgs)
			}
			fn, ok := pkg.TypesInfo.Uses[n].(*types.Func)
			if !ok || fn.Pkg() == nil || !p.seen[fn.Pkg().Path()] {
				break
			}
			if to := p.declOf(fn); to != nil {
				kind := Value
				if called[n] {
					kind = Call
				}
				p.add(&ref{from: from, to: to, kind: kind, pos: n.Pos()})
			}
		}
		return true
	})
}

// referBlank adds what an assertion such as var _ io.Reader = file{} in a function needs.
// In package ssa nothing is left of it.
func (p *program) referBlank(pkg *packages.Package, from *decl, spec *ast.ValueSpec) {
	to := pkg.TypesInfo.TypeOf(spec.Type)
	if spec.Type == nil || to == nil {
		return
	}
	for i, name := range spec.Names {
		if name.Name == "_" && i < len(spec.Values) {
			p.referNeeds(from, spec.Values[i].Pos(), Interface, pkg.TypesInfo.TypeOf(spec.Values[i]), to, typeName(to))
		}
	}
}

// referCases adds what the cases of a type switch need.
func (p *program) referCases(pkg *packages.Package, from *decl, sw *ast.TypeSwitchStmt) {
	var switched ast.Expr
	ast.Inspect(sw.Assign, func(n ast.Node) bool {
		if a, ok := n.(*ast.TypeAssertExpr); ok && switched == nil {
			switched = a.X
		}
		return switched == nil
	})
	for _, clause := range sw.Body.List {
		for _, typ := range clause.(*ast.CaseClause).List {
			p.referAssertion(pkg, from, switched, typ)
		}
	}
}

// referAssertion adds the methods without which no value of an interface can be of a type:
// then it does not compile to ask whether one is.
func (p *program) referAssertion(pkg *packages.Package, from *decl, value, typ ast.Expr) {
	if typ == nil || named(pkg.TypesInfo.TypeOf(typ)) == nil {
		return
	}
	to := pkg.TypesInfo.TypeOf(value)
	p.referNeeds(from, typ.Pos(), Assertion, pkg.TypesInfo.TypeOf(typ), to, typeName(to))
}

// calledName returns the name of what is called.
func calledName(fun ast.Expr) *ast.Ident {
	for {
		switch f := fun.(type) {
		case *ast.ParenExpr:
			fun = f.X
		case *ast.IndexExpr:
			fun = f.X
		case *ast.IndexListExpr:
			fun = f.X
		case *ast.SelectorExpr:
			return f.Sel
		case *ast.Ident:
			return f
		default:
			return nil
		}
	}
}

// A mention is a place where code names a type.
type mention struct {
	from *decl
	pos  token.Pos
}

// An assertion is a line such as
//
//	var _ io.Reader = (*file)(nil)
//
// No code is left of it, and it goes with its type. So what it needs is needed by
// whatever names the type.
type assertion struct {
	pos     token.Pos
	typ, to types.Type
}

// noteAssertions notes the assertions in a declaration of variables. It reports whether
// there is nothing else in it.
func (p *program) noteAssertions(pkg *packages.Package, spec *ast.ValueSpec) bool {
	if spec.Type == nil || len(spec.Values) == 0 {
		return false
	}
	to := pkg.TypesInfo.TypeOf(spec.Type)
	if to == nil || !types.IsInterface(to) {
		return false
	}
	for i, name := range spec.Names {
		if name.Name != "_" || i >= len(spec.Values) || named(pkg.TypesInfo.TypeOf(spec.Values[i])) == nil {
			return false
		}
	}
	for _, value := range spec.Values {
		typ := pkg.TypesInfo.TypeOf(value)
		p.assertions[named(typ)] = append(p.assertions[named(typ)], assertion{value.Pos(), typ, to})
	}
	return true
}

// named returns the name of a type or of what it points to, nil without one.
func named(typ types.Type) *types.TypeName {
	if pointer, ok := types.Unalias(typ).(*types.Pointer); ok {
		typ = pointer.Elem()
	}
	if t, ok := types.Unalias(typ).(*types.Named); ok {
		return t.Origin().Obj()
	}
	return nil
}

// noteMention notes that code names a type. That a method of it does, which was never
// called, says nothing about the type.
func (p *program) noteMention(pkg *packages.Package, from *decl, name *ast.Ident) {
	obj, ok := pkg.TypesInfo.Uses[name].(*types.TypeName)
	if !ok {
		return
	}
	typ := named(obj.Type())
	if typ == nil || typ.Pkg() == nil || !p.seen[typ.Pkg().Path()] || from.base == typ.Name() && from.status == report.NeverCalled {
		return
	}
	for _, m := range p.mentions[typ] {
		if m.from == from {
			return
		}
	}
	p.mentions[typ] = append(p.mentions[typ], mention{from, name.Pos()})
}

// referAsserted adds what the assertions about types need.
func (p *program) referAsserted() {
	for typ, list := range p.assertions {
		for _, a := range list {
			at := p.position(a.pos)
			for _, m := range p.mentions[typ] {
				p.referNeeds(m.from, m.pos, Interface, a.typ, a.to, fmt.Sprintf("%s (see %s:%d)", typeName(a.to), at.Filename, at.Line))
			}
		}
	}
}

// referConstraints adds the methods that type arguments need.
func (p *program) referConstraints(from *decl, pos token.Pos, generic types.Object, args *types.TypeList) {
	var params *types.TypeParamList
	switch t := generic.(type) {
	case *types.Func:
		params = t.Signature().TypeParams()
	case *types.TypeName:
		if named, ok := t.Type().(*types.Named); ok {
			params = named.TypeParams()
		}
	}
	for i := range min(params.Len(), args.Len()) {
		p.referNeeds(from, pos, Constraint, args.At(i), params.At(i).Constraint(), typeName(params.At(i).Constraint()))
	}
}

// referNeeds adds the methods that a type needs to satisfy an interface.
func (p *program) referNeeds(from *decl, pos token.Pos, kind Kind, typ, to types.Type, what string) {
	iface, ok := to.Underlying().(*types.Interface)
	if !ok || typ == nil || types.IsInterface(typ) {
		return
	}
	for m := range iface.Methods() {
		sel := p.ssa.MethodSets.MethodSet(typ).Lookup(m.Pkg(), m.Name())
		if sel == nil {
			continue
		}
		if d := p.declOf(sel.Obj().(*types.Func)); d != nil && p.seen[d.pkg] {
			p.add(&ref{from: from, to: d, kind: kind, pos: pos, what: what})
		}
	}
}

// typeName is the name of a type as a stack trace would have it.
func typeName(t types.Type) string {
	return types.TypeString(t, func(pkg *types.Package) string { return pkg.Path() })
}
