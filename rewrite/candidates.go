// The functions whose calls may leave no code (static.go).
//
// Type-checking costs time, so a first look needs no types: it finds functions and
// initialisers of a suitable form. Only a package that has both is type-checked.

package rewrite

import (
	"go/ast"
	"go/token"
	"slices"
)

// candidates returns the functions of a suitable form.
func candidates(files []*file) (list []*candidate) {
	for _, f := range files {
		end := f.tree.Name.End()
		for _, decl := range f.tree.Decls {
			gap := f.source.Text[f.offset(end):f.offset(decl.Pos())]
			end = decl.End()
			fn, ok := decl.(*ast.FuncDecl)
			if ok && fn.Body != nil && listed(fn) && returnsOnly(fn.Type, fn.Body) && !hasDirective(gap, "//go:noinline") {
				list = append(list, &candidate{decl: fn})
			}
		}
	}
	return list
}

// returnsOnly reports whether a function has one result, and one return statement may be
// all that is left of its body once the compiler drops what constants rule out.
func returnsOnly(typ *ast.FuncType, body *ast.BlockStmt) bool {
	if typ.Results.NumFields() != 1 {
		return false
	}
	for _, stmt := range body.List {
		switch stmt := stmt.(type) {
		case *ast.ReturnStmt:
			return true
		case *ast.EmptyStmt, *ast.BlockStmt, *ast.IfStmt, *ast.ForStmt, *ast.SwitchStmt:
		case *ast.DeclStmt:
			if decl, ok := stmt.Decl.(*ast.GenDecl); !ok || decl.Tok == token.VAR {
				return false
			}
		default:
			return false
		}
	}
	return len(body.List) > 0
}

// all reports whether f is true for every element of a list.
func all[T any](list []T, f func(T) bool) bool {
	return !slices.ContainsFunc(list, func(x T) bool { return !f(x) })
}

// single returns the operand of the return statement that the compiler keeps of a list.
// It returns nil if the compiler keeps something else.
func (s *staticInit) single(list []ast.Stmt) ast.Expr {
	c := constants{s.info}
	for _, stmt := range list {
		var branch []ast.Stmt
		switch stmt := stmt.(type) {
		case *ast.ReturnStmt:
			if len(stmt.Results) != 1 {
				return nil
			}
			return stmt.Results[0]
		case *ast.EmptyStmt, *ast.DeclStmt:
		case *ast.ForStmt:
			if value, _ := c.truth(stmt.Cond); value >= 0 || stmt.Init != nil {
				return nil
			}
		case *ast.BlockStmt:
			branch = stmt.List
		case *ast.IfStmt:
			value, _ := c.truth(stmt.Cond)
			switch {
			case value == 0 || stmt.Init != nil:
				return nil
			case value > 0:
				branch = stmt.Body.List
			case stmt.Else != nil:
				branch = []ast.Stmt{stmt.Else}
			}
		case *ast.SwitchStmt:
			clauses, tag := c.clauses(stmt)
			if tag != nil || len(clauses) > 1 || stmt.Init != nil {
				return nil
			}
			for _, clause := range clauses {
				if clause.List != nil {
					return nil
				}
				branch = clause.Body
			}
		default:
			return nil
		}
		if len(branch) > 0 {
			return s.single(branch)
		}
	}
	return nil
}

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
