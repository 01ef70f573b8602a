// Which expressions the compiler lays out, by its own rules
// (StaticAssign in cmd/compile/internal/staticinit).

package rewrite

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
)

// An argument is what a parameter stands for: an expression in the function that
// calls, nil for none.
type argument struct {
	x   ast.Expr
	env environment // of the calling function
}

// An environment holds the arguments of a function that was called.
type environment map[types.Object]argument

// value reports whether the compiler lays out the value of an expression that is
// assigned to a variable of the type. It may leave parts of a literal to code. The calls
// that leave no code are appended to calls.
func (s *staticInit) isStatic(x ast.Expr, typ types.Type, env environment, calls *[]*staticCall) bool {
	tv := s.info.Types[x]
	if tv.Value != nil || tv.IsNil() {
		return true
	}
	switch {
	case !s.isInterface(typ):
	case !s.isInterface(tv.Type):
		// The type is known, and a value that is not is left to code.
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

// name is value for an identifier.
func (s *staticInit) isStaticName(x *ast.Ident, typ types.Type, env environment, calls *[]*staticCall) bool {
	switch obj := s.info.Uses[x].(type) {
	case *types.Func:
		return true
	case *types.Var:
		if arg, ok := env[obj]; ok {
			return arg.x != nil && s.isStatic(arg.x, typ, arg.env, calls)
		}
		// What the other variable was laid out as is copied. Not so strings, which
		// the linker's -X may replace.
		return isPackageLevel(obj) && s.isInterface(obj.Type()) == s.isInterface(typ) && !isString(obj.Type())
	}
	return false
}

// address is value for what an & stands in front of.
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

// elements finds the calls among the elements of a literal that leave no code.
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

// fieldType returns the type of the field that the element of that index or key is
// for, nil for none.
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

// callValue is value for a conversion or call.
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
	// Arguments hold no calls, as these have effects.
	if !s.isStatic(c.result, s.info.TypeOf(x), arguments, &c.nested) {
		return false
	}
	*calls = append(*calls, c)
	return true
}

func within(inner, outer ast.Node) bool {
	return outer.Pos() <= inner.Pos() && inner.End() <= outer.End()
}

// conversion is value for the conversion of an operand to a type.
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
	case types.IdenticalIgnoreTags(underlying(typ), underlying(from)) || isPointer(typ) && isPointer(from):
		return s.isStatic(arg, from, env, calls)
	case isString(from) && !isString(typ):
		return s.isConstant(arg, nil)
	}
	return s.isConstant(arg, env)
}

// call returns the call if it is of a function, or a function literal, whose body is
// one return statement and that the compiler inlines, and nil otherwise.
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

// bind returns the arguments of a call by the parameters of the function. ok is false
// if the compiler does not put them in the parameters' place: they have effects, or
// are used more than once and may not be repeated.
func (s *staticInit) bind(c *staticCall, env environment) (arguments environment, ok bool) {
	arguments = environment{}
	typ := (*ast.FuncType)(nil)
	if c.lit != nil {
		typ = c.lit.Type
	} else {
		typ = c.fn.decl.Type
	}
	args := slices.Clone(c.call.Args)
	fields := typ.Params.List
	if c.fn != nil && c.fn.decl.Recv != nil {
		args = append([]ast.Expr{ast.Unparen(c.call.Fun).(*ast.SelectorExpr).X}, args...)
		fields = append(slices.Clone(c.fn.decl.Recv.List), fields...)
	}
	variadic := false
	bindTo := func(name *ast.Ident) {
		arg := argument{env: env}
		switch {
		case variadic:
			args = nil // in a slice that the compiler makes
		case len(args) > 0:
			arg.x, args = args[0], args[1:]
		}
		if obj := s.info.Defs[name]; obj != nil {
			arguments[obj] = arg
		}
	}
	for _, arg := range args {
		if s.hasEffects(arg) {
			return nil, false
		}
	}
	for _, field := range fields {
		if _, ok := field.Type.(*ast.Ellipsis); ok && !c.call.Ellipsis.IsValid() {
			variadic = true
		}
		for _, name := range field.Names {
			bindTo(name)
		}
		if len(field.Names) == 0 {
			bindTo(ast.NewIdent("_"))
		}
	}
	if len(args) > 0 {
		return nil, false // f(g()) with several results
	}
	return arguments, s.mayReplace(c.result, arguments)
}

// mayReplace reports whether arguments can stand in the parameters' place.
func (s *staticInit) mayReplace(result ast.Expr, arguments environment) bool {
	ok := true
	uses := map[types.Object]int{}
	ast.Inspect(result, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			if _, isParam := arguments[s.info.Uses[n]]; isParam {
				uses[s.info.Uses[n]]++
			}
		case *ast.FuncLit:
			ok = ok && !s.captures(n)
			return false
		case *ast.UnaryExpr:
			_, isParam := arguments[s.rootOf(n.X)]
			ok = ok && !(n.Op == token.AND && isParam)
		case *ast.SliceExpr:
			_, isParam := arguments[s.rootOf(n.X)]
			_, array := underlying(s.info.TypeOf(n.X)).(*types.Array)
			ok = ok && !(isParam && array)
		}
		return ok
	})
	for obj, n := range uses {
		if n > 1 && (arguments[obj].x == nil || !s.canRepeat(arguments[obj].x)) {
			return false
		}
	}
	return ok
}

