package e2e

import "strings"

// traceSource is the package that prints what the others do. Each call of a function by
// another takes fuel, without which nothing more is called.
const traceSource = `package trace

import (
	"fmt"
	"hash/fnv"
	"runtime"
	"strings"
)

type Shower interface{ Show() string }

var showers []Shower

var fuel = 300

func Register(s Shower) bool { showers = append(showers, s); return true }

func Refill() { fuel = 400 }

func Spend() bool { fuel--; return fuel > 0 }

//go:noinline
func At(values ...any) {
	pc, file, line, _ := runtime.Caller(1)
	h := fnv.New32a()
	for _, s := range showers {
		h.Write([]byte(s.Show()))
	}
	fmt.Println("at", runtime.FuncForPC(pc).Name(), file[strings.LastIndex(file, "/")+1:], line, h.Sum32(), values)
}

//go:noinline
func Stack() {
	pcs := make([]uintptr, 100)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for more := true; more; {
		var f runtime.Frame
		if f, more = frames.Next(); strings.HasPrefix(f.Function, "runtime.") {
			fmt.Println("in", f.Function)
		} else {
			fmt.Println("in", f.Function, f.Line)
		}
	}
}

//go:noinline
func Depth() int { return runtime.Callers(0, make([]uintptr, 100)) }
`

// function writes a function, or a type with a method.
func (m *randomModule) function() {
	f := m.name("F")
	above := m.of("", "", "", "//go:noinline\n", "//go:norace\n", "// A comment.\n", "//line generated.y:100\n")
	call := own + f + "(%s, %s)"
	switch m.r.IntN(8) {
	case 0:
		m.printf("type %s int\n\n%sfunc (t %s) M(a int) int {", f, above, f)
		m.prologue("int(t) + a")
		call = strings.ReplaceAll(m.of("F(%s).M(%s)", "F.M(F(%s), %s)", "interface{ M(int) int }(F(%s)).M(%s)",
			"func(t F, n int) int { f := t.M; return f(n) }(F(%s), %s)"), "F", own+f)
	case 1:
		m.printf("type %s struct{ N int }\n\n%sfunc (t *%s) M(a int) int {", f, above, f)
		m.prologue("t.N + a")
		call = strings.ReplaceAll(m.of("(&F{N: %s}).M(%s)", "(*F).M(&F{%s}, %s)", "struct{ *F }{&F{%s}}.M(%s)",
			"interface{ M(int) int }(struct{ *F }{&F{%s}}).M(%s)"), "F", own+f)
	case 2:
		m.printf("%sfunc %s[X ~int | ~string](x X, a int) int {", above, f)
		m.prologue("len(fmt.Sprint(x)) + a")
		call = own + f + m.of("(%s, %s)", "(string(rune('a'+(%s)&7)), %s)")
	case 3:
		m.printf("type %[1]s[X any] struct{ x X; a int }\n\nfunc New%[1]s[X any](x X, a int) *%[1]s[X] { return &%[1]s[X]{x, a} }\n\n%[2]sfunc (t *%[1]s[X]) M(a int) int {", f, above)
		m.prologue("len(fmt.Sprint(t.x)) + t.a - a")
		call = own + "New" + f + m.of("(1, %s).M(%s)", "(\"x\", %s).M(%s)")
	case 4:
		m.printf("%sfunc %s(a, b int) (r int) {%s", above, f, m.of("\n", " "))
		m.printf("\tdefer func() {\n\t\tif e := recover(); e != nil {\n\t\t\tr += 5\n\t\t}\n\t\ttrace.At(r)\n\t}()\n\tr = a ^ b\n\ttrace.At(r)\n")
	default:
		m.printf("%sfunc %s(a, b int) int {", above, f)
		m.prologue("a - b")
	}
	m.body(2, "return r")
	m.printf("\treturn r\n}\n\n")
	m.calls = append(m.calls, call)
}

// prologue writes the first statements of a function, which define r. Marks go somewhere
// among them.
func (m *randomModule) prologue(value string) {
	m.printf("%s", m.of("\n", "\n", " ", " // A comment.\n", " /* A comment. */ ", "\n\n"))
	start := m.of(
		"r := V\n",
		"r := V\n",
		"r := V; ",
		"var r int\n\tr = V\n",
		"const k = 3\n\ttype local struct{ n int }\n\tr := local{V}.n + k\n",
		"switch {\n\tcase a > 3:\n\t\ttrace.Spend()\n\t}\n\tr := V\n",
		"switch a := a & 1; a {\n\tcase 0:\n\t\ttrace.Spend()\n\t}\n\tr := V\n",
		"loop: for i := 0; ; i++ {\n\t\tif i > 1 {\n\t\t\tbreak loop\n\t\t}\n\t}\n\tr := V\n",
		"{\n\t\t_ = a\n\t}\n\tr := V\n",
		"first := a\n\tsecond := first\n\tr := V + second - first\n",
		"if false {\n\t\tprintln()\n\t}\n\tr := V\n",
		"if n := a & 3; n > 1 {\n\t\ta++\n\t}\n\tr := V\n",
		"defer trace.Spend()\n\tr := V\n",
		"select {\n\tdefault:\n\t}\n\tr := V\n",
		"var list []int; for range list {\n\t\ta++\n\t}\n\tr := V\n",
	)
	m.printf("%s\ttrace.At(r)\n", strings.ReplaceAll(start, "V", value))
}
