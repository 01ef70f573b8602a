package compile

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/rewrite"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchaintest"
)

// What -gcflags=-m=2 prints of a marked package, without the marks, is what a plain build
// prints too.
func TestWithoutMarks(t *testing.T) {
	for line, want := range map[string]string{
		"a.go:7:6: can inline f with cost 4 as: func(int) int { _scavenger_f1_counters[0] = _scavenger_f1_hit(_scavenger_f1[4096], &_scavenger_f1[4096]); return a + 1 }": "a.go:7:6: can inline f with cost 4 as: func(int) int { return a + 1 }",
		"a.go:7:6: can inline f with cost 0 as: func() { _scavenger_f1_counters[0] = _scavenger_f1_hit(&_scavenger_f1[4103]) }":                                           "a.go:7:6: can inline f with cost 0 as: func() {  }",
		"a.go:7:6: can inline f with cost 5 as: func() { x := 0; _scavenger_f1_generic.m4099(_scavenger_f1_generic(_scavenger_f1_generic.m4099)); x++ }":                  "a.go:7:6: can inline f with cost 5 as: func() { x := 0; x++ }",
		"a.go:7:6: can inline f with cost 5 as: func() { x := 0; lib._scavenger_f1_generic.m4099(lib._scavenger_f1_generic(lib._scavenger_f1_generic.m4099)) }":           "a.go:7:6: can inline f with cost 5 as: func() { x := 0 }",
		"a.go:7:6: can inline f with cost 5 as: func() { if _scavenger_f1[4096] == uint8(0) { _scavenger_f1[4096] = uint8(1) }; g() }":                                    "a.go:7:6: can inline f with cost 5 as: func() { g() }",
		"a.go:7:6: can inline f with cost 5 as: func() { goCover_f1__scavenger_f1_counters[0] = _scavenger_f1_hit(_scavenger_f1[4096], &_scavenger_f1[4096]); g() }":      "a.go:7:6: can inline f with cost 5 as: func() { g() }",
		"a.go:7:6: can inline g with cost 5 as: func() { _scavenger_f1_hit(&_scavenger_f1[4096]); if x { _scavenger_f1_hit(&_scavenger_f1[4097]) } }":                     "a.go:7:6: can inline g with cost 5 as: func() { if x {  } }",
		"a.go:7:90: inlining call to _scavenger_f1_hit":        "",
		"_scavenger_marks.go:16: can inline _scavenger_f1_hit": "",
		"_scavenger_marks.go:16: p does not escape":            "",
		"a.go:7:90: inlining call to f":                        "a.go:7:90: inlining call to f",
		"a.go:7:6: cannot inline f: marked go:noinline":        "a.go:7:6: cannot inline f: marked go:noinline",
	} {
		if want != "" {
			want += "\n"
		}
		got := string(withoutMarks([]byte("first\n" + line + "\nlast\n")))
		if got != "first\n"+want+"last\n" {
			t.Errorf("of %s\nis left %s", line, strings.TrimSuffix(strings.TrimPrefix(got, "first\n"), "last\n"))
		}
	}
}

// mark marks a file of package example.com/lib, and returns the further arguments with
// which compile must be called.
func mark(tc toolchaintest.Toolchain, file, text string) (res *rewrite.Result, args []string) {
	tc.Helper()
	res, err := rewrite.Package(rewrite.Options{ImportPath: "example.com/lib", Free: true}, []rewrite.Source{{Name: file, Text: []byte(text)}})
	if err != nil {
		tc.Fatal(err)
	}
	return res, []string{"-coveragecfg=" + tc.Write("coveragecfg", string(res.CoverageCfg)),
		tc.Write("marked.go", string(res.Files[0])), tc.Write("marks.go", string(res.Declarations))}
}

// The compiler takes free marks for coverage counters. They cost nothing in the budget
// for inlining, their call is inlined, and they initialise nothing.
func TestToolchainFreeMarks(t *testing.T) {
	const text = `package lib

type T struct{ n int }

func (t *T) Get() int { return t.n }

func Add(a, b int) int { return a + b }

func Sum(list []int) (n int) {
	for _, v := range list {
		n = Add(n, v)
	}
	return n
}

func Limit(a, b, c, d int) int {
	if a > b { a *= b }
	if b > c { b *= c }
	if c > d { c *= d }
	if d > a { d *= a }
	if a > c { a *= d }
	return a + b*c*d
}

func Call(f func(int) int) int { return f(1) + f(2) }

func First[E any](list []E) E { return list[0] }

//go:noinline
func Use() int { return First([]int{1}) }
`
	costs := func(output string) map[string]string {
		found := map[string]string{}
		for _, m := range regexp.MustCompile(`can inline (\S+) with cost (\d+)`).FindAllStringSubmatch(output, -1) {
			found[m[1]] = m[2]
		}
		return found
	}
	toolchaintest.Each(t, func(tc toolchaintest.Toolchain) {
		file := tc.Write("lib.go", text)
		res, marked := mark(tc, file, text)
		compile := func(args ...string) string {
			args = append([]string{"tool", "compile", "-p", "example.com/lib", "-m=2", "-o", filepath.Join(tc.Dir, "lib.a")}, args...)
			out, err := tc.Command("go", args...).CombinedOutput()
			if err != nil {
				tc.Fatalf("%v\n%s", err, out)
			}
			return string(out)
		}
		want := costs(compile(file))
		if len(want) != 7 {
			tc.Fatalf("can inline %v", want)
		}
		for name, cost := range want {
			if strings.Contains(name, "[") { // an instance: it costs as much as in another package
				n, err := strconv.Atoi(cost)
				if err != nil {
					tc.Fatal(err)
				}
				want[name] = strconv.Itoa(n + 1)
			}
		}
		output := compile(marked...)
		if !strings.Contains(output, "inlining call to "+res.Symbol+"_hit") {
			tc.Error("the function that sets a mark is not inlined")
		}
		got := costs(output)
		maps.DeleteFunc(got, func(name, _ string) bool { return strings.HasPrefix(name, res.Symbol) })
		if !maps.Equal(got, want) {
			tc.Errorf("with free marks functions cost %v, without %v", got, want)
		}
		if strings.Contains(tc.Run("tool", "nm", filepath.Join(tc.Dir, "lib.a")), "inittask") {
			tc.Error("free marks initialise something")
		}
	})
}

