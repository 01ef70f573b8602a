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
// So such an initialiser calls a twin of the function, a copy under another name and
// without a mark:
//
//	var limit = _scavenger_0123456789ab_static0_newLimiter(10)
//
// The compiler evaluates the call of the twin as it would the original call. As far as
// anybody can tell the function did run, so it counts as called in every program that
// contains the package ([Function.Static]). The twin of a method is a method.
//
// Which calls the compiler evaluates is decided by cmd/compile/internal/staticinit,
// mainly by staticAssignInlinedCall. The function must be inlined, and its body must be
// one return statement, once the branches that constants rule out are gone. The arguments
// must have no effects. The result must be something that can be laid out. Of literals of
// structs, arrays and slices, and of pointers to them, the compiler lays out what it can
// and generates code for the rest; a call that is an element of such a literal is treated
// in the same way.
//
// We follow these rules on the syntax tree, with the types of the package: candidates.go
// finds the functions, staticvalue.go and staticargs.go the values, staticcost.go what is
// inlined, and twin.go writes the twins. Where our rules accept too much, little is lost:
// the twin then runs as code, and tracebacks through it show its name.
//
// Calls of functions of other packages stay as they are.

package rewrite

import (
	"go/ast"
	"go/token"
	"go/types"
)

// A staticInit finds the calls in a package's initialisers that leave no code.
type staticInit struct {
	p          *pkg
	info       *types.Info
	candidates map[types.Object]*candidate
	budget     int // a call in an initialiser is inlined up to this cost
	twins      []*twin
	edits      map[*file][]*staticCall // calls in initialisers that become calls of twins
	called     map[ast.Node]bool       // each *ast.FuncDecl and *ast.FuncLit that counts as called
}

// A candidate is a function whose calls may leave no code: one return statement with one
// operand is all that the compiler keeps of its body.
type candidate struct {
	file     *file
	decl     *ast.FuncDecl
	result   ast.Expr // the operand of its return statement
	marked   bool     // it gets a mark
	cost     int      // its cost for the inliner; 0 if not yet known
	visiting bool     // isStatic is looking at its result
}

// A staticCall is a call that leaves no code.
type staticCall struct {
	call   *ast.CallExpr
	fn     *candidate    // the function that is called; nil if it is a literal
	lit    *ast.FuncLit  // the literal
	result ast.Expr      // what the function returns
	nested []*staticCall // the calls in result that leave no code
	twin   *twin         // of fn; nil if fn itself can be called
}

// The budget of the inliner (cmd/compile/internal/inline).
const (
	maxInlineCost    = 80   // a function up to this cost is inlined
	maxBigInlineCost = 20   // the same for calls in a big function
	bigFunction      = 5000 // a function with more nodes is big
)

// findStatics finds the calls in initialisers that leave no code, and gives them twins.
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
		p.opts.Free = false // else the package would gain an init function: see form.go
	}
}

// hasInit reports whether a package has init functions that leave code.
func hasInit(files []*file) bool {
	for _, f := range files {
		for _, decl := range f.tree.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" && !all(fn.Body.List, leavesNothing) {
				return true
			}
		}
	}
	return false
}

// leavesNothing reports whether a statement leaves no code: it is empty, or the literal
// false rules it out. Types are not looked at.
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

// variable collects the calls in the initialisers of a spec that leave no code. It
// reports whether no initialiser of the spec leaves code.
func (s *staticInit) variable(f *file, v *ast.ValueSpec) bool {
	if len(v.Names) != len(v.Values) {
		return len(v.Values) == 0 // else a call with several results
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
