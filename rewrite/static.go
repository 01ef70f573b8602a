// Initialisers that leave no code.
//
// The compiler lays out what it can of package-level variables in the program's
// data. In
//
//	var limit = newLimiter(10)
//
//	func newLimiter(max int) *limiter { return &limiter{max: max} }
//
// it inlines the call, finds a literal whose parts are all known, and no code is
// left: limit is there before anything of the program runs. With a mark in
// newLimiter it would be code that runs in its turn, and whoever reads limit before,
// through an interface or from a package that is initialised earlier, would find
// nil. The package may even gain an initialisation that it did not have, and that
// changes the order of packages.
//
// So such an initialiser gets to call a twin of the function, which is the same but
// for its name and has no mark:
//
//	var limit = _scavenger_0123456789ab_static0_newLimiter(10)
//
// The twin leaves nothing behind either. The function did run, as far as anybody can
// tell: it counts as called in each program that holds the package
// ([Function.Static]). The twin of a method is a method.
//
// What the compiler treats so is in cmd/compile/internal/staticinit, mainly in
// staticAssignInlinedCall: calls of functions that are inlined and whose body is one
// return statement, once branches that constants rule out are gone, with arguments that
// have no effects, where the result can be laid out. Of literals of structs, arrays and slices, and of pointers to them, it lays out
// what it can and fills in the rest by code; a call that stands for an element of such a
// literal is treated in the same way. The types of this file follow these rules on the
// syntax tree, with the package's types. Where they are too generous nothing much is
// lost: a twin runs as code, and tracebacks from in it show its name.
//
// Calls of functions of other packages stay as they are.

package rewrite

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

const staticSuffix = "_static" // and a number, "_", the function's name: its twin

// TwinPrefix is a regular expression for what the name of a twin has in front of that of
// its function.
const TwinPrefix = NamePrefix + `[0-9a-f]+_*` + staticSuffix + `\d+_`

// A statics finds the calls of a package that leave no code.
type staticInit struct {
	p          *pkg
	info       *types.Info
	candidates map[types.Object]*candidate // those of one return statement
	budget     int                         // of the inliner, for calls in initialisers
	twins      []*twin
	edits      map[*file][]*staticCall // in initialisers
	called     map[ast.Node]bool       // *ast.FuncDecl and *ast.FuncLit that count as called
}

// A function is one whose body is a return statement with one result.
type candidate struct {
	file     *file
	decl     *ast.FuncDecl
	result   ast.Expr // of its one return statement
	marked   bool     // it gets a mark
	cost     int      // what the inliner reckons with; 0 if not known yet
	visiting bool     // its value is being looked at
}

// A staticCall is a call that leaves no code.
type staticCall struct {
	call   *ast.CallExpr
	fn     *candidate   // nil if a function literal is called
	lit    *ast.FuncLit // the literal
	result ast.Expr     // what it returns
	nested []*staticCall
	twin   *twin
}

// A twin is a copy of a function without its mark, in which calls that leave no code
// are those of twins in turn.
type twin struct {
	name  string
	fn    *candidate
	calls []*staticCall
}

// maxInlineCost is up to which cost the compiler inlines a function, and
// maxBigInlineCost into a function of more than bigFunction nodes.
const (
	maxInlineCost    = 80
	maxBigInlineCost = 20
	bigFunction      = 5000
)

// findStatics finds the calls in initialisers of package-level variables that leave no
// code, and the twins for them.
func (p *pkg) findStatics(files []*file) {
	if !p.opts.Inlined || p.elem == "" {
		return
	}
	candidates := p.candidates(files)
	mayBeIdle := p.needsHook() && !hasInit(files)
	if !anyCandidate(files, candidates, p.names != nil) && !mayBeIdle {
		return
	}
	s := &staticInit{
		p: p, info: p.types(files), candidates: map[types.Object]*candidate{}, budget: maxInlineCost,
		edits: map[*file][]*staticCall{}, called: map[ast.Node]bool{},
	}
	p.result.Checked = true
	for _, fn := range candidates {
		fn.result = s.single(fn.decl.Body.List)
		if obj := s.info.Defs[fn.decl.Name]; obj != nil && fn.result != nil {
			s.candidates[obj] = fn
		}
	}
	if s.initSize(files) > bigFunction {
		s.budget = maxBigInlineCost
	}
	idle := mayBeIdle
	for _, f := range files {
		for _, v := range variables(f.tree) {
			idle = s.variable(f, v) && idle
		}
	}
	p.static = s
	if idle {
		p.opts.Free = false // see probe.go
	}
}

