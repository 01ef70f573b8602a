// A program that the go command builds, once as it is and once with marks.

package rewrite

import (
	"debug/elf"
	"debug/gosym"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

var stackProgram = map[string]string{
	"go.mod": "module example.com/program\n\ngo 1.18\n",
	"main.go": `package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
)

var order []string

var first = initialize("first")

func init() { order = append(order, "init 1") }

func init() {
	order = append(order, "init 2")
}

func initialize(s string) int { order = append(order, s); return len(order) }

func where() string {
	var list []string
	for i := 1; ; i++ {
		pc, file, line, ok := runtime.Caller(i)
		if !ok {
			return fmt.Sprint(list)
		}
		list = append(list, fmt.Sprint(runtime.FuncForPC(pc).Name(), " ", file, ":", line))
	}
}

func stack() { os.Stdout.Write(debug.Stack()) }

func oneLine() { stack(); fmt.Println(where()) }

func lines() {
	// A comment.
	defer func() {
		fmt.Println(recover(), where())
		stack()
	}()

	var p *int
	*p = 1
}

func named() (err error) {
	defer func() { err = fmt.Errorf("%v", recover()) }()
	panic("named")
}

func allocations() (n uint64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := 0; i < 100; i++ {
		leaf(i)
	}
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs
}

func main() {
	fmt.Println(order, first)
	oneLine()
	lines()
	fmt.Println(named(), leaf(3), allocations())
	shapes()
	fromGrammar()
	crash(0)
}
`,
	"shapes.go": `package main

import "fmt"

type Stack[T any] struct{ items []T }

func (s *Stack[T]) Push(item T) { s.items = append(s.items, item); fmt.Println(where()) }

type value struct{ n int }

func (v value) Get() int { fmt.Println(where()); return v.n }

type embedding struct{ *value }

func leaf(n int) int {
	return n + 1
}

func empty() {
}

func declared(n int) int {
	var m int
	switch {
	case n > 2:
		m = n
	}
	return m
}

func label(n int) int {
again: if n--; n > 0 { goto again }
	return n
}

func each(yield func(int)) { for i := 0; i < 2; i++ { yield(i) } }

func shapes() {
	new(Stack[int]).Push(1)
	new(Stack[string]).Push("x")
	embedding{&value{2}}.Get()
	f := value.Get
	f(value{3})
	each(func(i int) {
		func() { fmt.Println(i, where()) }()
	})
	empty()
	fmt.Println(declared(3), label(3))
}

// What is inlined shows in a traceback as (...), and the mark has its price in
// the inliner's budget.
//
//go:noinline
func crash(depth int) {
	if depth == 3 { var m map[string]int; m["x"] = 1 }
	crash(depth + 1)
}
`,
	"parser.go": `package main

//line grammar.y:100
import "fmt"

//line grammar.y:20
func fromGrammar() { fmt.Println(where())
	stack()
	/*line other.y:7*/ inner()
}

//line parser.go:12:1
func inner() {
	fmt.Println(where())
}
`,
}

// TestProgram compares what a program prints about its own stack, what it prints when it
// panics, and its line table.
func TestProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("links programs")
	}
	for _, flags := range [][]string{nil, {"-gcflags=-l"}, {"-gcflags=-N -l"}} {
		compareProgram(t, false, flags...)
	}
	compareProgram(t, true)
}

// TestHeavyProgram does that with a flag that reaches the standard library.
func TestHeavyProgram(t *testing.T) {
	program.Heavy(t)
	compareProgram(t, false, "-trimpath")
	compareProgram(t, true, "-trimpath")
}

func compareProgram(t *testing.T, free bool, flags ...string) {
	t.Run(fmt.Sprint(free, flags), func(t *testing.T) {
		dir, markedFlags := writeProgram(t, Options{ImportPath: "example.com/program", Free: free, Main: true})
		plain := buildProgram(t, dir, "plain", flags...)
		marked := buildProgram(t, dir, "marked", append(markedFlags, flags...)...)
		got, want := run(marked), run(plain)
		if got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		if !strings.Contains(want, "panic: assignment to entry in nil map") {
			t.Errorf("the program did not get to its end:\n%s", want)
		}
		if runtime.GOOS != "linux" || !free && !strings.Contains(fmt.Sprint(flags), "-l") {
			// Where an empty function was inlined, its mark now has code.
			return
		}
		lines, plainLines := programLines(t, marked), programLines(t, plain)
		if gone := missing(plainLines, lines); gone != "" {
			t.Errorf("lines without code now:\n%s", gone)
		}
		// The function that free marks call has a line. And an inlined function now
		// has a line where its code was only a part of another instruction.
		if more := missing(lines, plainLines); more != "" && !free {
			t.Errorf("lines with code now:\n%s", more)
		}
	})
}

