// Function literals as entries of their own.
//
// They have the names that the runtime has for them:
//
//	Outer.func1          the first literal in Outer
//	Outer.func1.2        the second literal in Outer.func1
//	(*Cart).Add.func1    the first literal in a method
//	init.func1           the first literal in initialisers of package-level variables
//	init.0.func1         the first literal in the package's first init function
//
// numbering.go finds the numbers. Where the compiler inlines a function, it copies the
// literals in it. Such a copy has a longer name in the runtime and sets the same cell.
//
// A literal in a branch that a constant rules out has no number and is not listed. One that
// cgo wrote has a number and is not listed either: it is not in the source.

package rewrite

import (
	"cmp"
	"go/ast"
	"go/token"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/inspector"
)

// Closures says how function literals are named.
type Closures struct {
	Release string // the compiler's, such as go1.26.8
}

// findLiterals finds the function literals in each file that have names and are in the
// source.
func (p *pkg) findLiterals(files []*file) {
	for _, f := range files {
		inner := map[*ast.FuncLit]bool{} // that cgo wrote within others
		for lit := range inspector.All[*ast.FuncLit](inspector.New([]*ast.File{f.tree})) {
			switch {
			case f.fromCgo && isCgoLiteral(lit):
				inner[returned(lit)] = true
			case !inner[lit] && p.names[lit] != "":
				f.literals = append(f.literals, lit)
			}
		}
	}
}

// literalsIn returns the literals in a node that have names.
func (f *file) literalsIn(node ast.Node) []*ast.FuncLit {
	index := func(pos token.Pos) int {
		i, _ := slices.BinarySearchFunc(f.literals, pos, func(lit *ast.FuncLit, pos token.Pos) int { return cmp.Compare(lit.Pos(), pos) })
		return i
	}
	return f.literals[index(node.Pos()):index(node.End())]
}

// markLiterals lists and marks the literals in a function. The verdict, which is about the
// function, holds for them too. The filter may also leave out a literal by its own name,
// and with it the literals in that one.
func (p *pkg) markLiterals(w *writer, f *file, fn *ast.FuncDecl, v verdict) {
	if fn.Body == nil {
		return
	}
	typ := strings.TrimPrefix(receiver(fn), "*")
	outer := "" // the last literal that was left out by its own name
	for _, lit := range f.literalsIn(fn.Body) {
		entry := p.literalEntry(f, receiver(fn), lit)
		own := v
		switch {
		case own.leftOut != "":
		case outer != "" && standsIn(entry.Name, outer):
			own.leftOut = leftOutRegex
		case p.selection.matches(p.selection.Names, typ, entry.Name):
			own.leftOut, outer = leftOutRegex, entry.Name
		}
		p.add(w, entry, lit, lit.Body, own)
	}
}

// standsIn reports whether the literal called name is within the one called outer.
func standsIn(name, outer string) bool {
	rest, ok := strings.CutPrefix(name, outer)
	return ok && rest != "" && (rest[0] == '.' || rest[0] == '-')
}

// markVariables lists and marks the literals in initialisers of package-level variables.
// The filter and the comments in the source apply to the variable as they do to a
// function.
func (p *pkg) markVariables(w *writer, f *file, decl *ast.GenDecl, gap []byte) {
	if decl.Tok != token.VAR {
		return
	}
	v := verdict{}
	if p.elem == "" {
		v.reason = reasonShadowed
	}
	before := decl.Lparen + 1
	for _, spec := range decl.Specs {
		variable := spec.(*ast.ValueSpec)
		gaps := [][]byte{gap}
		if decl.Lparen.IsValid() {
			gaps = append(gaps, f.between(before, variable.Pos()))
		}
		before = variable.End()
		d := comments{}
		if p.selection.commentsMatter(f) {
			for _, gap := range gaps {
				p.selection.readComments(&d, docLines(gap))
			}
		}
		v.directive = cmp.Or(d.keep, f.keep)
		for _, lit := range f.literalsIn(variable) {
			entry := p.literalEntry(f, "", lit)
			v.leftOut = p.selection.leftOutVariable(f, variable, entry.Name, d)
			p.add(w, entry, lit, lit.Body, v)
		}
	}
}

// leftOutVariable is [selection.leftOut] for a literal in the initialiser of v, which has
// such comments.
func (s *selection) leftOutVariable(f *file, v *ast.ValueSpec, name string, d comments) string {
	switch {
	case d.ignored:
		return leftOutIgnored
	case d.tracked:
		return ""
	case f.leftOut != "":
		return f.leftOut
	case s.matches(s.Names, "", name):
		return leftOutRegex
	case len(s.Markers) > 0 && !d.hasMarker && !s.matches(s.Exempt, "", name):
		return leftOutMarkers
	case s.ExportedOnly && !slices.ContainsFunc(v.Names, (*ast.Ident).IsExported):
		return leftOutVisibility
	}
	return ""
}

func (p *pkg) literalEntry(f *file, receiver string, lit *ast.FuncLit) Function {
	pos := f.adjusted(lit.Pos())
	return Function{
		Index:    -1,
		Receiver: receiver,
		Name:     p.names[lit],
		Params:   f.params(lit.Type.Params),
		File:     p.fileName(f, pos.Filename),
		Line:     pos.Line,
		Lines:    f.lines(lit),
	}
}