// hasInit reports whether a package has init functions that are not empty.
func hasInit(files []*file) bool {
	for _, f := range files {
		for _, decl := range f.tree.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" && len(fn.Body.List) > 0 {
				return true
			}
		}
	}
	return false
}

// variables returns the declarations of a file's package-level variables.
func variables(tree *ast.File) (specs []*ast.ValueSpec) {
	for _, decl := range tree.Decls {
		if decl, ok := decl.(*ast.GenDecl); ok && decl.Tok == token.VAR {
			for _, spec := range decl.Specs {
				specs = append(specs, spec.(*ast.ValueSpec))
			}
		}
	}
	return specs
}

// candidates returns the functions that the compiler may find static values of, if
// they are called.
func (p *pkg) candidates(files []*file) (list []*candidate) {
	for _, f := range files {
		fileReason := p.selection.leftOutFile(f)
		end := f.tree.Name.End()
		for _, decl := range f.tree.Decls {
			gap := f.source.Text[f.offset(end):f.offset(decl.Pos())]
			end = decl.End()
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Body == nil || !listed(fn) || hasPragma(gap) {
				continue
			}
			if returnsOnly(fn.Type, fn.Body) {
				marked := !leftAlone(f.source.Name) && p.selection.leftOut(f, fn, gap, fileReason) == ""
				list = append(list, &candidate{file: f, decl: fn, marked: marked})
			}
		}
	}
	return list
}

// hasPragma reports whether the comments ahead of a function may hold a directive for
// the compiler, such as //go:noinline.
func hasPragma(gap []byte) bool { return strings.Contains(string(gap), "//go:") }

// returnsOnly reports whether a function with one result may come down to a return
// statement once the compiler has left out what constants rule out.
func returnsOnly(typ *ast.FuncType, body *ast.BlockStmt) bool {
	return typ.Results.NumFields() == 1 && all(body.List, returning)
}

func returning(stmt ast.Stmt) bool {
	switch stmt := stmt.(type) {
	case *ast.ReturnStmt:
		return len(stmt.Results) == 1 && mayBeStatic(stmt.Results[0])
	case *ast.EmptyStmt:
		return true
	case *ast.DeclStmt:
		decl, ok := stmt.Decl.(*ast.GenDecl)
		return ok && decl.Tok != token.VAR
	case *ast.BlockStmt:
		return all(stmt.List, returning)
	case *ast.IfStmt:
		return stmt.Init == nil && mayBeConstant(stmt.Cond) && returning(stmt.Body) && (stmt.Else == nil || returning(stmt.Else))
	case *ast.SwitchStmt:
		return stmt.Init == nil && (stmt.Tag == nil || mayBeConstant(stmt.Tag)) && returning(stmt.Body)
	case *ast.CaseClause:
		return all(stmt.List, mayBeConstant) && all(stmt.Body, returning)
	}
	return false
}

func all[T any](list []T, f func(T) bool) bool {
	return !slices.ContainsFunc(list, func(x T) bool { return !f(x) })
}

// mayBeConstant reports whether an expression is made of names, literals and operators.
func mayBeConstant(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.ParenExpr:
		return mayBeConstant(x.X)
	case *ast.UnaryExpr:
		return isConstantOperator(x.Op) && mayBeConstant(x.X)
	case *ast.BinaryExpr:
		return mayBeConstant(x.X) && mayBeConstant(x.Y)
	case *ast.BasicLit, *ast.Ident:
		return true
	case *ast.SelectorExpr:
		return mayBeConstant(x.X)
	}
	return false
}

// single returns the operand of the return statement that is left of a list, nil if
// there is none or more is left.
func (s *staticInit) single(list []ast.Stmt) ast.Expr {
	n := &numbering{info: s.info}
	for _, stmt := range list {
		var branch []ast.Stmt
		switch stmt := stmt.(type) {
		case *ast.ReturnStmt:
			return stmt.Results[0]
		case *ast.BlockStmt:
			branch = stmt.List
		case *ast.IfStmt:
			value, _ := n.truth(stmt.Cond)
			switch {
			case value == 0:
				return nil
			case value > 0:
				branch = stmt.Body.List
			case stmt.Else != nil:
				branch = []ast.Stmt{stmt.Else}
			}
		case *ast.SwitchStmt:
			clauses, tag := n.clauses(stmt)
			if tag != nil || len(clauses) > 1 {
				return nil
			}
			for _, clause := range clauses {
				if clause.List != nil {
					return nil
				}
				branch = clause.Body
			}
		}
		if len(branch) > 0 {
			if result := s.single(branch); result != nil {
				return result
			}
		}
	}
	return nil
}

