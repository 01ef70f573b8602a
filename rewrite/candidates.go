// The functions whose calls may leave no code (static.go).
//
// Type-checking costs time, so a first look needs no types: it finds functions and
// initialisers of a suitable form. Only a package that has both is type-checked.

package rewrite

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// candidates returns the functions of a suitable form.
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

// hasPragma reports whether gap, the text in front of a function, may contain a directive
// for the compiler, such as //go:noinline.
func hasPragma(gap []byte) bool { return strings.Contains(string(gap), "//go:") }

// returnsOnly reports whether a function has one result, and one return statement may be
// all that is left of its body once the compiler drops what constants rule out.
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

// mayBeConstant reports whether an expression consists of names, literals and operators.
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

// single returns the operand of the return statement that the compiler keeps of a list.
// It returns nil if the compiler keeps something else.
func (s *staticInit) single(list []ast.Stmt) ast.Expr {
	c := constants{s.info}
	for _, stmt := range list {
		var branch []ast.Stmt
		switch stmt := stmt.(type) {
		case *ast.ReturnStmt:
			return stmt.Results[0]
		case *ast.BlockStmt:
			branch = stmt.List
		case *ast.IfStmt:
			value, _ := c.truth(stmt.Cond)
			switch {
			case value == 0:
				return nil
			case value > 0:
				branch = stmt.Body.List
			case stmt.Else != nil:
				branch = []ast.Stmt{stmt.Else}
			}
		case *ast.SwitchStmt:
			clauses, tag := c.clauses(stmt)
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

// mayBeStatic reports whether the form of an expression lets the compiler lay out its
// value.
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

// isConstantOperator reports whether a constant expression may contain an operator.
func isConstantOperator(op token.Token) bool { return op != token.ARROW && op.IsOperator() }

// anyCandidate reports whether an initialiser may call one of the functions or, if
// literals matter, a function literal.
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

// callsAny reports whether an expression contains a call of a function with one of the
// names or, if literals matter, of a function literal.
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

// calledName returns the name of the function that a call calls, without package or
// receiver. It returns "" if the function has no name.
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
