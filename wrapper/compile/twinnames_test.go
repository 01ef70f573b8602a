package compile

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/rewrite"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchaintest"
)

// twinsPath has a dot, which the names of symbols have in another form.
const twinsPath = "example.com/app.v2"

const twinsText = `package app

import (
	"runtime"
	"unsafe"
)

type command struct {
	Run func(n int) int
	sub *command
}

// What is laid out is there before anything runs.
var early = look(viewer{})

type viewer struct{}

func (viewer) view() bool { return direct != nil && inner != nil && cmd != nil && fromMethod != nil }

func look(v interface{ view() bool }) bool { return v.view() }

var direct = newDirect()

func newDirect() func(int) int { return func(n int) int { return 1 / n } }

var inner, second = newOuter(), newOuter()

func newOuter() func(int) int { return newInner() }

func newInner() func(int) int { return func(n int) int { return func() int { return 2 / n }() } }

var cmd = newCmd()

func newCmd() *command {
	return &command{
		Run: func(n int) int {
			defer func() { println(n) }()
			return 3 / n
		},
		sub: newSub(),
	}
}

func newSub() *command { return &command{Run: newInner()} }

var fromMethod = viewer{}.function()

func (viewer) function() func(int) int { return func(n int) int { defer println(n); return 4 / n } }

var fromPointer = (&viewer{}).other()

func (*viewer) other() func(int) int { return func(n int) int { return 5 / n } }

var generic = newGeneric[int]()

func newGeneric[T any]() func(T) T { return func(v T) T { return v } }

var list = []func(int) int{newDirect(), func(n int) int { return 6 / n }, newOuter()}

func All() []func(int) int {
	all := append([]func(int) int{direct, inner, second, cmd.Run, cmd.sub.Run, fromMethod, fromPointer, generic}, list...)
	return append(all, newDirect(), newOuter(), newCmd().Run, viewer{}.function())
}

func Run() {
	println(early)
	for _, f := range All() {
		println(runtime.FuncForPC(**(**uintptr)(unsafe.Pointer(&f))).Name())
		try(f)
	}
	inner(0)
}

func try(f func(int) int) {
	defer func() {
		if recover() == nil { return }
		pcs := make([]uintptr, 20)
		frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs)])
		for {
			f, more := frames.Next()
			println(f.Function, f.File, f.Line)
			if !more { return }
		}
	}()
	f(0)
}
`

// twins compiles a package that has initialisers for twins, marked, and returns the
// archive and what compile wrote into it.
func twins(tc toolchaintest.Toolchain, imports map[string]string) (archive string, written []byte) {
	tc.Helper()
	file := tc.Write("twins.go", twinsText)
	res, err := rewrite.Package(rewrite.Options{ImportPath: twinsPath, Free: true, Inlined: true}, []rewrite.Source{{Name: file, Text: []byte(twinsText)}})
	if err != nil {
		tc.Fatal(err)
	}
	if res.Twins < 7 {
		tc.Fatalf("%d twins in\n%s", res.Twins, res.Files[0])
	}
	cfg := ""
	for p, a := range imports {
		cfg += "packagefile " + p + "=" + a + "\n"
	}
	archive = filepath.Join(tc.Dir, "marked.a")
	args := []string{"tool", "compile", "-p", twinsPath, "-pack", "-complete", "-o", archive, "-importcfg", tc.Write("marked.cfg", cfg)}
	if res.CoverageCfg != nil {
		args = append(args, "-coveragecfg="+tc.Write("coveragecfg", string(res.CoverageCfg)))
	}
	tc.Run(append(args, tc.Write("marks.go", string(res.Declarations)), tc.Write("marked.go", string(res.Files[0])))...)
	written, err = os.ReadFile(archive)
	if err != nil {
		tc.Fatal(err)
	}
	return archive, written
}

// standard returns the archives of packages of the standard library with all that they
// import.
func standard(tc toolchaintest.Toolchain, packages ...string) map[string]string {
	tc.Helper()
	archives := map[string]string{}
	for line := range strings.Lines(tc.Run(append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}"}, packages...)...)) {
		if p, archive, ok := strings.Cut(strings.TrimSpace(line), "="); ok && archive != "" {
			archives[p] = archive
		}
	}
	return archives
}

// programOutput links a program that calls Run of the package, and returns what it
// prints when it panics, without what depends on addresses.
func programOutput(tc toolchaintest.Toolchain, name, archive string, imports map[string]string) string {
	tc.Helper()
	cfg := "packagefile " + twinsPath + "=" + archive + "\n"
	for p, a := range imports {
		cfg += "packagefile " + p + "=" + a + "\n"
	}
	main := filepath.Join(tc.Dir, name+"-main.a")
	file := tc.Write("main.go", "package main\n\nimport app \""+twinsPath+"\"\n\nfunc main() { app.Run() }\n")
	tc.Run("tool", "compile", "-p", "main", "-pack", "-o", main, "-importcfg", tc.Write(name+"-main.cfg", cfg), file)
	exe := filepath.Join(tc.Dir, name+".exe")
	tc.Run("tool", "link", "-importcfg", tc.Write(name+"-link.cfg", cfg), "-o", exe, main)
	cmd := tc.Command(exe)
	cmd.Env = append(cmd.Env, "GOTRACEBACK=")
	out, err := cmd.CombinedOutput()
	if err == nil {
		tc.Fatalf("%s does not panic:\n%s", name, out)
	}
	return regexp.MustCompile(`(?m) \+0x[0-9a-f]+$|\?`).ReplaceAllString(regexp.MustCompile(`0x[0-9a-f]{6,}`).ReplaceAllString(string(out), "ADDR"), "")
}

