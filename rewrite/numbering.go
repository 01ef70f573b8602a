// The numbers of function literals.
//
// The compiler numbers the literals of a function while it writes its own form of the
// source (cmd/compile/internal/noder). That follows the order of the text, with three
// exceptions:
//
//   - It drops what constants rule out: branches of if, for and switch, the second
//     operand of && and ||, and statements behind return, goto and panic (constants.go).
//   - It writes package-level variables in the order in which they are initialised.
//   - It turns the body of a range over a function into a function. Go 1.27 numbers the
//     literals in that body separately: Outer-range1.1.
//
// So the package has to be type-checked. Errors do not matter, since the compiler reports
// them. An expression without a type counts as neither constant nor a function.

package rewrite

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	goversion "go/version"
)

// A numbering names the literals of a package.
type numbering struct {
	constants
	names  map[*ast.FuncLit]string
	ranges bool // the body of a range over a function numbers its own literals
}

// A literalCounter numbers the literals of one function.
type literalCounter struct {
	name     string // of the function
	literal  bool   // the function is a literal, or the body of a range
	literals int
	ranges   int
}

// nameLiterals names the literals of all files.
func (p *pkg) nameLiterals(files []*file) {
	if p.opts.Closures == nil {
		return
	}
	n := &numbering{
		constants: constants{p.types(files)},
		names:     map[*ast.FuncLit]string{},
		ranges:    goversion.Compare(goversion.Lang(p.opts.Closures.Release), "go1.27") >= 0,
	}
	variables := &literalCounter{name: "init"}
	for _, init := range n.info.InitOrder {
		n.expr(init.Rhs, variables)
	}
	inits := 0
	for _, f := range files {
		for _, decl := range f.tree.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			name := fn.Name.Name
			switch {
			case name == "_":
				continue // nobody can call it
			case name == "init" && fn.Recv == nil:
				name = fmt.Sprintf("init.%d", inits)
				inits++
			}
			if fn.Body != nil {
				n.list(fn.Body.List, &literalCounter{name: name})
			}
		}
	}
	p.names = n.names
	p.findLiterals(files)
}

// types type-checks the package, unless an earlier call did, and returns what it learnt.
func (p *pkg) types(files []*file) *types.Info {
	if p.info != nil {
		return p.info
	}
	p.info = &types.Info{
		Types:      map[ast.Expr]types.TypeAndValue{},
		Defs:       map[*ast.Ident]types.Object{},
		Uses:       map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
	}
	conf := types.Config{
		Importer:    p.opts.Importer,
		FakeImportC: true,
		Error:       func(error) {},
		Sizes:       types.SizesFor("gc", p.opts.Arch),
	}
	var trees []*ast.File
	for _, f := range files {
		trees = append(trees, f.tree)
	}
	checkPackage(&conf, p.opts.ImportPath, p.fset, trees, p.info)
	return p.info
}

// checkPackage fills info, as far as the type checker gets. It may be older than the compiler,
// and panic at what that accepts, which must not stop the build.
func checkPackage(conf *types.Config, path string, fset *token.FileSet, trees []*ast.File, info *types.Info) {
	defer func() { _ = recover() }()
	_, _ = conf.Check(path, fset, trees, info)
}

// function numbers a literal and the literals in it.
func (n *numbering) function(lit *ast.FuncLit, c *literalCounter) {
	c.literals++
	separator := ".func"
	if c.literal {
		separator = "."
	}
	n.names[lit] = fmt.Sprintf("%s%s%d", c.name, separator, c.literals)
	n.list(lit.Body.List, &literalCounter{name: n.names[lit], literal: true})
}

// list numbers the literals in a block. Once a statement terminates the block, the
// compiler skips what follows, except labelled statements and everything in front of the
// last of these.
func (n *numbering) list(list []ast.Stmt, c *literalCounter) {
	lastLabel := -1
	for i, stmt := range list {
		if _, ok := stmt.(*ast.LabeledStmt); ok {
			lastLabel = i
		}
	}
	dead := false
	for i, stmt := range list {
		if _, ok := stmt.(*ast.LabeledStmt); dead && i > lastLabel && !ok {
			continue
		}
		n.stmt(stmt, c)
		dead = n.terminates(stmt)
	}
}

