package toolchain_test

import (
	"encoding/binary"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchaintest"
)

// linkedSource has functions of every kind that the linker keeps or drops. tiny is inlined
// wherever it is called, so nothing of it is left but its name in the tables for inlining.
const linkedSource = `package main

import "os"

var sink int

func tiny(n int) { sink += n }

//go:noinline
func kept() { tiny(len(os.Args)); tiny(3) }

func dead() { println(deadGeneric(1)) }

func onlyOfDead(n int) { sink -= n }

func alsoDead() { onlyOfDead(1) }

func generic[T int | string](v T) T { println(v); return v }

//go:noinline
func deadGeneric[T any](v T) T { return v }

type T struct{ n int }

//go:noinline
func (t *T) Used() int { return t.n }

func (t *T) Unused() int { return -t.n }

func (t T) Small() int { return t.n + sink }

func main() {
	kept()
	t := &T{len(os.Args)}
	sink += t.Used() + t.Small() + generic(sink)
	func() { sink++ }()
}
`

// The names in a binary are those of the functions that have code there, those that were
// inlined everywhere among them, with each release.
func TestToolchainFunctionNames(t *testing.T) {
	toolchaintest.Each(t, func(tc toolchaintest.Toolchain) {
		tc.Write("main.go", linkedSource)
		checkNames(tc, "plain", nil)
		checkNames(tc, "stripped", nil, "-ldflags=-s -w")
	})
}

// So it is in each format, with either byte order and with pointers of either size.
func TestToolchainFunctionNamesOfPlatforms(t *testing.T) {
	if !strings.Contains(flag.Lookup("test.run").Value.String(), "Toolchain") {
		t.Skip("compiles five standard libraries; asked for by name, it runs: go test -run Toolchain")
	}
	tc := toolchaintest.Local(t)
	tc.Write("go.mod", "module example.com/app\n\ngo 1.24\n")
	tc.Write("main.go", linkedSource)
	checkNames(tc, "pie", nil, "-buildmode=pie")
	for _, platform := range []string{"windows/amd64", "darwin/arm64", "linux/386", "linux/s390x"} {
		goos, goarch, _ := strings.Cut(platform, "/")
		checkNames(tc, goos+"-"+goarch, []string{"GOOS=" + goos, "GOARCH=" + goarch, "CGO_ENABLED=0"}, "-ldflags=-s -w")
	}
}

func checkNames(tc toolchaintest.Toolchain, name string, env []string, flags ...string) {
	tc.Helper()
	out := filepath.Join(tc.Dir, name)
	cmd := tc.Command("go", slices.Concat([]string{"build", "-o", out}, flags, []string{"."})...)
	cmd.Env = append(cmd.Env, env...)
	if text, err := cmd.CombinedOutput(); err != nil {
		tc.Fatalf("%s: %v\n%s", name, err, text)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		tc.Fatal(err)
	}
	names, err := toolchain.FunctionNames(data)
	if err != nil {
		tc.Fatalf("%s: %v", name, err)
	}
	has := func(name string) bool { return slices.Contains(names, name) }
	for _, want := range []string{"main.main", "main.kept", "main.tiny", "main.generic[go.shape.int]", "main.(*T).Used", "main.T.Small", "runtime.main"} {
		if !has(want) {
			tc.Errorf("%s: %s is not there", name, want)
		}
	}
	for _, dropped := range []string{"main.dead", "main.alsoDead", "main.onlyOfDead", "main.deadGeneric[go.shape.int]", "main.(*T).Unused"} {
		if has(dropped) {
			tc.Errorf("%s: %s is there", name, dropped)
		}
	}
}

// What only looks like a table of functions is none.
func TestFunctionNamesOfOthers(t *testing.T) {
	header := func(change func(b []byte)) []byte {
		b := make([]byte, 200)
		binary.LittleEndian.PutUint32(b, 0xfffffff1)
		b[6], b[7] = 1, 8
		for i, v := range []uint64{3, 3, 0, 80, 120, 150, 160, 170} {
			binary.LittleEndian.PutUint64(b[8+8*i:], v)
		}
		copy(b[80:], "runtime.main\x00main.main\x00")
		change(b)
		return b
	}
	got, err := toolchain.FunctionNames(header(func([]byte) {}))
	if err != nil || strings.Join(got, " ") != "runtime.main main.main" {
		t.Errorf("names %q, %v, want two", got, err)
	}
	for name, change := range map[string]func(b []byte){
		"quantum":      func(b []byte) { b[6] = 3 },
		"pointers":     func(b []byte) { b[7] = 16 },
		"no functions": func(b []byte) { b[8] = 0 },
		"order":        func(b []byte) { b[8+8*4] = 70 },
		"beyond":       func(b []byte) { b[8+8*4], b[8+8*5], b[8+8*6], b[8+8*7] = 210, 211, 212, 213 },
		"no names":     func(b []byte) { clear(b[80:]) },
	} {
		if got, err := toolchain.FunctionNames(header(change)); err == nil || !strings.Contains(err.Error(), "no table of functions") {
			t.Errorf("%s: names %q, %v, want an error", name, got, err)
		}
	}
}

// Any file has names or has none.
func FuzzFunctionNames(f *testing.F) {
	f.Add([]byte("\xf1\xff\xff\xff\x00\x00\x01\x08runtime."))
	f.Fuzz(func(t *testing.T, data []byte) {
		if names, err := toolchain.FunctionNames(data); (err == nil) != (len(names) > 0) {
			t.Errorf("%d names, %v", len(names), err)
		}
	})
}
