// Function literals as entries of their own.
//
// Their names are those that the runtime has for them: Outer.func1 is the first
// literal in Outer, Outer.func1.2 the second in that one, (*Cart).Add.func1 the
// first in a method, init.func1 the first that a package-level variable is
// initialised with, and init.0.func1 the first in the package's first init
// function. numbering.go finds the numbers. A copy that the compiler makes of a
// literal, where it inlines the function around it, has a longer name there; it
// sets the same mark.
//
// A literal that the compiler never gets to see, in a branch that a constant
// rules out, has no number and is not listed.

package rewrite

import (
	"cmp"
	"go/ast"
	"go/token"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/inspector"
)

// Closures say how function literals are named.
type Closures struct {
	Release string // of the compiler, such as go1.26.8
}

// findLiterals finds the function literals that have names.
func (p *pkg) findLiterals(files []*file) {
	for _, f := range files {
		for lit := range inspector.All[*ast.FuncLit](inspector.New([]*ast.File{f.tree})) {
			if p.names[lit] != "" {
				f.literals = append(f.literals, lit)
			}
		}
	}
}

// literalsIn returns those in a node.
func (f *file) literalsIn(node ast.Node) []*ast.FuncLit {
	at := func(pos token.Pos) int {
		i, _ := slices.BinarySearchFunc(f.literals, pos, func(lit *ast.FuncLit, pos token.Pos) int { return cmp.Compare(lit.Pos(), pos) })
		return i
	}
	return f.literals[at(node.Pos()):at(node.End())]
}

// markLiterals lists and marks the literals in a function. They are left out
// with it, and not observable if it is not; excludeByRegex may match a name of
// their own besides.
func (p *pkg) markLiterals(w *writer, f *file, fn *ast.FuncDecl, leftOut, reason string) {
	if fn.Body == nil {
		return
	}
	typ := strings.TrimPrefix(receiver(fn), "*")
	outer := "" // a literal that is left out by its name
	for _, lit := range f.literalsIn(fn.Body) {
		entry := p.literalEntry(f, receiver(fn), lit)
		left := leftOut
		switch {
		case left != "":
		case outer != "" && standsIn(entry.Name, outer):
			left = leftOutRegex
		case p.selection.matches(p.selection.Names, typ, entry.Name):
			left, outer = leftOutRegex, entry.Name
		}
		p.add(w, entry, lit, left, reason)
	}
}

// standsIn reports whether the literal of one name stands in that of another.
func standsIn(name, outer string) bool {
	rest, ok := strings.CutPrefix(name, outer)
	return ok && rest != "" && (rest[0] == '.' || rest[0] == '-')
}

// markVariables lists and marks the literals that variables of the package are
// initialised with. What is said of functions holds for the variables.
//
// Calls in these initialisers that leave no code get twins of their functions.
func (p *pkg) markVariables(w *writer, f *file, decl *ast.GenDecl, gap []byte, fileReason string) {
	if decl.Tok != token.VAR {
		return
	}
	reason := ""
	if p.elem == "" {
		reason = reasonShadowed
	}
	before := decl.Lparen + 1
	for _, spec := range decl.Specs {
		v := spec.(*ast.ValueSpec)
		comments := [][]byte{gap}
		if decl.Lparen.IsValid() {
			comments = append(comments, f.between(before, v.Pos()))
		}
		before = v.End()
		w.merge(p.static.callsIn(f, v), f.literalsIn(v), func(lit *ast.FuncLit) {
			entry := p.literalEntry(f, "", lit)
			p.add(w, entry, lit, p.selection.leftOutVariable(f, v, entry.Name, comments, fileReason), reason)
		})
	}
}

// leftOutVariable is [selection.leftOut] for a literal of that name.
func (s *selection) leftOutVariable(f *file, v *ast.ValueSpec, name string, comments [][]byte, fileReason string) string {
	d := declaredType{}
	if s.commentsMatter(f) {
		for _, gap := range comments {
			s.readComments(&d, docLines(gap))
		}
	}
	switch {
	case d.ignored:
		return leftOutIgnored
	case d.tracked:
		return ""
	case fileReason != "":
		return fileReason
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
	}
}