// rootOf returns the variable whose part an expression is, nil if there is none.
func (s *staticInit) rootOf(x ast.Expr) types.Object {
	for {
		switch e := x.(type) {
		case *ast.ParenExpr:
			x = e.X
		case *ast.SelectorExpr:
			x = e.X
		case *ast.IndexExpr:
			x = e.X
		case *ast.Ident:
			return s.info.Uses[e]
		default:
			return nil
		}
	}
}

// captures reports whether a function literal uses a local variable that is declared
// outside of it.
func (s *staticInit) captures(lit *ast.FuncLit) bool {
	found := false
	ast.Inspect(lit.Body, func(n ast.Node) bool {
		if name, ok := n.(*ast.Ident); ok {
			v, ok := s.info.Uses[name].(*types.Var)
			found = found || ok && !v.IsField() && !isPackageLevel(v) && v.Pkg() != nil && (v.Pos() < lit.Pos() || v.Pos() > lit.End())
		}
		return !found
	})
	return found
}

// constant reports whether an expression is one after arguments were put in the
// parameters' place: of operators the compiler then knows the joining of strings only.
func (s *staticInit) isConstant(x ast.Expr, env environment) bool {
	if s.info.Types[x].Value != nil {
		return true
	}
	switch x := x.(type) {
	case *ast.ParenExpr:
		return s.isConstant(x.X, env)
	case *ast.Ident:
		arg := env[s.info.Uses[x]]
		return arg.x != nil && s.isConstant(arg.x, arg.env)
	case *ast.BinaryExpr:
		return x.Op == token.ADD && isString(s.info.TypeOf(x)) && s.isConstant(x.X, env) && s.isConstant(x.Y, env)
	}
	return false
}

// hasEffects reports whether the compiler reckons with effects of an expression
// (isSideEffect in cmd/compile/internal/staticinit).
func (s *staticInit) hasEffects(x ast.Expr) bool {
	found := false
	ast.Inspect(x, func(n ast.Node) bool {
		x, ok := n.(ast.Expr)
		if !ok || found {
			return !found
		}
		if tv := s.info.Types[x]; tv.Value != nil || tv.IsType() {
			return false
		}
		switch x := x.(type) {
		case *ast.FuncLit, *ast.StarExpr, *ast.IndexExpr, *ast.SliceExpr, *ast.TypeAssertExpr:
			found = true
		case *ast.UnaryExpr:
			found = x.Op == token.ARROW
		case *ast.BinaryExpr:
			found = (x.Op == token.QUO || x.Op == token.REM) && !s.isNonZero(x.Y)
		case *ast.SelectorExpr:
			sel := s.info.Selections[x]
			found = sel != nil && (sel.Kind() != types.FieldVal || sel.Indirect())
			return sel != nil
		case *ast.CallExpr:
			found = !s.isHarmless(x)
		}
		return !found
	})
	return found
}

func (s *staticInit) isNonZero(x ast.Expr) bool {
	v := s.info.Types[x].Value
	return v != nil && constant.Sign(v) != 0
}

// isHarmless reports whether a call is a conversion, or of a builtin that has no
// effects.
func (s *staticInit) isHarmless(x *ast.CallExpr) bool {
	fun := s.info.Types[x.Fun]
	if !fun.IsBuiltin() {
		return fun.IsType()
	}
	switch calledName(x.Fun) {
	case "len", "cap", "complex", "real", "imag", "new":
		return true
	case "make":
		switch underlying(s.info.TypeOf(x)).(type) {
		case *types.Map, *types.Chan:
			return len(x.Args) == 1
		}
	}
	return false
}

// canRepeat reports whether an argument may be put in the place of a parameter more
// than once (canRepeat in cmd/compile/internal/staticinit).
func (s *staticInit) canRepeat(x ast.Expr) bool {
	ok := true
	ast.Inspect(x, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.UnaryExpr:
			_, lit := ast.Unparen(n.X).(*ast.CompositeLit)
			ok = ok && !(n.Op == token.AND && lit)
		case *ast.CompositeLit:
			switch underlying(s.info.TypeOf(n)).(type) {
			case *types.Map, *types.Slice, *types.Pointer:
				ok = false
			}
		case *ast.CallExpr:
			switch {
			case s.info.Types[n].Value != nil:
			case s.info.Types[n.Fun].IsBuiltin():
				name := calledName(n.Fun)
				ok = ok && name != "make" && name != "new"
			case isString(s.info.TypeOf(n.Args[0])) && !isString(s.info.TypeOf(n)):
				ok = false
			}
		}
		return ok
	})
	return ok
}

// isFunction reports whether a selector is a function of another package, or a method
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

func isString(typ types.Type) bool {
	basic, ok := underlying(typ).(*types.Basic)
	return ok && basic.Info()&types.IsString != 0
}

// underlying is the method of that name for types that may be nil.
func underlying(typ types.Type) types.Type {
	if typ == nil {
		return nil
	}
	return typ.Underlying()
}
