package e2e

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// A randomModule writes a module at random: a package trace, others that import those
// before them, and main programs. A program does the same in each run. Each of its functions
// tells trace a value when it is called, and trace prints that with the function's name, its
// line, and a checksum of the variables of all packages, also of those that are not
// initialised yet: packages show theirs by an interface, which orders nothing.
type randomModule struct {
	r     *rand.Rand
	files map[string]string

	// Of the package that is written.
	b     strings.Builder
	names int      // used so far
	shown []string // expressions of variables
	ints  []string // variables of type int
	calls []string // formats with two operands; own in front of names of the package
}

const (
	randomPath     = "example.com/random"
	randomPackages = 8

	own = "\x00" // stands for the qualifier of the package's own names
)

// randomEnds are what the programs end with.
var randomEnds = map[string]string{
	"return":  "",
	"exit":    "os.Exit(3)",
	"panic":   `panic(fmt.Sprint("end ", r))`,
	"fault":   "var m map[int]int; m[r] = 1",
	"nil":     "var p *[4]int; fmt.Println(p[r&3])",
	"library": "log.SetFlags(0); log.Fatal(r)",
	"killed":  "_ = syscall.Kill(os.Getpid(), syscall.SIGKILL); select {}",
	"asleep":  "select {}",
	"early":   "", // a variable panics
}

func newRandomModule(seed uint64) map[string]string {
	m := &randomModule{r: rand.New(rand.NewPCG(seed, 1)), files: map[string]string{
		"go.mod":         "module " + randomPath + "\n\ngo 1.24\n",
		"trace/trace.go": traceSource,
	}}
	for i := range randomPackages {
		m.writePackage(fmt.Sprintf("p%d", (5*i+3)%randomPackages)) // names are not in the order of imports
	}
	calls := m.calls
	for _, name := range slices.Sorted(maps.Keys(randomEnds)) {
		m.calls = calls
		m.writeMain(name, randomEnds[name])
	}
	return m.files
}

func (m *randomModule) writePackage(name string) {
	m.names, m.shown, m.ints = 0, nil, nil
	m.b.Reset()
	var texts []string
	take := func() {
		texts = append(texts, m.b.String())
		m.b.Reset()
	}
	m.static()
	for range 6 {
		m.function()
	}
	m.variables(5)
	take()
	for range 4 {
		m.function()
		m.variables(1)
	}
	for range m.r.IntN(3) {
		m.printf("func init() {\n\tr := %d\n", m.r.IntN(9))
		m.body(2, "return")
		m.printf("\ttrace.At(r)\n}\n\n")
	}
	take()
	m.printf("type shown struct{}\n\nfunc (shown) Show() string { return fmt.Sprint(%s) }\n\nvar _ = trace.Register(shown{})\n", strings.Join(m.shown, ", "))
	take()
	texts[0], texts[2] = texts[2], texts[0] // the first variable registers, and sees the others change
	for i, text := range texts {
		m.write(fmt.Sprintf("%s/%c.go", name, 'a'+i), name, text)
	}
	for i, call := range m.calls {
		m.calls[i] = strings.ReplaceAll(call, own, name+".")
	}
}

func (m *randomModule) writeMain(name, end string) {
	m.names, m.shown, m.ints = 0, nil, nil
	m.b.Reset()
	m.static()
	for range 4 {
		m.function()
	}
	m.variables(3)
	if name == "early" {
		m.printf("var _ = func() int { panic(%s) }()\n\n", m.call("1", "2"))
	}
	m.printf("func main() {\n\tr := 1\n\ttrace.At(len(os.Args), errors.ErrUnsupported, syscall.ENOENT, log.Prefix())\n\ttrace.Refill()\n")
	for range 4 {
		m.body(3, "return")
	}
	m.printf("\tfmt.Println(r, %s)\n\ttrace.At(r)\n\t%s\n}\n", strings.Join(m.shown, ", "), end)
	m.write("cmd/"+name+"/main.go", "main", m.b.String())
}

// write writes a file with what it imports.
func (m *randomModule) write(file, pkg, text string) {
	var b strings.Builder
	fmt.Fprintf(&b, "package %s\n\nimport (\n", pkg)
	paths := []string{"errors", "fmt", "log", "os", "slices", "syscall", randomPath + "/trace"}
	for i := range randomPackages {
		paths = append(paths, fmt.Sprintf("%s/p%d", randomPath, i))
	}
	for _, path := range paths {
		if strings.Contains(text, path[strings.LastIndex(path, "/")+1:]+".") {
			fmt.Fprintf(&b, "\t%q\n", path)
		}
	}
	m.files[file] = b.String() + ")\n\n" + text
}

