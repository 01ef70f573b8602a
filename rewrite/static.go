// Initialisers that leave no code.
//
// The compiler evaluates what it can of a package-level variable's initialiser and writes
// the value into the program's data; it lays the variable out. In
//
//	var limit = newLimiter(10)
//
//	func newLimiter(max int) *limiter { return &limiter{max: max} }
//
// it inlines the call, finds a literal whose parts are all known, and generates no code:
// limit has its value before the program runs. A mark in newLimiter would turn the
// initialiser into code that runs in its turn. Whoever reads limit earlier, through an
// interface or from a package that is initialised earlier, would find nil. The package
// may even gain an initialisation that it did not have, and that changes the order of
// packages.
//
// So a function whose body is one return statement gets no mark if an initialiser of the
// package calls it in any case, also in the result of another such function. It runs
// whenever the package is initialised, which is in every process, so it counts as called
// in all of them ([Function.Static]). The times of its other calls are lost: hitrt always
// says that such a function was called within the last hour.
//
// Which calls the compiler evaluates is decided by cmd/compile/internal/staticinit,
// mainly by staticAssignInlinedCall: the function must be inlined, its body must be one
// return statement once the branches that constants rule out are gone, and the result
// must be something that can be laid out. We look at the first two conditions only
// (staticcost.go and candidates.go): a mark that is left out without need costs only the
// times of other calls.
//
// Calls of functions of other packages stay as they are.

package rewrite

import (
	"go/ast"
	"go/token"
	"go/types"
)

// A staticInit finds the functions that initialisers call and that may leave no code.
type staticInit struct {
	p          *pkg
	info       *types.Info
	candidates map[types.Object]*candidate
	budget     int               // a call in an initialiser is inlined up to this cost
	called     map[ast.Node]bool // each *ast.FuncDecl and *ast.FuncLit that counts as called
}

// A candidate is a function whose calls may leave no code: one return statement with one
// operand is all that the compiler keeps of its body.
type candidate struct {
	decl   *ast.FuncDecl
	result ast.Expr // the operand of its return statement
	cost   int      // its cost for the inliner; 0 if not yet known

	// judged says that idle is known, or is being found out: what calls itself is not idle.
	judged, idle bool
}

// The budget of the inliner (cmd/compile/internal/inline).
const (
	maxInlineCost    = 80   // a function up to this cost is inlined
	maxBigInlineCost = 20   // the same for calls in a big function
	bigFunction      = 5000 // a function with more nodes is big
)

// findStatics finds the functions that are not marked because initialisers call them.
func (p *pkg) findStatics(files []*file) {
	if !p.opts.Inlined || p.elem == "" {
		return
	}
	candidates := candidates(files)
	mayBeIdle := p.needsHook() && !hasInit(files)
	if !anyCandidate(files, candidates, p.names != nil) && !mayBeIdle {
		return
	}
	s := &staticInit{
		p: p, info: p.types(files), candidates: map[types.Object]*candidate{}, budget: maxInlineCost,
		called: map[ast.Node]bool{},
	}
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
			for _, x := range v.Values {
				s.calls(x)
				idle = idle && s.isIdle(x)
			}
		}
	}
	p.static = s
	if idle {
		p.opts.Free = false // else the package would gain an init function: see form.go
	}
}

// calls adds to s.called the candidates that the evaluation of x calls in any case.
func (s *staticInit) calls(x ast.Expr) {
	ast.Inspect(x, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.BinaryExpr:
			if n.Op == token.LAND || n.Op == token.LOR {
				s.calls(n.X)
				return false
			}
		case *ast.CallExpr:
			if lit, ok := ast.Unparen(n.Fun).(*ast.FuncLit); ok {
				s.callsLiteral(lit)
			} else if fn := s.callee(n); fn != nil && !s.called[fn.decl] && s.inlineCost(fn) <= s.budget {
				s.called[fn.decl] = true
				s.calls(fn.result)
			}
		}
		return true
	})
}

// callsLiteral is calls for a function literal that is called.
func (s *staticInit) callsLiteral(lit *ast.FuncLit) {
	if returnsOnly(lit.Type, lit.Body) {
		if result := s.single(lit.Body.List); result != nil && !s.called[lit] {
			s.called[lit] = true
			s.calls(result)
		}
	}
}