func (n *numbering) stmt(stmt ast.Stmt, c *literalCounter) {
	switch s := stmt.(type) {
	case *ast.AssignStmt:
		n.exprs(s.Lhs, c)
		n.exprs(s.Rhs, c)
	case *ast.BlockStmt:
		if s != nil {
			n.list(s.List, c)
		}
	case *ast.DeclStmt:
		for _, spec := range s.Decl.(*ast.GenDecl).Specs {
			if v, ok := spec.(*ast.ValueSpec); ok && s.Decl.(*ast.GenDecl).Tok == token.VAR {
				n.exprs(v.Values, c)
			}
		}
	case *ast.DeferStmt:
		n.expr(s.Call, c)
	case *ast.ExprStmt:
		n.expr(s.X, c)
	case *ast.ForStmt:
		n.forStmt(s, c)
	case *ast.GoStmt:
		n.expr(s.Call, c)
	case *ast.IfStmt:
		n.stmt(s.Init, c)
		value, cond := n.truth(s.Cond)
		n.expr(cond, c)
		if value >= 0 {
			n.list(s.Body.List, c)
		}
		if value <= 0 {
			n.stmt(s.Else, c)
		}
	case *ast.IncDecStmt:
		n.expr(s.X, c)
	case *ast.LabeledStmt:
		n.stmt(s.Stmt, c)
	case *ast.RangeStmt:
		n.rangeStmt(s, c)
	case *ast.ReturnStmt:
		n.exprs(s.Results, c)
	case *ast.SelectStmt:
		for _, clause := range s.Body.List {
			clause := clause.(*ast.CommClause)
			n.stmt(clause.Comm, c)
			n.list(clause.Body, c)
		}
	case *ast.SendStmt:
		n.expr(s.Chan, c)
		n.expr(s.Value, c)
	case *ast.SwitchStmt:
		n.switchStmt(s, c)
	case *ast.TypeSwitchStmt:
		n.stmt(s.Init, c)
		n.stmt(s.Assign, c)
		for _, clause := range s.Body.List {
			n.list(clause.(*ast.CaseClause).Body, c)
		}
	}
}

func (n *numbering) forStmt(s *ast.ForStmt, c *literalCounter) {
	value, cond := n.truth(s.Cond)
	n.stmt(s.Init, c)
	n.expr(cond, c)
	if value >= 0 {
		n.stmt(s.Post, c)
		n.list(s.Body.List, c)
	}
}

func (n *numbering) rangeStmt(s *ast.RangeStmt, c *literalCounter) {
	if !n.isFunction(s.X) {
		n.exprs([]ast.Expr{s.Key, s.Value, s.X}, c)
		n.list(s.Body.List, c)
		return
	}
	// s.X(func(…) bool { s.Key, s.Value = …; s.Body })
	n.expr(s.X, c)
	if n.ranges {
		c.ranges++
		c = &literalCounter{name: fmt.Sprintf("%s-range%d", c.name, c.ranges), literal: true}
	}
	n.exprs([]ast.Expr{s.Key, s.Value}, c)
	n.list(s.Body.List, c)
}

// isFunction reports whether x, the operand of a range, is of a function type or of a
// type parameter that stands for one.
func (n *numbering) isFunction(x ast.Expr) bool {
	typ := n.info.TypeOf(x)
	if typ == nil {
		return false
	}
	typ = typ.Underlying()
	if constraint, ok := typ.(*types.Interface); ok && constraint.NumEmbeddeds() == 1 {
		typ = constraint.EmbeddedType(0)
		if union, ok := typ.(*types.Union); ok {
			typ = union.Term(0).Type()
		}
		typ = typ.Underlying()
	}
	_, ok := typ.(*types.Signature)
	return ok
}

func (n *numbering) switchStmt(s *ast.SwitchStmt, c *literalCounter) {
	n.stmt(s.Init, c)
	clauses, tag := n.clauses(s)
	n.expr(tag, c)
	for _, clause := range clauses {
		n.exprs(clause.List, c)
		n.list(clause.Body, c)
	}
}

func (n *numbering) exprs(list []ast.Expr, c *literalCounter) {
	for _, x := range list {
		n.expr(x, c)
	}
}

// expr numbers the literals in an expression. Constants and types in it are skipped: the
// compiler does not write what they are made of.
func (n *numbering) expr(x ast.Expr, c *literalCounter) {
	if x == nil {
		return
	}
	ast.Inspect(x, func(node ast.Node) bool {
		x, ok := node.(ast.Expr)
		if !ok {
			return node != nil
		}
		if tv := n.info.Types[x]; tv.Value != nil || tv.IsType() {
			return false
		}
		if lit, ok := x.(*ast.FuncLit); ok {
			n.function(lit, c)
			return false
		}
		return true
	})
}
