// Which code the compiler drops because of constants.
//
// The compiler drops the branches of if, for and switch that a constant rules out, and
// the statements behind the end of a block. It does so before it numbers function
// literals and before it inlines calls, so both numbering.go and static.go follow it.

package rewrite

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
)

// A constants knows the constants of a type-checked package. An expression without a type
// counts as not constant.
type constants struct{ info *types.Info }

// clauses returns those clauses of a switch that the compiler keeps, and the tag if it
// keeps that: everything, or if all is constant only the clause that is taken.
func (c constants) clauses(s *ast.SwitchStmt) ([]*ast.CaseClause, ast.Expr) {
	var all []*ast.CaseClause
	for _, clause := range s.Body.List {
		all = append(all, clause.(*ast.CaseClause))
	}
	tag := constant.MakeBool(true)
	if s.Tag != nil {
		tag = c.info.Types[s.Tag].Value
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
			value := c.info.Types[x].Value
			if value == nil {
				return all, s.Tag
			}
			if equal(tag, value) {
				return taken(clause, all), nil
			}
		}
	}
	if target == nil {
		return nil, nil
	}
	return taken(target, all), nil
}

// equal reports whether x and y are equal constants. [constant.Compare] panics if their
// kinds do not fit, as they may not in a package with errors.
func equal(x, y constant.Value) bool {
	isNumber := func(v constant.Value) bool {
		return v.Kind() == constant.Int || v.Kind() == constant.Float || v.Kind() == constant.Complex
	}
	return (x.Kind() == y.Kind() || isNumber(x) && isNumber(y)) && constant.Compare(x, token.EQL, y)
}

// taken returns the clause without its conditions, or all clauses if it falls through.
func taken(clause *ast.CaseClause, all []*ast.CaseClause) []*ast.CaseClause {
	if len(clause.Body) > 0 {
		if b, ok := clause.Body[len(clause.Body)-1].(*ast.BranchStmt); ok && b.Tok == token.FALLTHROUGH {
			return all
		}
	}
	return []*ast.CaseClause{{Body: clause.Body}}
}

// truth returns 1 if a condition is always true, -1 if it is always false and otherwise
// 0. It also returns the part of the condition that the compiler keeps.
func (c constants) truth(x ast.Expr) (value int, left ast.Expr) {
	if x == nil {
		return 0, nil
	}
	if v := c.info.Types[x].Value; v != nil && v.Kind() == constant.Bool {
		if constant.BoolVal(v) {
			return 1, x
		}
		return -1, x
	}
	// Like the compiler, look neither into parentheses nor behind a "!".
	if e, ok := x.(*ast.BinaryExpr); ok {
		return c.truthOfPair(e)
	}
	return 0, x
}

// truthOfPair is truth for && and ||, where one operand may decide.
func (c constants) truthOfPair(e *ast.BinaryExpr) (value int, left ast.Expr) {
	decisive := map[token.Token]int{token.LAND: -1, token.LOR: 1}[e.Op]
	if decisive == 0 {
		return 0, e
	}
	x, leftX := c.truth(e.X)
	if x == decisive {
		return x, leftX
	}
	y, leftY := c.truth(e.Y)
	if x == -decisive || y == decisive {
		if c.info.Types[e.X].Value != nil {
			return y, leftY
		}
		return y, &ast.BinaryExpr{X: leftX, Op: e.Op, Y: leftY}
	}
	return 0, &ast.BinaryExpr{X: leftX, Op: e.Op, Y: leftY}
}

// terminates reports whether the compiler takes statements behind stmt for unreachable.
func (c constants) terminates(stmt ast.Stmt) bool {
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
		_, builtin := c.info.Uses[name].(*types.Builtin)
		return builtin
	case *ast.IfStmt:
		value, _ := c.truth(s.Cond)
		return (value < 0 || c.terminates(s.Body)) && (value > 0 || c.terminates(s.Else))
	case *ast.BlockStmt:
		for _, last := range slices.Backward(s.List) {
			if _, empty := last.(*ast.EmptyStmt); !empty {
				return c.terminates(last)
			}
		}
	}
	return false
}