// TestHeavyRace runs a program in which all goroutines call the same functions.
func TestHeavyRace(t *testing.T) {
	program.Heavy(t)
	if _, err := exec.LookPath("gcc"); err != nil || runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("needs cgo and the race detector")
	}
	for _, free := range []bool{false, true} {
		testRace(t, free)
	}
}

func testRace(t *testing.T, free bool) {
	dir, flags := writeProgram(t, Options{ImportPath: "example.com/program", Sanitizer: true, Free: free, Main: true})
	os.WriteFile(filepath.Join(dir, "main_test.go"), []byte(`package main

import "testing"

func TestParallel(t *testing.T) {
	done := make(chan bool)
	for i := 0; i < 4; i++ {
		go func() {
			for n := 0; n < 1000; n++ {
				leaf(n); declared(n); each(func(int) {})
			}
			done <- true
		}()
	}
	for i := 0; i < 4; i++ {
		<-done
	}
}
`), 0o666)
	cmd := exec.Command("go", slices.Concat([]string{"test", "-race", "-vet=off"}, flags, []string{"."})...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1", "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("free %t: %v\n%s", free, err, out)
	}
}

// writeProgram writes the program and an overlay with its marked files. It returns the
// flags that compile these.
func writeProgram(t *testing.T, opts Options) (dir string, flags []string) {
	t.Helper()
	dir, marked := t.TempDir(), t.TempDir()
	write := func(name string, text []byte) {
		if err := os.WriteFile(name, text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var sources []Source
	for name, text := range stackProgram {
		write(filepath.Join(dir, name), []byte(text))
		if filepath.Ext(name) == ".go" {
			sources = append(sources, Source{filepath.Join(dir, name), []byte(text)})
		}
	}
	res, err := Package(opts, sources)
	if err != nil {
		t.Fatal(err)
	}
	replace := make(map[string]string)
	for i, source := range sources {
		file := filepath.Join(marked, filepath.Base(source.Name))
		write(file, res.Files[i])
		replace[source.Name] = file
	}
	file := filepath.Join(marked, "marks.go")
	write(file, res.Declarations)
	replace[filepath.Join(dir, "aa_marks.go")] = file // files are compiled in this order
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(marked, "overlay.json")
	write(overlay, data)
	flags = []string{"-overlay=" + overlay}
	if res.CoverageCfg != nil {
		cfg := filepath.Join(marked, "coveragecfg")
		write(cfg, res.CoverageCfg)
		flags = append(flags, "-gcflags=-coveragecfg="+cfg)
	}
	return dir, flags
}

func buildProgram(t *testing.T, dir, name string, flags ...string) (binary string) {
	t.Helper()
	binary = filepath.Join(t.TempDir(), name)
	cmd := exec.Command("go", slices.Concat([]string{"build", "-o", binary}, flags, []string{"."})...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// offsets are the parts of a traceback that depend on the machine code.
var offsets = regexp.MustCompile(`0x[0-9a-f]+|\?`)

// run returns the output of a program and how it ends.
func run(binary string) string {
	out, err := exec.Command(binary).CombinedOutput()
	return offsets.ReplaceAllString(string(out), "0x") + fmt.Sprint(err)
}

// programLines returns the functions of package main with their lines, from the table
// that tracebacks and profiles use.
func programLines(t *testing.T, binary string) []string {
	t.Helper()
	f, err := elf.Open(binary)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	pclntab, err := f.Section(".gopclntab").Data()
	if err != nil {
		t.Fatal(err)
	}
	table, err := gosym.NewTable(nil, gosym.NewLineTable(pclntab, f.Section(".text").Addr))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, fn := range table.Funcs {
		if !strings.HasPrefix(fn.Name, "main.") {
			continue
		}
		for pc := fn.Entry; pc < fn.End; pc++ {
			file, line, _ := table.PCToLine(pc)
			lines = append(lines, fmt.Sprintf("%s %s:%d", fn.Name, file, line))
		}
	}
	if len(lines) == 0 {
		t.Fatalf("%s: no lines", binary)
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}
