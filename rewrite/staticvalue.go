// Which expressions the compiler lays out (static.go).
//
// The rules are the compiler's own: StaticAssign in cmd/compile/internal/staticinit.

package rewrite

import (
	"go/ast"
	"go/token"
	"go/types"
)

// isStatic reports whether the compiler lays out x, which is assigned to a variable of
// type typ. It is also true for a literal of which parts are left to code. isStatic
// appends to calls the calls in x that leave no code.
func (s *staticInit) isStatic(x ast.Expr, typ types.Type, env environment, calls *[]*staticCall) bool {
	tv := s.info.Types[x]
	if tv.Value != nil || tv.IsNil() {
		return true
	}
	switch {
	case !s.isInterface(typ):
	case !s.isInterface(tv.Type):
		// The compiler lays out the type. If the value is not static, it is left to code.
		var inner []*staticCall
		if s.isStatic(x, tv.Type, env, &inner) {
			*calls = append(*calls, inner...)
		}
		return true
	case !types.Identical(typ, tv.Type):
		return false
	}
	switch x := x.(type) {
	case *ast.ParenExpr:
		return s.isStatic(x.X, typ, env, calls)
	case *ast.Ident:
		return s.isStaticName(x, typ, env, calls)
	case *ast.SelectorExpr:
		return s.isFunction(x)
	case *ast.UnaryExpr:
		return x.Op == token.AND && s.isStaticAddress(x.X, env, calls)
	case *ast.BinaryExpr:
		return s.isConstant(x, env)
	case *ast.FuncLit:
		return !s.captures(x)
	case *ast.CompositeLit:
		if s.isMap(tv.Type) {
			return false
		}
		s.staticElements(x, env, calls)
		return true
	case *ast.CallExpr:
		return s.isStaticCall(x, typ, env, calls)
	}
	return false
}

// isStaticName is isStatic for an identifier.
func (s *staticInit) isStaticName(x *ast.Ident, typ types.Type, env environment, calls *[]*staticCall) bool {
	switch obj := s.info.Uses[x].(type) {
	case *types.Func:
		return true
	case *types.Var:
		if arg, ok := env[obj]; ok {
			return arg.x != nil && s.isStatic(arg.x, typ, arg.env, calls)
		}
		// The compiler copies what it laid out for the other variable. It does not copy
		// strings, because the linker's -X may replace them.
		return isPackageLevel(obj) && s.isInterface(obj.Type()) == s.isInterface(typ) && !isString(obj.Type())
	}
	return false
}

// isStaticAddress is isStatic for &x.
func (s *staticInit) isStaticAddress(x ast.Expr, env environment, calls *[]*staticCall) bool {
	switch x := x.(type) {
	case *ast.ParenExpr:
		return s.isStaticAddress(x.X, env, calls)
	case *ast.CompositeLit:
		if !s.isMap(s.info.TypeOf(x)) {
			s.staticElements(x, env, calls)
		}
		return true
	case *ast.Ident:
		v, ok := s.info.Uses[x].(*types.Var)
		return ok && isPackageLevel(v)
	case *ast.SelectorExpr:
		if v, ok := s.info.Uses[x.Sel].(*types.Var); ok && isPackageLevel(v) {
			return true // of another package
		}
		sel := s.info.Selections[x]
		return sel != nil && sel.Kind() == types.FieldVal && !sel.Indirect() && s.isStaticAddress(x.X, nil, calls)
	case *ast.IndexExpr:
		_, array := underlying(s.info.TypeOf(x.X)).(*types.Array)
		return array && s.info.Types[x.Index].Value != nil && s.isStaticAddress(x.X, nil, calls)
	}
	return false
}

// staticElements appends to calls the calls in the elements of a literal that leave no
// code.
func (s *staticInit) staticElements(lit *ast.CompositeLit, env environment, calls *[]*staticCall) {
	typ := underlying(s.info.TypeOf(lit))
	if p, ok := typ.(*types.Pointer); ok {
		typ = underlying(p.Elem()) // an element {…} of []*T
	}
	for i, elt := range lit.Elts {
		var key ast.Expr
		if kv, ok := elt.(*ast.KeyValueExpr); ok {
			key, elt = kv.Key, kv.Value
		}
		var elem types.Type
		switch typ := typ.(type) {
		case *types.Struct:
			elem = fieldType(typ, i, key)
		case *types.Array:
			elem = typ.Elem()
		case *types.Slice:
			elem = typ.Elem()
		}
		var inner []*staticCall
		if elem != nil && s.isStatic(elt, elem, env, &inner) {
			*calls = append(*calls, inner...)
		}
	}
}

// fieldType returns the type of the field that an element of a struct literal sets. The
// element has the index i or the key. fieldType returns nil if there is no such field.
func fieldType(typ *types.Struct, i int, key ast.Expr) types.Type {
	name, ok := key.(*ast.Ident)
	for j := range typ.NumFields() {
		if key == nil && i == j || ok && typ.Field(j).Name() == name.Name {
			if typ.Field(j).Name() == "_" {
				return nil
			}
			return typ.Field(j).Type()
		}
	}
	return nil
}