func (m *randomModule) printf(format string, args ...any) { fmt.Fprintf(&m.b, format, args...) }

// name returns a new name.
func (m *randomModule) name(prefix string) string {
	m.names++
	return fmt.Sprintf("%s%d", prefix, m.names)
}

// of returns one of the texts.
func (m *randomModule) of(texts ...string) string { return texts[m.r.IntN(len(texts))] }

// call returns a call of a function that is there already.
func (m *randomModule) call(a, b string) string {
	if len(m.calls) == 0 {
		return a
	}
	call := m.calls[len(m.calls)-1-m.r.IntN(min(len(m.calls), 40))]
	return fmt.Sprintf(strings.ReplaceAll(call, own, ""), a, b)
}

// operand returns an expression of type int that calls nothing.
func (m *randomModule) operand() string {
	n := m.r.IntN(20)
	if len(m.ints) > 0 && m.r.IntN(4) == 0 {
		return m.of(m.ints...)
	}
	return m.of("r", fmt.Sprint(n), fmt.Sprintf("r+%d", n), fmt.Sprintf("(r^%d)", n), fmt.Sprintf("r&7*%d", n), "-r")
}

// static writes types, and functions that make values of them. What initialisers get from
// these may be laid out, which shows in the checksum before they have their turn.
func (m *randomModule) static() {
	small, large := m.name("T"), m.name("U")
	m.printf("type %s struct {\n\tN int\n\tS string\n}\n\n", small)
	m.printf("type %s struct {\n\tA %s\n\tP *%s\n\tL []int\n\tE any\n}\n\n", large, small, small)
	value, pointer, nested, generic := m.name("new"), m.name("new"), m.name("new"), m.name("new")
	m.printf("func %s(n int) %s { return %s{N: n, S: %q} }\n\n", value, small, small, value)
	m.printf("func %s(n int) *%s {\n\treturn &%s{n + 1, \"x\"}\n}\n\n", pointer, small, small)
	m.printf("func %s(n int) *%s {\n\tif false {\n\t\tprintln(n)\n\t}\n\treturn &%s{A: %s(n), P: %s(n), L: []int{n, 2}, E: n}\n}\n\n",
		nested, large, large, value, pointer)
	m.printf("func %s[X any](x X) []X { return []X{x, x} }\n\n", generic)
	m.printf("func (t %s) With(n int) %s { return %s{n, t.S} }\n\n", small, small, small)
	for _, x := range []struct{ init, show string }{
		{value + "(%d)", "%s"},
		{value + "(%d).With(3)", "%s"},
		{"*" + pointer + "(%d)", "%s"},
		{pointer + "(%d)", "%[1]s != nil && %[1]s.N > 0"},
		{nested + "(%d)", "%[1]s != nil && %[1]s.P != nil && %[1]s.A.N > 0"},
		{"*" + nested + "(%d)", "%[1]s.A, %[1]s.P != nil, %[1]s.L, %[1]s.E"},
		{generic + "(%d)", "%s"},
		{"any(" + value + "(%d))", "%s"},
		{"func() " + small + " { return " + value + "(%d) }()", "%s"},
	} {
		v := m.name("v")
		m.printf("var "+v+" = "+x.init+"\n\n", m.r.IntN(99))
		m.shown = append(m.shown, fmt.Sprintf(x.show, v))
	}
}

// variables writes variables, some of which call functions.
func (m *randomModule) variables(n int) {
	for range n {
		v := m.name("v")
		a, b := fmt.Sprint(m.r.IntN(50)), fmt.Sprint(m.r.IntN(50))
		switch m.r.IntN(7) {
		case 0:
			m.printf("var %s = %s\n\n", v, a)
			m.ints = append(m.ints, v)
		case 1:
			m.printf("var %s, %sb = %s, %s\n\n", v, v, m.call(a, b), m.call(b, a))
			m.shown = append(m.shown, v+"b")
		case 2:
			m.printf("var %s = map[string]int{\n\t\"a\": %s,\n\t\"b\": %s,\n}\n\n", v, m.call(a, b), b)
		case 3:
			m.printf("var %s = func() int {\n\tr := %s\n", v, a)
			m.body(1, "return r")
			m.printf("\treturn r\n}()\n\n")
		case 4:
			m.printf("var %s = [...]int{%s, %s, %s}\n\n", v, m.call(a, b), a, m.call(b, b))
		default:
			m.printf("var %s int = %s\n\n", v, m.call(a, b))
			m.ints = append(m.ints, v)
		}
		m.shown = append(m.shown, v)
	}
}