// callee returns the candidate that is called, or nil.
func (s *staticInit) callee(call *ast.CallExpr) *candidate {
	fun := ast.Unparen(call.Fun)
	switch f := fun.(type) {
	case *ast.IndexExpr:
		fun = f.X
	case *ast.IndexListExpr:
		fun = f.X
	}
	var name *ast.Ident
	switch f := fun.(type) {
	case *ast.Ident:
		name = f
	case *ast.SelectorExpr:
		name = f.Sel // a method, or a method expression
	default:
		return nil
	}
	fn, ok := s.info.Uses[name].(*types.Func)
	if !ok {
		return nil
	}
	return s.candidates[fn.Origin()]
}

// isCalled reports whether fn, an [ast.FuncDecl] or [ast.FuncLit], counts as called.
func (s *staticInit) isCalled(fn ast.Node) bool { return s != nil && s.called[fn] }

// isIdle reports whether an initialiser is likely to leave no code.
func (s *staticInit) isIdle(x ast.Expr) bool {
	tv := s.info.Types[x]
	if tv.Value != nil || tv.IsNil() {
		return true
	}
	switch x := x.(type) {
	case *ast.ParenExpr:
		return s.isIdle(x.X)
	case *ast.Ident, *ast.SelectorExpr, *ast.FuncLit:
		return true
	case *ast.UnaryExpr:
		return x.Op == token.AND && s.isIdle(x.X)
	case *ast.BinaryExpr:
		return x.Op == token.ADD && s.isIdle(x.X) && s.isIdle(x.Y)
	case *ast.KeyValueExpr:
		return s.isIdle(x.Value)
	case *ast.CompositeLit:
		_, isMap := underlying(tv.Type).(*types.Map)
		return !isMap && all(x.Elts, s.isIdle)
	case *ast.CallExpr:
		switch fun := s.info.Types[x.Fun]; {
		case !all(x.Args, s.isIdle):
			return false
		case fun.IsType() || s.isErrorsNew(x):
			return true
		}
		fn := s.callee(x)
		return fn != nil && s.called[fn.decl] && s.returnsIdle(fn)
	}
	return false
}

// returnsIdle reports whether the operand of a candidate's return statement is likely to leave
// no code.
func (s *staticInit) returnsIdle(fn *candidate) bool {
	if !fn.judged {
		fn.judged = true
		fn.idle = s.isIdle(fn.result)
	}
	return fn.idle
}

// hasInit reports whether a package has an init function that leaves code.
func hasInit(files []*file) bool {
	for _, f := range files {
		for _, decl := range f.tree.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" && fn.Body != nil && !all(fn.Body.List, leavesNothing) {
				return true
			}
		}
	}
	return false
}

// leavesNothing reports whether a statement leaves no code, because it is empty or the
// identifier false rules it out. It needs no types.
func leavesNothing(stmt ast.Stmt) bool {
	isFalse := func(x ast.Expr) bool {
		name, ok := x.(*ast.Ident)
		return ok && name.Name == "false"
	}
	switch stmt := stmt.(type) {
	case *ast.EmptyStmt:
		return true
	case *ast.BlockStmt:
		return all(stmt.List, leavesNothing)
	case *ast.IfStmt:
		return stmt.Init == nil && stmt.Else == nil && isFalse(stmt.Cond)
	case *ast.ForStmt:
		return stmt.Init == nil && isFalse(stmt.Cond)
	}
	return false
}

// variables returns the specs of a file's package-level variables.
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

// isErrorsNew reports whether an expression is a call of errors.New with a constant,
// which leaves no code. We recognise no other function of another package.
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

func isString(typ types.Type) bool {
	basic, ok := underlying(typ).(*types.Basic)
	return ok && basic.Info()&types.IsString != 0
}

func isInterface(typ types.Type) bool {
	if typ == nil {
		return false
	}
	_, param := typ.(*types.TypeParam)
	return !param && types.IsInterface(typ)
}

// underlying returns the underlying type of typ, nil if that is nil.
func underlying(typ types.Type) types.Type {
	if typ == nil {
		return nil
	}
	return typ.Underlying()
}