// isStaticCall is isStatic for a call or conversion.
func (s *staticInit) isStaticCall(x *ast.CallExpr, typ types.Type, env environment, calls *[]*staticCall) bool {
	fun := s.info.Types[x.Fun]
	switch {
	case fun.IsType():
		return s.isStaticConversion(x, fun.Type, env, calls)
	case fun.IsBuiltin():
		return false
	}
	c := s.call(x, env)
	if c == nil {
		return false
	}
	arguments, ok := s.bind(c, env)
	if !ok {
		return false
	}
	if c.fn != nil {
		if c.fn.visiting {
			return false // the compiler inlines no recursion
		}
		c.fn.visiting = true
		defer func() { c.fn.visiting = false }()
	}
	// The arguments contain no calls: a call has effects, and bind has ruled those out.
	if !s.isStatic(c.result, s.info.TypeOf(x), arguments, &c.nested) {
		return false
	}
	*calls = append(*calls, c)
	return true
}

func within(inner, outer ast.Node) bool {
	return outer.Pos() <= inner.Pos() && inner.End() <= outer.End()
}

// isStaticConversion is isStatic for the conversion of an operand to a type.
func (s *staticInit) isStaticConversion(x *ast.CallExpr, typ types.Type, env environment, calls *[]*staticCall) bool {
	if len(x.Args) != 1 {
		return false
	}
	arg := x.Args[0]
	from := s.info.TypeOf(arg)
	if from == nil {
		return false
	}
	switch {
	case s.isInterface(typ):
		return s.isStatic(arg, typ, env, calls)
	case types.IdenticalIgnoreTags(underlying(typ), underlying(from)) || isAddress(typ) && isAddress(from):
		return s.isStatic(arg, from, env, calls)
	case isString(from) && !isString(typ):
		return s.isConstant(arg, nil)
	}
	return s.isConstant(arg, env)
}

// call returns the call x if it calls a candidate that the compiler inlines, or a
// function literal of the same form. Otherwise it returns nil.
func (s *staticInit) call(x *ast.CallExpr, env environment) *staticCall {
	fun := ast.Unparen(x.Fun)
	if lit, ok := fun.(*ast.FuncLit); ok {
		if env != nil || !returnsOnly(lit.Type, lit.Body) {
			return nil
		}
		c := &staticCall{call: x, lit: lit, result: s.single(lit.Body.List)}
		if c.result == nil {
			return nil
		}
		return c
	}
	c := &staticCall{call: x}
	switch f := fun.(type) {
	case *ast.IndexExpr:
		fun = f.X
	case *ast.IndexListExpr:
		fun = f.X
	}
	switch f := fun.(type) {
	case *ast.Ident:
		if callee, ok := s.info.Uses[f].(*types.Func); ok {
			c.fn = s.candidates[callee.Origin()]
		}
	case *ast.SelectorExpr:
		sel := s.info.Selections[f]
		if sel == nil || sel.Kind() != types.MethodVal || len(sel.Index()) != 1 {
			return nil
		}
		method, ok := sel.Obj().(*types.Func)
		if !ok || isPointer(sel.Recv()) && !isPointer(method.Signature().Recv().Type()) {
			return nil // reads through a pointer
		}
		c.fn = s.candidates[method.Origin()]
	}
	if c.fn == nil || s.inlineCost(c.fn) > s.budget {
		return nil
	}
	c.result = c.fn.result
	return c
}

// isFunction reports whether a selector is a function of another package or a method
// expression.
func (s *staticInit) isFunction(x *ast.SelectorExpr) bool {
	if sel := s.info.Selections[x]; sel != nil {
		return sel.Kind() == types.MethodExpr
	}
	_, ok := s.info.Uses[x.Sel].(*types.Func)
	return ok
}

func (s *staticInit) isInterface(typ types.Type) bool {
	if typ == nil {
		return false
	}
	_, param := typ.(*types.TypeParam)
	return !param && types.IsInterface(typ)
}

func (s *staticInit) isMap(typ types.Type) bool {
	_, ok := underlying(typ).(*types.Map)
	return ok
}

func isPackageLevel(v *types.Var) bool { return v.Pkg() != nil && v.Parent() == v.Pkg().Scope() }

func isPointer(typ types.Type) bool {
	_, ok := underlying(typ).(*types.Pointer)
	return ok
}

// isAddress reports whether a type is one of pointers, or unsafe.Pointer. A conversion
// from one to another leaves no code.
func isAddress(typ types.Type) bool {
	basic, ok := underlying(typ).(*types.Basic)
	return isPointer(typ) || ok && basic.Kind() == types.UnsafePointer
}

func isString(typ types.Type) bool {
	basic, ok := underlying(typ).(*types.Basic)
	return ok && basic.Info()&types.IsString != 0
}

// underlying returns typ.Underlying(), or nil if typ is nil.
func underlying(typ types.Type) types.Type {
	if typ == nil {
		return nil
	}
	return typ.Underlying()
}
