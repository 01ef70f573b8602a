// What a function costs in the compiler's inliner (static.go).
//
// The cost is the number of nodes of the function, with a surcharge for some of them
// (hairyVisitor in cmd/compile/internal/inline).

package rewrite

import (
	"go/ast"
	"go/token"
	"go/types"
)

const (
	callCost      = 57      // surcharge for a call that is not inlined
	importedCost  = 5       // our guess for a call of another package's function
	literalCost   = 15      // surcharge for a function literal
	notInlineable = 1 << 20 // the cost of a function that is never inlined
	inProgress    = -1      // the cost of a candidate while it is computed
)

// inlineCost returns the cost of a function.
func (s *staticInit) inlineCost(fn *candidate) int {
	switch fn.cost {
	case 0:
		fn.cost = inProgress
		fn.cost = 1 + s.cost(fn.result) + s.conversionCost(fn.result, s.resultType(fn))
	case inProgress:
		return notInlineable // the function calls itself
	}
	return fn.cost
}

func (s *staticInit) resultType(fn *candidate) types.Type {
	return s.info.TypeOf(fn.decl.Type.Results.List[0].Type)
}

// conversionCost returns the cost of the implicit conversion of an expression to a type.
func (s *staticInit) conversionCost(x ast.Expr, typ types.Type) int {
	if tv := s.info.Types[x]; isInterface(typ) && !tv.IsNil() && !isInterface(tv.Type) {
		return 1
	}
	return 0
}

// cost returns the cost of an expression.
func (s *staticInit) cost(x ast.Expr) int {
	if tv := s.info.Types[x]; tv.Value != nil || tv.IsType() {
		return 1
	}
	switch x := x.(type) {
	case *ast.ParenExpr:
		return s.cost(x.X)
	case *ast.UnaryExpr:
		return 1 + s.cost(x.X)
	case *ast.StarExpr:
		return 1 + s.cost(x.X)
	case *ast.TypeAssertExpr:
		return 1 + s.cost(x.X)
	case *ast.IndexExpr:
		return 1 + s.cost(x.X) + s.cost(x.Index)
	case *ast.SliceExpr:
		n := 1 + s.cost(x.X)
		for _, i := range []ast.Expr{x.Low, x.High, x.Max} {
			if i != nil {
				n += s.cost(i)
			}
		}
		return n
	case *ast.SelectorExpr:
		if s.info.Selections[x] == nil {
			return 1 // of another package
		}
		return 1 + s.cost(x.X)
	case *ast.BinaryExpr:
		n := s.cost(x.X) + s.cost(x.Y)
		if y, ok := x.X.(*ast.BinaryExpr); ok && x.Op == token.ADD && y.Op == token.ADD && isString(s.info.TypeOf(x)) {
			return n // one node joins all strings
		}
		return 1 + n
	case *ast.FuncLit:
		return 1 + literalCost
	case *ast.CompositeLit:
		return s.literalCost(x)
	case *ast.CallExpr:
		return s.callCost(x)
	}
	return 1
}

func (s *staticInit) literalCost(lit *ast.CompositeLit) int {
	n := 1
	typ := underlying(s.info.TypeOf(lit))
	if p, ok := typ.(*types.Pointer); ok {
		n, typ = n+1, underlying(p.Elem())
	}
	if _, ok := typ.(*types.Slice); ok {
		n++
	}
	for i, elt := range lit.Elts {
		var key ast.Expr
		if kv, ok := elt.(*ast.KeyValueExpr); ok {
			key, elt = kv.Key, kv.Value
		}
		n += s.cost(elt)
		switch typ := typ.(type) {
		case *types.Struct:
			n += 1 + s.conversionCost(elt, fieldType(typ, i, key))
		case *types.Map:
			n += 1 + s.cost(key) + s.conversionCost(elt, typ.Elem())
		case *types.Slice:
			n += s.conversionCost(elt, typ.Elem())
		case *types.Array:
			n += s.conversionCost(elt, typ.Elem())
		}
	}
	return n
}

func (s *staticInit) callCost(x *ast.CallExpr) int {
	n := 1
	fun := s.info.Types[x.Fun]
	if fun.IsType() && len(x.Args) == 1 { // else the compiler refuses it
		if from := s.info.TypeOf(x.Args[0]); from != nil && types.IdenticalIgnoreTags(underlying(fun.Type), underlying(from)) {
			n = 0
		}
	}
	signature, _ := underlying(fun.Type).(*types.Signature)
	for i, arg := range x.Args {
		n += s.cost(arg)
		if signature != nil && !fun.IsType() && i < signature.Params().Len() {
			n += s.conversionCost(arg, signature.Params().At(i).Type())
		}
	}
	if fun.IsType() || fun.IsBuiltin() {
		return n
	}
	var callee types.Object
	switch f := ast.Unparen(x.Fun).(type) {
	case *ast.Ident:
		n++
		callee = s.info.Uses[f]
	case *ast.SelectorExpr:
		if sel := s.info.Selections[f]; sel != nil {
			n += s.cost(f.X)
			callee = sel.Obj()
		} else {
			n++
			callee = s.info.Uses[f.Sel]
		}
	default:
		n += s.cost(f)
	}
	if fn := s.candidates[callee]; fn != nil {
		if cost := s.inlineCost(fn); cost <= maxInlineCost {
			return n + cost
		}
	}
	if callee != nil && callee.Pkg() != nil && callee.Pkg().Path() != s.p.opts.ImportPath {
		return n + importedCost
	}
	return n + callCost
}

// initSize returns the number of nodes in the package's initialisers.
func (s *staticInit) initSize(files []*file) (n int) {
	for _, f := range files {
		for _, v := range variables(f.tree) {
			for _, x := range v.Values {
				n += 2 + s.cost(x)
			}
		}
	}
	return n
}

// fieldType returns the type of the field that an element of a struct literal sets. The
// element has the index i or the key. fieldType returns nil if there is no such field.
func fieldType(typ *types.Struct, i int, key ast.Expr) types.Type {
	name, ok := key.(*ast.Ident)
	for j := range typ.NumFields() {
		if key == nil && i == j || ok && typ.Field(j).Name() == name.Name {
			return typ.Field(j).Type()
		}
	}
	return nil
}
