package rewrite

import (
	"flag"
	"fmt"
	"go/importer"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

var toolchains = flag.String("toolchains", "", "releases of Go, separated by commas, to hold names against besides the one that runs the test")

// closureProgram prints line and name of each function literal that it calls. Each is on
// a line of its own.
var closureProgram = map[string]string{
	"main.go": `package main

import (
	"example.com/program/other"
	"fmt"
	"iter"
	"runtime"
	"runtime/debug"
	"slices"
	"unsafe"
)

func at() {
	pc, _, line, _ := runtime.Caller(1)
	fmt.Println(line, runtime.FuncForPC(pc).Name())
}

var early = later(func() { at() })

var literal = func() { at() }

var table = map[string]func(){
	"a": func() { at() },
	"b": func() {
		at()
		func() { at() }()
	},
}

var _ = func() int { at(); return 1 }()

var one, two = func() { at() }, struct{ f func() }{
	f: func() { at() }}

func later(f func()) func() { dependency(); return f }

func dependency() { new(T).Needed() }

func (*T) Needed() { late() }

var late = func() { at() }

func init() { func() { at() }() }

func init() {
	func() { at() }()
}

func _() { func() { at() }() }

func seq() iter.Seq[int] {
	return func(yield func(int) bool) { at(); yield(1) }
}

const debugging = false

func ranges() {
	func() { at() }()
	for range seq() {
		func() { at() }()
		for range seq() {
			func() {
				at()
				func() { at() }()
			}()
			defer func() { at() }()
		}
		func() { at() }()
	}
	func() {
		for range seq() {
			func() { at() }()
		}
		func() { at() }()
	}()
	for range slices.Values([]int{1}) {
		func() { at() }()
	}
	over(seq())
	var list [1]int
	for list[func() int { at(); return 0 }()] = range seq() {
		func() { at() }()
	}
	for range func() []int { at(); return []int{1} }() {
		func() { at() }()
	}
	func() { at() }()
}

func over[F ~func(func(int) bool)](f F) {
	for range f {
		func() { at() }()
	}
	func() { at() }()
}

func constants(yes bool) {
	if debugging {
		func() { at() }()
	} else {
		func() { at() }()
	}
	if debugging && func() bool { at(); return true }() {
		func() { at() }()
	}
	if func() bool { at(); return false }() && debugging {
		func() { at() }()
	}
	if (debugging || !debugging) || func() bool { at(); return true }() {
		func() { at() }()
	}
	if (yes && debugging) {
		func() { at() }()
	}
	for debugging {
		func() { at() }()
	}
	for i := func() int { at(); return 0 }(); i < func() int { at(); return 1 }(); i += func() int { at(); return 1 }() {
	}
	switch debugging {
	case true:
		func() { at() }()
	case false:
		func() { at() }()
	}
	switch {
	case runtime.GOOS == "plan9":
		func() { at() }()
	default:
		func() { at() }()
	}
	switch {
	case debugging:
		func() { at() }()
	case other.On:
		func() { at() }()
		fallthrough
	case yes:
		func() { at() }()
	}
	switch x := any(yes); x.(type) {
	case int:
		func() { at() }()
	case bool:
		func() { at() }()
	}
	const n = len([...]func(){func() {}})
	_ = [len([1]func(){func() {}})]int{}
	_ = unsafe.Sizeof(func() { at() })
	func() { at() }()
	if other.Debug || runtime.GOOS == "plan9" {
		func() { at() }()
	}
	func() { at() }()
	select {
	case func() chan int { at(); c := make(chan int, 1); return c }() <- func() int { at(); return 1 }():
		func() { at() }()
	}
	if yes {
		goto end
		func() { at() }()
	}
	if !debugging {
		{
			return
		}
	}
	func() { at() }()
end:
	func() { at() }()
	if other.On {
		panic(func() int { at(); return 1 }())
	}
	func() { at() }()
}

type T struct{ f func() }

func (t *T) Pointer() { func() { at() }() }
func (t T) Value() { func() { at() }() }

type G[X any] struct{ x X }

func (g *G[X]) Pointer() {
	func() { at() }()
}
func (g G[X]) Value() { func() { at() }() }
func Generic[X any](x X) {
	func() {
		at()
		func() { at() }()
	}()
}

func statements() {
	done := make(chan bool)
	go func() { at(); done <- true }()
	<-done
	defer fmt.Sprint("x")
	defer func(x int) { at() }(1)
	go debug.FreeOSMemory()
	t := &T{func() { at() }}
	t.f()
	m := t.Pointer
	m()
	func() func() {
		at()
		return func() { at() }
	}()()
	slices.SortFunc([]int{2, 1}, func(a, b int) int { at(); return a - b })
	apply(func() { at() },
		func() { at() })
}

func apply(list ...func()) {
	for _, f := range list {
		f()
	}
}

func main() {
	defer func() { recover(); at() }()
	early(); literal(); table["a"](); table["b"](); one(); two.f(); late()
	ranges()
	new(T).Pointer(); T{}.Value(); new(G[int]).Pointer(); G[string]{}.Value(); Generic(1); Generic("x")
	statements()
	more()
	func() {
		defer func() { recover(); at() }()
		constants(true)
	}()
	constants(false)
}
`,
	"more.go": `package main

var more = func() {
	func() { at() }()
}

func init() {
	func() { at() }()
}
`,
	"other/other.go": `package other

const Debug = false
const On = true
`,
	"go.mod": "module example.com/program\n\ngo 1.24\n",
}

// closuresForTests names literals as Go 1.26 does, without imports.
var closuresForTests = &Closures{Release: "go1.26"}

// Each literal that runs is listed under the name that the runtime has for it.
func TestClosureNames(t *testing.T) {
	if testing.Short() {
		t.Skip("links a program")
	}
	dir := t.TempDir()
	for name, text := range closureProgram {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	releases := []string{runtime.Version()}
	if *toolchains != "" {
		releases = append(releases, strings.Split(*toolchains, ",")...)
	}
	for i, release := range releases {
		t.Run(release, func(t *testing.T) {
			env := append(os.Environ(), "GOFLAGS=", "GOWORK=off")
			if i > 0 {
				env = append(env, "GOTOOLCHAIN="+release)
			}
			// A release that is not there yet is downloaded now, and not below, where the
			// message would stand among what the program prints.
			version := exec.Command("go", "version")
			version.Env = env
			if out, err := version.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			cmd := exec.Command("go", "run", "-gcflags=-l", ".")
			cmd.Env = env
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			checkClosureNames(t, release, string(out))
		})
	}
}

func checkClosureNames(t *testing.T, release, output string) {
	t.Helper()
	sources := []Source{
		{"/src/p/main.go", []byte(closureProgram["main.go"])},
		{"/src/p/more.go", []byte(closureProgram["more.go"])},
	}
	opts := Options{
		ImportPath: "example.com/program", Closures: &Closures{Release: release},
		Importer: importer.ForCompiler(token.NewFileSet(), "source", nil), Arch: runtime.GOARCH,
	}
	res, err := Package(opts, sources)
	if err != nil {
		t.Fatal(err)
	}
	checkResult(t, opts, sources, res)
	listed := map[string]bool{}
	unique := map[string]bool{}
	for _, f := range res.Functions {
		name := f.Name
		if f.Receiver != "" {
			name = f.Receiver + "." + name
			if strings.HasPrefix(f.Receiver, "*") {
				name = "(" + f.Receiver + ")." + f.Name
			}
		}
		if unique[name] {
			t.Errorf("%s is listed twice", name)
		}
		unique[name] = true
		if strings.ContainsAny(name, ".") && !strings.HasSuffix(name, ".Needed") {
			listed[fmt.Sprintf("%d main.%s", f.Line, name)] = true
		}
	}
	// A literal whose first statement calls at is printed with the next line.
	ran := map[string]bool{}
	for line := range strings.Lines(strings.ReplaceAll(output, "[...]", "")) {
		ran[strings.TrimSuffix(line, "\n")] = true
	}
	if len(ran) < 60 {
		t.Fatalf("the program called %d literals:\n%s", len(ran), output)
	}
	nextLine := regexp.MustCompile(`^\d+`)
	for _, line := range slices.Sorted(maps.Keys(ran)) {
		before := nextLine.ReplaceAllStringFunc(line, func(s string) string {
			var n int
			fmt.Sscan(s, &n)
			return fmt.Sprint(n - 1)
		})
		if !listed[line] && !listed[before] {
			t.Errorf("%s ran, and is not listed", line)
		}
	}
}

// Literals are left out with what they stand in, and by names of their own.
func TestClosureFilter(t *testing.T) {
	const text = `package p

//scavenger:ignore
var ignored = func() {}

var (
	Exported = func() { func() {}() }
	//scavenger:track
	private = func() {}
)

func Outer() {
	func() { func() {}() }()
	func() {}()
}

func inner() { func() {}() }

//scavenger:ignore
func none() { func() {}() }

// @Router
func init() { func() {}() }
`
	for _, test := range []struct {
		filter Filter
		want   string
	}{
		{Filter{}, "init.func2 init.func2.1 init.func3 Outer Outer.func1 Outer.func1.1 Outer.func2 inner inner.func1 init.0.func1"},
		{Filter{ExportedOnly: true}, "init.func2 init.func2.1 init.func3 Outer Outer.func1 Outer.func1.1 Outer.func2"},
		{Filter{Markers: []string{"@Router"}}, "init.func3 init.0.func1"},
		{Filter{Markers: []string{"@Router"}, Exempt: regexps(t, `p\.Outer`)}, "init.func3 Outer Outer.func1 Outer.func1.1 Outer.func2 init.0.func1"},
		{Filter{Names: regexps(t, `p\.Outer\.func1`, `p\.init\..*`)}, "init.func3 Outer Outer.func2 inner inner.func1"},
	} {
		res, err := Package(Options{ImportPath: "p", Filter: test.filter, Closures: closuresForTests}, []Source{{"/src/x.go", []byte(text)}})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range res.Functions {
			got = append(got, f.Name)
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%+v: %q, want %q", test.filter, got, test.want)
		}
		if n := len(res.Functions) + len(res.LeftOut); n != 13 {
			t.Errorf("%+v: %d functions listed or left out", test.filter, n)
		}
	}
}

func regexps(t *testing.T, list ...string) (compiled []*regexp.Regexp) {
	t.Helper()
	for _, text := range list {
		compiled = append(compiled, regexp.MustCompile("^(?:"+text+")$"))
	}
	return compiled
}