// In the package that instantiates it, which need not be marked, a generic function costs 1
// more than without a mark, and its mark is inlined.
func TestToolchainGenericMarks(t *testing.T) {
	const text = `package lib

type List[E any] struct{ all []E }

func (l *List[E]) First() E { return l.all[0] }

func New[E any](all ...E) *List[E] { return &List[E]{all} }
`
	const importer = `package use

import "example.com/lib"

func Use() string { return lib.New("a").First() }
`
	toolchaintest.Each(t, func(tc toolchaintest.Toolchain) {
		file := tc.Write("lib.go", text)
		res, marked := mark(tc, file, text)
		compile := func(path string, args ...string) string {
			tc.Helper()
			args = append([]string{"tool", "compile", "-p", path, "-o", filepath.Join(tc.Dir, filepath.Base(path)+".a")}, args...)
			out, err := tc.Command("go", args...).CombinedOutput()
			if err != nil {
				tc.Fatalf("%v\n%s", err, out)
			}
			return string(out)
		}
		use := func() (costs map[string]int, output string) {
			tc.Helper()
			cfg := tc.Write("use.cfg", "packagefile example.com/lib="+filepath.Join(tc.Dir, "lib.a")+"\n")
			output = compile("example.com/use", "-m=2", "-importcfg="+cfg, tc.Write("use.go", importer))
			costs = map[string]int{}
			for _, m := range regexp.MustCompile(`can inline (\S+shape\S+) with cost (\d+)`).FindAllStringSubmatch(output, -1) {
				costs[m[1]], _ = strconv.Atoi(m[2])
			}
			return costs, output
		}
		compile("example.com/lib", file)
		want, _ := use()
		if len(want) != 2 {
			tc.Fatalf("can inline %v", want)
		}
		for name := range want {
			want[name]++
		}
		compile("example.com/lib", marked...)
		got, output := use()
		if !maps.Equal(got, want) {
			tc.Errorf("with marks instances cost %v, want %v", got, want)
		}
		for index := range 2 {
			if method := fmt.Sprintf("inlining call to lib.%s_generic.m%d", res.Symbol, rewrite.Padding+index); !strings.Contains(output, method) {
				tc.Errorf("no %s in\n%s", method, output)
			}
		}
	})
}

// A mark is a comparison and a branch. So it is in a function in which no other code
// could stand for the call that the mark was.
func TestToolchainMarkedCode(t *testing.T) {
	const text = `package lib

func Low(n uint32) uint8 { return uint8(n) }

func Sum(list []uint32) (n int) {
	for _, v := range list {
		n += int(Low(v))
	}
	return n
}
`
	toolchaintest.Each(t, func(tc toolchaintest.Toolchain) {
		res, marked := mark(tc, tc.Write("lib.go", text), text)
		args := append([]string{"tool", "compile", "-p", "example.com/lib", "-S", "-o", filepath.Join(tc.Dir, "lib.a")}, marked...)
		cmd := tc.Command("go", args...)
		cmd.Env = append(cmd.Env, "GOARCH=amd64")
		out, err := cmd.CombinedOutput()
		if err != nil {
			tc.Fatalf("%v\n%s", err, out)
		}
		_, code, _ := strings.Cut(string(out), "example.com/lib.Sum STEXT")
		code, _, _ = strings.Cut(code, " STEXT")
		if n := strings.Count(code, "CMPB\texample.com/lib."+res.Symbol+"+"); n != 2 {
			tc.Errorf("%d comparisons for 2 marks in\n%s", n, code)
		}
		if strings.Contains(code, "XCHGL\tAX, AX") {
			tc.Errorf("an instruction that does nothing in\n%s", code)
		}
	})
}

// The export data of main's imports tell whether runtime/coverage is in the program, also
// if none of them imports it directly.
func TestToolchainMayHold(t *testing.T) {
	toolchaintest.Each(t, func(tc toolchaintest.Toolchain) {
		coverage := tc.Compile("runtime/coverage", "package coverage\n\nfunc WriteMeta() {}\n", nil)
		imports := map[string]string{"runtime/coverage": coverage}
		for i, text := range []string{
			"package a\n\nimport \"runtime/coverage\"\n\nfunc F() { coverage.WriteMeta() }\n",
			"package b\n\nimport \"example.com/a0\"\n\ntype t int\n\n//go:noinline\nfunc (t) f() { a.F() }\n",
			"package c\n\nimport _ \"example.com/a1\"\n",
		} {
			path := fmt.Sprint("example.com/a", i)
			imports[path] = tc.Compile(path, text, imports)
		}
		for literal, want := range map[string]bool{"runtime/coverage": true, "example.com/a1": true, "runtime/debug": false} {
			c := &compilation{flags: []string{"-importcfg", tc.Write("main.cfg", "packagefile example.com/a2="+imports["example.com/a2"]+"\n")}}
			if got, err := c.mayHold(literal); err != nil || got != want {
				tc.Errorf("mayHold(%q) = %t, %v, want %t", literal, got, err, want)
			}
		}
	})
}
