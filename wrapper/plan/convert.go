// Conversions: which types become interfaces, and where.

package plan

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// A conversion is that of a type with a method to an interface in a function.
type conversion struct {
	from, to *decl
	what     string
}

// convert finds the conversions to interfaces in the code that a path leads to, or that may
// turn out to run all the same. Most are not written down, so this is what package ssa is
// asked. Of several in one function the first one counts.
func (p *program) convert() {
	c := conversions{p, map[conversion]*ref{}, map[types.Type][]*decl{}}
	for fn := range p.reachable {
		c.convertIn(fn)
	}
	for _, d := range p.decls {
		if !d.live && p.seen[d.pkg] {
			c.convertIn(d.fn)
		}
	}
	for _, r := range c.found {
		p.add(r)
	}
}

// conversions are those found so far, and the methods of types.
type conversions struct {
	*program
	found     map[conversion]*ref
	methodsOf map[types.Type][]*decl
}

// convertIn finds the conversions in a function and its literals.
func (c *conversions) convertIn(fn *ssa.Function) {
	from := c.of(fn)
	if from == nil {
		return
	}
	if !from.live {
		for _, literal := range fn.AnonFuncs { // others are reachable by themselves
			c.convertIn(literal)
		}
	}
	for _, block := range fn.Blocks {
		for _, instr := range block.Instrs {
			make, ok := instr.(*ssa.MakeInterface)
			if !ok {
				continue
			}
			list, ok := c.methodsOf[make.X.Type()]
			if !ok {
				list = c.methods(make.X.Type())
				c.methodsOf[make.X.Type()] = list
			}
			for _, to := range list {
				key, pos := conversion{from, to, typeName(make.Type())}, place(make)
				if r := c.found[key]; r == nil || pos < r.pos {
					c.found[key] = &ref{from: from, to: to, kind: conversionKind(make.Type(), to), pos: pos, what: key.what}
				}
			}
		}
	}
}

// conversionKind says what the conversion of a type to an interface means for a method of it.
func conversionKind(to types.Type, method *decl) Kind {
	if hasMethod(to, method) {
		return Interface
	}
	return Reflection
}

// methods returns the methods of a type that the report may have.
func (p *program) methods(typ types.Type) (list []*decl) {
	set := p.ssa.MethodSets.MethodSet(typ)
	for method := range set.Methods() {
		if d := p.declOf(method.Obj().(*types.Func)); d != nil && p.seen[d.pkg] {
			list = append(list, d)
		}
	}
	return list
}

// hasMethod reports whether an interface has a method of the name of d.
func hasMethod(typ types.Type, d *decl) bool {
	pkg := d.fn.Object().Pkg()
	for m := range typ.Underlying().(*types.Interface).Methods() {
		if m.Name() == d.name && (m.Exported() || m.Pkg() == pkg) {
			return true
		}
	}
	return false
}

// place returns where a conversion stands. One that is not written down is where its
// result is used, else near what comes before it.
func place(make *ssa.MakeInterface) token.Pos {
	if make.Pos().IsValid() {
		return make.Pos()
	}
	for _, user := range *make.Referrers() {
		if user.Pos().IsValid() {
			return user.Pos()
		}
	}
	pos := make.Parent().Pos()
	for _, instr := range make.Block().Instrs {
		if instr == ssa.Instruction(make) {
			break
		}
		if instr.Pos().IsValid() {
			pos = instr.Pos()
		}
	}
	return pos
}