// differingLines returns the lines of two texts that are not the same.
func differingLines(a, b string) string {
	var lines strings.Builder
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range max(len(x), len(y)) {
		switch {
		case i >= len(x):
			lines.WriteString("+ " + y[i] + "\n")
		case i >= len(y):
			lines.WriteString("- " + x[i] + "\n")
		case x[i] != y[i]:
			lines.WriteString("- " + x[i] + "\n+ " + y[i] + "\n")
		}
	}
	return lines.String()
}

// Function literals that twins return have the names they have in the plain program.
func TestToolchainTwinNames(t *testing.T) {
	toolchaintest.Each(t, func(tc toolchaintest.Toolchain) {
		imports := standard(tc, "runtime")
		want := programOutput(tc, "plain", tc.Compile(twinsPath, twinsText, imports), imports)
		want = strings.ReplaceAll(want, "example.com_app.v2.go", "twins.go")
		if !strings.HasPrefix(want, "true\n") || !strings.Contains(want, "newInner.func") {
			tc.Fatalf("the plain program prints\n%s", want)
		}
		archive, written := twins(tc, imports)
		if got := programOutput(tc, "twins", archive, imports); !twinPrefix().MatchString(got) {
			tc.Errorf("no name of a twin even where nothing is renamed:\n%s", got)
		}
		if err := renameTwins(archive, twinsPath); err != nil {
			tc.Fatal(err)
		}
		if got := programOutput(tc, "renamed", archive, imports); got != want {
			tc.Errorf("marked and plain program print\n%s", differingLines(got, want))
		}
		// The same bytes every time, of which a second renaming changes none.
		renamed, err := os.ReadFile(archive)
		if err != nil {
			tc.Fatal(err)
		}
		if bytes.Equal(renamed, written) {
			tc.Error("nothing was renamed")
		}
		archive, again := twins(tc, imports)
		if !bytes.Equal(again, written) {
			tc.Error("compile does not write the same twice")
		}
		for range 2 {
			if err := renameTwins(archive, twinsPath); err != nil {
				tc.Fatal(err)
			}
			if again, err := os.ReadFile(archive); err != nil || !bytes.Equal(again, renamed) {
				tc.Errorf("not the same bytes, %v", err)
			}
		}
	})
}

// An object file that is not as it should be is left as it is.
func TestRenameTwinsElsewhere(t *testing.T) {
	tc := toolchaintest.Local(t)
	_, written := twins(tc, standard(tc, "runtime"))
	start := bytes.Index(written, []byte("\n!\n"+toolchain.ObjectMagic))
	if start < 0 {
		t.Fatal("no object")
	}
	// Where the blocks begin, of which the fourth and the sixth hold symbols.
	blocks := start + len("\n!\n"+toolchain.ObjectMagic) + toolchain.FingerprintSize + 4
	at := func(block int) int {
		return start + len("\n!\n") + int(binary.LittleEndian.Uint32(written[blocks+4*block:]))
	}
	for name, damage := range map[string]func([]byte) []byte{
		"no archive":              func(b []byte) []byte { return []byte("no archive") },
		"empty":                   func(b []byte) []byte { return nil },
		"another form":            func(b []byte) []byte { b[start+len("\n!\n\x00go1")]++; return b },
		"a block beyond the file": func(b []byte) []byte { b[blocks+4*blockRefNames+3] = 0xff; return b },
		"blocks out of order":     func(b []byte) []byte { clear(b[blocks+4*blockHashed:][:4]); return b },
		"part of a record":        func(b []byte) []byte { b[blocks+4*blockHashed64]++; return b },
		"a name that is too long": func(b []byte) []byte { b[at(blockSymbols)+3] = 0xff; return b },
		"a name in the header":    func(b []byte) []byte { clear(b[at(blockHashed)+4:][:4]); return b },
		"a name in a table":       func(b []byte) []byte { copy(b[at(blockSymbols)+4:], b[blocks+4*blockRefNames:][:4]); return b },
	} {
		damaged := damage(bytes.Clone(written))
		file := tc.Write("damaged.a", string(damaged))
		if err := renameTwins(file, twinsPath); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, damaged) {
			t.Errorf("%s: the file was changed, %v", name, err)
		}
	}
	if err := renameTwins(tc.Write("other.a", string(written)), "example.com/other"); err != nil {
		t.Error(err)
	}
	if got, _ := os.ReadFile(filepath.Join(tc.Dir, "other.a")); !bytes.Equal(got, written) {
		t.Error("names of another package were changed")
	}
	if err := renameTwins(filepath.Join(tc.Dir, "none.a"), twinsPath); err == nil {
		t.Error("no error for a file that is not there")
	}
}
