package e2e

import "strings"

// randomStatements are what functions do with r. BODY stands for other statements, CALL
// for a call, X for an operand, LABEL for a label, and RETURN for a return from the function.
var randomStatements = []string{
	"r += X\n",
	"r += X\n",
	"if trace.Spend() {\nr += CALL\n}\n",
	"if trace.Spend() {\nr += CALL\n}\n",
	"if trace.Spend() {\nr += CALL - CALL\n}\n",
	"if trace.Spend() && r&1 == 0 || trace.Spend() && r&2 == 0 {\nBODYr += CALL\n}\n",
	"trace.At(r, X)\n",
	"trace.Stack()\n",
	"r += trace.Depth()\n",
	"if r&3 == 1 {\nBODY} else {\nBODY}\n",
	"if r&31 == 7 {\nRETURN\n}\n",
	"for i := range 3 {\nr += i\nBODYif r&3 == i {\ncontinue\n}\nr++\n}\n",
	"for i := 0; i < 3; i++ {\nBODYif r&7 == i {\nbreak\n}\n}\n",
	"LABEL:\nfor i := range 3 {\nfor range 2 {\nr += i\nif r%5 == 0 {\ncontinue LABEL\n}\nif r%7 == 1 {\nbreak LABEL\n}\n}\n}\n",
	"switch r & 3 {\ncase 0:\nBODYfallthrough\ncase 1:\nr++\ndefault:\nBODY}\n",
	"switch x := any(r).(type) {\ncase string:\nr = len(x)\ncase int:\nr += x & 3\n}\n",
	"func() {\ndefer func() { trace.At(recover()) }()\nBODYif r&1 == 0 {\npanic(r)\n}\nr++\n}()\n",
	"func() {\ndefer func() {\nif e := recover(); e != nil {\ntrace.At(e)\nBODY}\n}()\nvar list []int\nr += list[r&3]\n}()\n",
	"func() {\ndefer func() { trace.At(recover()) }()\nvar e any = r\nr += len(e.(string))\n}()\n",
	"func() {\ndefer func() { trace.At(recover()) }()\nvar p *[3]int\nBODYr += p[r&1]\n}()\n",
	"func() {\ndefer func() { trace.At(recover()); trace.Stack() }()\ndefer func() { panic(fmt.Sprint(recover(), r)) }()\nr /= r - r\n}()\n",
	"{\ndone := make(chan int)\ngo func(n int) {\ndefer close(done)\nr += n\nBODY}(r)\nr += <-done\n}\n",
	"{\nc := make(chan int, 1)\nselect {\ncase c <- r:\nr += <-c & 15\ncase n := <-c:\nr -= n\n}\n}\n",
	"{\nn := 0\nLABEL:\nif n < 2 {\nn++\nr++\ngoto LABEL\n}\n}\n",
	"for v := range func(yield func(int) bool) {\ntrace.At(r)\nfor i := range 3 {\nif !yield(i + r&1) {\nreturn\n}\n}\n} {\nr += v\nBODYif r&7 == 0 {\nbreak\n}\n}\n",
	"for range func(yield func() bool) { _ = yield() && yield() } {\ndefer trace.At(r)\nif r&15 == 2 {\nRETURN\n}\nr++\n}\n",
	"defer func(n int) { trace.At(n, r) }(r)\n",
	"{\nf := func(n int) int { trace.At(n); r++; return n + r }\nr += f(X) + f(X)\n}\n",
	"{\nlist := []int{3, r & 7, 1}\nslices.SortFunc(list, func(a, b int) int { r++; return a - b })\nr += list[0]\n}\n",
}

// body writes some statements. ret is the return from the function.
func (m *randomModule) body(depth int, ret string) {
	if depth < 0 {
		return
	}
	for range 1 + m.r.IntN(3) {
		m.printf("%s", m.statement(depth, ret))
	}
	if len(m.ints) > 0 && m.r.IntN(6) == 0 {
		m.printf("%s += r & 3\n", m.of(m.ints...))
	}
}

func (m *randomModule) statement(depth int, ret string) string {
	text := m.of(randomStatements...)
	if strings.Contains(text, "LABEL") {
		text = strings.ReplaceAll(text, "LABEL", m.name("label"))
	}
	inner := ret
	if strings.Contains(text, "func(") {
		inner = "_ = r"
	}
	for _, hole := range []struct {
		name string
		fill func() string
	}{
		{"BODY", func() string { return m.nested(depth-1, inner) }},
		{"CALL", func() string { return m.call(m.operand(), m.operand()) }},
		{"RETURN", func() string { return ret }},
		{"X", m.operand},
	} {
		for strings.Contains(text, hole.name) {
			text = strings.Replace(text, hole.name, hole.fill(), 1)
		}
	}
	return text
}

// nested returns what body writes.
func (m *randomModule) nested(depth int, ret string) string {
	outer := m.b.String()
	m.b.Reset()
	m.body(depth, ret)
	text := m.b.String()
	m.b.Reset()
	m.b.WriteString(outer)
	return text
}