// mayBeStatic reports whether an expression is of a form of which the compiler may find
// a static value.
func mayBeStatic(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.ParenExpr:
		return mayBeStatic(x.X)
	case *ast.UnaryExpr:
		return x.Op == token.AND || isConstantOperator(x.Op)
	case *ast.BinaryExpr:
		return x.Op == token.ADD || isConstantOperator(x.Op) && mayBeStatic(x.X) && mayBeStatic(x.Y)
	case *ast.CompositeLit, *ast.CallExpr, *ast.FuncLit, *ast.BasicLit, *ast.Ident, *ast.SelectorExpr:
		return true
	}
	return false
}

// isConstantOperator reports whether an operator may be a part of a constant.
func isConstantOperator(op token.Token) bool { return op != token.ARROW && op.IsOperator() }

// anyCandidate reports whether an initialiser of a package-level variable may hold a
// call of one of the functions, or of a literal, that leaves no code.
func anyCandidate(files []*file, functions []*candidate, literals bool) bool {
	names := map[string]bool{}
	for _, fn := range functions {
		names[fn.decl.Name.Name] = true
	}
	for _, f := range files {
		for _, v := range variables(f.tree) {
			for _, x := range v.Values {
				if callsAny(x, names, literals) {
					return true
				}
			}
		}
	}
	return false
}

// callsAny reports whether an expression holds a call of a function of one of the names,
// or of a literal.
func callsAny(x ast.Expr, names map[string]bool, literals bool) (found bool) {
	ast.Inspect(x, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			_, lit := ast.Unparen(call.Fun).(*ast.FuncLit)
			found = found || names[calledName(call.Fun)] || lit && literals
		}
		return !found
	})
	return found
}

// calledName returns the name of what is called, without package or receiver, "" if
// there is none.
func calledName(fun ast.Expr) string {
	switch fun := ast.Unparen(fun).(type) {
	case *ast.Ident:
		return fun.Name
	case *ast.SelectorExpr:
		return fun.Sel.Name
	case *ast.IndexExpr:
		return calledName(fun.X)
	case *ast.IndexListExpr:
		return calledName(fun.X)
	}
	return ""
}

// variable looks at the initialisers of package-level variables, and reports whether none
// leaves code.
func (s *staticInit) variable(f *file, v *ast.ValueSpec) bool {
	if len(v.Names) != len(v.Values) {
		return len(v.Values) == 0 // one call with several results
	}
	idle := true
	for i, x := range v.Values {
		var calls []*staticCall
		typ := s.info.TypeOf(x)
		if obj := s.info.Defs[v.Names[i]]; obj != nil {
			typ = obj.Type()
		} else if v.Type != nil {
			typ = s.info.TypeOf(v.Type)
		}
		if s.isStatic(x, typ, nil, &calls) {
			s.edits[f] = append(s.edits[f], s.replace(calls)...)
		} else if !s.isErrorsNew(x) {
			idle = false
		}
	}
	return idle
}

// isErrorsNew reports whether an expression is a call of errors.New with a constant, which
// leaves no code. It is the only function of another package of which we know.
func (s *staticInit) isErrorsNew(x ast.Expr) bool {
	call, ok := ast.Unparen(x).(*ast.CallExpr)
	if !ok || len(call.Args) != 1 || s.info.Types[call.Args[0]].Value == nil {
		return false
	}
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	fn, ok := s.info.Uses[sel.Sel].(*types.Func)
	return ok && fn.FullName() == "errors.New"
}

// replace gives each call whose function is marked, or calls such a one in turn, its
// twin, and returns these calls.
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

// twin returns the twin of a function in which these calls are replaced.
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

// name returns the identifier of the function that is called.
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

// isCalled reports whether a function or function literal counts as called.
func (s *staticInit) isCalled(fn ast.Node) bool { return s != nil && s.called[fn] }

// callsIn returns those of the calls in initialisers that stand in a node, in the order
// of the text.
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

// writeTwins appends the twins of a file's functions to its text. marked holds the
// indices of the function literals that have marks: these have them in twins too.
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

// merge replaces calls and has literals marked, in the order of the text.
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
