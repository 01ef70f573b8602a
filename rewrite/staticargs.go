// Whether the compiler puts arguments in the place of parameters (static.go).
//
// The value of a call can only be laid out if the result of the function still can once
// each parameter is replaced by its argument.

package rewrite

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
)

// An argument is the expression that a parameter stands for.
type argument struct {
	x   ast.Expr    // in the calling function; nil if no single expression was passed
	env environment // of the calling function
}

// An environment holds the arguments of a call by the parameters of the function.
type environment map[types.Object]argument

// bind returns the arguments of a call. ok is false if the compiler does not replace the
// parameters by them: an argument has effects, or it is used more than once and must not
// be repeated.
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
			args = nil // the compiler puts them in a slice
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

// mayReplace reports whether arguments can replace the parameters in result.
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

// rootOf returns the variable of which x is a part, or nil.
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

// captures reports whether a function literal uses a local variable of the function
// around it.
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

// isConstant reports whether x is constant once arguments replace the parameters. At that
// point the compiler evaluates no operator but the concatenation of strings.
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

// hasEffects reports whether the compiler assumes that an expression has side effects
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

// isHarmless reports whether a call is a conversion or calls a builtin without effects.
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

// canRepeat reports whether an argument may replace a parameter that is used more than
// once (canRepeat in cmd/compile/internal/staticinit).
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
