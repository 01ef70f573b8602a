// Twins: copies of functions without marks, for the calls that leave no code (static.go).
//
// A twin stands behind the text of its function's file. A directive in front of it gives
// it the function's position, so it looks as if it stood in the function's place.

package rewrite

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/token"
	"slices"
)

// staticSuffix is in the name of a twin, behind that of the mark array. A number, "_" and
// the name of the function follow.
const staticSuffix = "_static"

// TwinPrefix is a regular expression. It matches the part of a twin's name that precedes
// the name of its function.
const TwinPrefix = NamePrefix + `[0-9a-f]+_*` + staticSuffix + `\d+_`

// A twin is a copy of a function without its mark. In it, calls that leave no code are
// calls of twins.
type twin struct {
	name  string
	fn    *candidate
	calls []*staticCall // those in the copy that become calls of twins
}

// replace returns those of the calls that must become calls of twins, and gives them
// their twins. A call needs one if its function is marked, or in turn calls one that is.
func (s *staticInit) replace(calls []*staticCall) (replaced []*staticCall) {
	for _, c := range calls {
		nested := s.replace(c.nested)
		if c.lit != nil {
			s.called[c.lit] = true
			replaced = append(replaced, nested...)
			continue
		}
		s.called[c.fn.decl] = true
		if !c.fn.marked && len(nested) == 0 {
			continue
		}
		c.twin = s.twin(c.fn, nested)
		replaced = append(replaced, c)
	}
	return replaced
}

// twin returns the twin of fn in which the given calls are replaced.
func (s *staticInit) twin(fn *candidate, calls []*staticCall) *twin {
	for _, t := range s.twins {
		if t.fn == fn && slices.EqualFunc(t.calls, calls, func(a, b *staticCall) bool { return a.call == b.call && a.twin == b.twin }) {
			return t
		}
	}
	name := fmt.Sprintf("%s%s%d_%s", s.p.result.Symbol, staticSuffix, len(s.twins), fn.decl.Name.Name)
	t := &twin{name: name, fn: fn, calls: calls}
	s.twins = append(s.twins, t)
	return t
}

// name returns the identifier that names the called function.
func (c *staticCall) name() *ast.Ident {
	fun := ast.Unparen(c.call.Fun)
	switch f := fun.(type) {
	case *ast.IndexExpr:
		fun = f.X
	case *ast.IndexListExpr:
		fun = f.X
	}
	if f, ok := fun.(*ast.SelectorExpr); ok {
		return f.Sel
	}
	return fun.(*ast.Ident)
}

// isCalled reports whether fn, an [ast.FuncDecl] or [ast.FuncLit], counts as called.
func (s *staticInit) isCalled(fn ast.Node) bool { return s != nil && s.called[fn] }

// callsIn returns the calls within node that become calls of twins, in the order of the
// text. node is an initialiser or contains initialisers.
func (s *staticInit) callsIn(f *file, node ast.Node) (calls []*staticCall) {
	if s == nil {
		return nil
	}
	for _, c := range s.edits[f] {
		if within(c.call, node) {
			calls = append(calls, c)
		}
	}
	slices.SortFunc(calls, func(a, b *staticCall) int { return int(a.name().Pos() - b.name().Pos()) })
	return calls
}

// writeTwins appends the twins of a file's functions to its text. marked holds the cells
// of function literals that are marked; these are marked in a twin too.
func (s *staticInit) writeTwins(w *writer, marked map[*ast.FuncLit]int) {
	if s == nil {
		return
	}
	for _, t := range s.twins {
		if t.fn.file != w.file {
			continue
		}
		if w.out == nil {
			w.begin()
		}
		decl := t.fn.decl
		w.form = s.p.form(isGeneric(decl))
		w.copyTo(token.Pos(w.pos.Base() + w.pos.Size()))
		w.beginTwin(decl.Pos())
		w.replace(decl.Name, t.name)
		calls := slices.Clone(t.calls)
		slices.SortFunc(calls, func(a, b *staticCall) int { return int(a.name().Pos() - b.name().Pos()) })
		w.merge(calls, w.literalsIn(decl.Body), func(lit *ast.FuncLit) {
			if index, ok := marked[lit]; ok {
				w.mark(lit.Body, index)
			}
		})
		w.copyTo(decl.End())
		w.out = append(w.out, '\n')
		w.next = w.pos.Size()
	}
}

// merge makes calls call their twins, and calls mark for each literal, both in the order
// of the text.
func (w *writer) merge(calls []*staticCall, literals []*ast.FuncLit, mark func(*ast.FuncLit)) {
	for len(calls)+len(literals) > 0 {
		if len(literals) == 0 || len(calls) > 0 && calls[0].name().Pos() < literals[0].Pos() {
			w.replace(calls[0].name(), calls[0].twin.name)
			calls = calls[1:]
			continue
		}
		mark(literals[0])
		literals = literals[1:]
	}
}

// beginTwin ends the current line and starts a copy of the function at pos.
func (w *writer) beginTwin(pos token.Pos) {
	if !bytes.HasSuffix(w.out, []byte("\n")) {
		w.out = append(w.out, '\n')
	}
	if p := w.adjusted(pos); canSay(p) {
		w.out = appendLine(w.out, p)
	} else {
		w.out = fmt.Appendf(w.out, "//line %s:%d\n", p.Filename, p.Line)
	}
	w.next = w.offset(pos)
}
