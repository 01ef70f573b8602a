// The numbers of function literals.
//
// The compiler numbers the literals of a function as it comes to them when it
// writes its own form of the source (cmd/compile/internal/noder), which is the
// order of the text, but:
//
//   - what a constant rules out is not written: branches of if, for and switch,
//     the second operand of && and ||, statements behind return, goto and panic;
//   - package-level variables are written in the order in which they are
//     initialised;
//   - the body of a range over a function becomes a function, whose literals
//     Go 1.27 numbers by themselves: Outer-range1.1.
//
// So the package is type-checked. Errors do not matter, as the compiler will
// report them; what has no type is taken for not constant and not a function.

package rewrite

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	goversion "go/version"
)

// A numbering names the literals of a package.
type numbering struct {
	info   *types.Info
	names  map[*ast.FuncLit]string
	ranges bool // bodies of ranges over functions number their own literals
}

// A counter numbers the literals of one function.
type literalCounter struct {
	name     string // of the function
	literal  bool   // it is a literal itself, or what counts as one
	literals int
	ranges   int
}

// nameLiterals names the literals of all files.
func (p *pkg) nameLiterals(files []*file) {
	if p.opts.Closures == nil {
		return
	}
	n := &numbering{
		info:   p.types(files),
		names:  map[*ast.FuncLit]string{},
		ranges: goversion.Compare(goversion.Lang(p.opts.Closures.Release), "go1.27") >= 0,
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

// types type-checks the package unless that was done.
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
	_, _ = conf.Check(p.opts.ImportPath, p.fset, trees, p.info)
	return p.info
}

// function numbers a literal, and those in it.
func (n *numbering) function(lit *ast.FuncLit, c *literalCounter) {
	c.literals++
	separator := ".func"
	if c.literal {
		separator = "."
	}
	n.names[lit] = fmt.Sprintf("%s%s%d", c.name, separator, c.literals)
	n.list(lit.Body.List, &literalCounter{name: n.names[lit], literal: true})
}

// list goes through the statements of a block. Behind one that ends the block
// only labels, and what comes ahead of the last of them, are reached.
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

// isFunction reports whether an expression, which a range is over, is of a
// function type, or of a type parameter that stands for one.
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

// clauses returns the tag and the clauses of a switch that are written: all, or
// if everything is constant the one that is taken.
func (n *numbering) clauses(s *ast.SwitchStmt) ([]*ast.CaseClause, ast.Expr) {
	var all []*ast.CaseClause
	for _, clause := range s.Body.List {
		all = append(all, clause.(*ast.CaseClause))
	}
	tag := constant.MakeBool(true)
	if s.Tag != nil {
		tag = n.info.Types[s.Tag].Value
	}
	if tag == nil {
		return all, s.Tag
	}
	var target *ast.CaseClause
	for _, clause := range all {
		if clause.List == nil {
			target = clause
		}
		for _, x := range clause.List {
			value := n.info.Types[x].Value
			if value == nil {
				return all, s.Tag
			}
			if equal(tag, value) {
				return n.taken(clause, all), nil
			}
		}
	}
	if target == nil {
		return nil, nil
	}
	return n.taken(target, all), nil
}

// equal reports whether two constants are. Those of package constant must be of
// like kinds, which a package with errors does not ensure.
func equal(x, y constant.Value) bool {
	isNumber := func(v constant.Value) bool {
		return v.Kind() == constant.Int || v.Kind() == constant.Float || v.Kind() == constant.Complex
	}
	return (x.Kind() == y.Kind() || isNumber(x) && isNumber(y)) && constant.Compare(x, token.EQL, y)
}

// taken returns the clause alone, with nothing left of its conditions, unless it
// falls through to others.
func (n *numbering) taken(clause *ast.CaseClause, all []*ast.CaseClause) []*ast.CaseClause {
	if len(clause.Body) > 0 {
		if b, ok := clause.Body[len(clause.Body)-1].(*ast.BranchStmt); ok && b.Tok == token.FALLTHROUGH {
			return all
		}
	}
	return []*ast.CaseClause{{Body: clause.Body}}
}

func (n *numbering) exprs(list []ast.Expr, c *literalCounter) {
	for _, x := range list {
		n.expr(x, c)
	}
}

// expr goes through what is written of an expression: nothing of constants and
// types.
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

// static returns what a condition always is: 1 true, -1 false, 0 either; and what
// is left of it.
func (n *numbering) truth(x ast.Expr) (value int, left ast.Expr) {
	if x == nil {
		return 0, nil
	}
	if v := n.info.Types[x].Value; v != nil && v.Kind() == constant.Bool {
		if constant.BoolVal(v) {
			return 1, x
		}
		return -1, x
	}
	// Parentheses end this, as they do in the compiler, and so does ! in front of
	// them.
	if e, ok := x.(*ast.BinaryExpr); ok {
		return n.truthOfPair(e)
	}
	return 0, x
}

// truthOfPair is static for && and ||, where one operand may decide.
func (n *numbering) truthOfPair(e *ast.BinaryExpr) (value int, left ast.Expr) {
	decisive := map[token.Token]int{token.LAND: -1, token.LOR: 1}[e.Op]
	if decisive == 0 {
		return 0, e
	}
	x, leftX := n.truth(e.X)
	if x == decisive {
		return x, leftX
	}
	y, leftY := n.truth(e.Y)
	if x == -decisive || y == decisive {
		if n.info.Types[e.X].Value != nil {
			return y, leftY
		}
		return y, &ast.BinaryExpr{X: leftX, Op: e.Op, Y: leftY}
	}
	return 0, &ast.BinaryExpr{X: leftX, Op: e.Op, Y: leftY}
}

// terminates reports whether the compiler takes a statement for the end of what
// is reached in a block.
func (n *numbering) terminates(stmt ast.Stmt) bool {
	switch s := stmt.(type) {
	case *ast.BranchStmt:
		return s.Tok == token.GOTO
	case *ast.ReturnStmt:
		return true
	case *ast.ExprStmt:
		call, ok := ast.Unparen(s.X).(*ast.CallExpr)
		if !ok {
			return false
		}
		name, ok := ast.Unparen(call.Fun).(*ast.Ident)
		if !ok || name.Name != "panic" {
			return false
		}
		_, builtin := n.info.Uses[name].(*types.Builtin)
		return builtin
	case *ast.IfStmt:
		value, _ := n.truth(s.Cond)
		return (value < 0 || n.terminates(s.Body)) && (value > 0 || n.terminates(s.Else))
	case *ast.BlockStmt:
		for i := len(s.List) - 1; i >= 0; i-- {
			if _, empty := s.List[i].(*ast.EmptyStmt); !empty {
				return n.terminates(s.List[i])
			}
		}
	}
	return false
}
