// Package bazel tests that rules_go builds marked programs with an SDK of scavenger-wrap.
// It drives the builder that rules_go itself compiles, without Bazel.
package bazel

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// twenty packages have a file of one name, and are compiled at the same time into one
// directory.
const twenty = 20

func sources() map[string]string {
	files := map[string]string{
		"go.mod":          "module example.com/app\n\ngo 1.24\n",
		"scavenger.toml":  "packages = [\"example.com/app\"]\n",
		"lib/lib.go":      "package lib\n\nfunc Called() string { return \"called\" }\n\nfunc Never() {}\n",
		"lib/lib_test.go": "package lib\n\nimport \"testing\"\n\nfunc TestCalled(t *testing.T) {\n\tif Called() != \"called\" {\n\t\tt.Fatal()\n\t}\n}\n",
	}
	files["native/native.go"] = "package native\n\n// static int twice(int n) { return 2 * n; }\nimport \"C\"\n\n" +
		"func Twice(n int) int { return int(C.twice(C.int(n))) }\n\nfunc Never() {}\n"
	files["cmd/app/native.go"] = "package main\n\nimport \"example.com/app/native\"\n\nvar four = native.Twice(2)\n"
	var imports, calls strings.Builder
	for i := range twenty {
		files[fmt.Sprintf("p%d/file.go", i)] = fmt.Sprintf("package p%d\n\nfunc F%d() int { return %d }\n\nfunc never() {}\n", i, i, i)
		fmt.Fprintf(&imports, "\t\"example.com/app/p%d\"\n", i)
		fmt.Fprintf(&calls, "\tn += p%d.F%d()\n", i, i)
	}
	files["cmd/app/main.go"] = "package main\n\nimport (\n\t\"fmt\"\n\n\t\"example.com/app/lib\"\n" + imports.String() + ")\n\n" +
		"func main() {\n\tn := 0\n" + calls.String() + "\tfmt.Println(lib.Called(), n)\n}\n\nfunc neverInMain() {}\n"
	return files
}

// app compiles the packages of the program.
func (w *workspace) app() *target {
	main := &target{name: "app", importPath: "example.com/app/cmd/app", importMap: "main", srcs: []string{"cmd/app/main.go"}, params: true}
	if w.mode.cgo {
		main.srcs = append(main.srcs, "cmd/app/native.go")
		main.deps = append(main.deps, w.compile(&target{name: "native", importPath: "example.com/app/native", srcs: []string{"native/native.go"}}))
	}
	lib := &target{name: "lib", importPath: "example.com/app/lib", srcs: []string{"lib/lib.go"}, cover: true}
	if w.mode.cover {
		lib.deps = append(lib.deps, w.compile(&target{name: "coverdata", importPath: coverdata, srcs: []string{"external/rules_go/go/tools/coverdata/coverdata.go"}}))
	}
	w.compile(lib)
	main.deps = append(main.deps, lib)
	var group sync.WaitGroup
	for i := range twenty {
		g := &target{name: fmt.Sprintf("p%d", i), importPath: fmt.Sprintf("example.com/app/p%d", i), srcs: []string{fmt.Sprintf("p%d/file.go", i)}}
		main.deps = append(main.deps, g)
		w.targets = append(w.targets, g)
		cmd := w.compileCommand(g)
		group.Add(1)
		go func() {
			defer group.Done()
			if out, err := cmd.CombinedOutput(); err != nil {
				w.t.Errorf("%s: %v\n%s", g.name, err, out)
			}
		}()
	}
	group.Wait()
	return w.compile(main)
}

// want is the report of the program.
func (m mode) want() map[string]string {
	w := map[string]string{
		"example.com/app/lib.Called": "called", "example.com/app/lib.Never": "never-called",
		"example.com/app/cmd/app.main": "called", "example.com/app/cmd/app.neverInMain": "never-called",
	}
	if m.cgo {
		w["example.com/app/native.Twice"], w["example.com/app/native.Never"] = "called", "never-called"
	}
	for i := range twenty {
		w[fmt.Sprintf("example.com/app/p%d.F%d", i, i)] = "called"
		w[fmt.Sprintf("example.com/app/p%d.never", i)] = "never-called"
	}
	return w
}

// checkApp builds, runs and reports on the program.
func checkApp(t *testing.T, w *workspace) {
	main := w.app()
	log := w.logCompiles()
	file := w.link(main, "example.com/app/cmd/app")
	text, err := os.ReadFile(log)
	if registry := strings.Count(string(text), "/registry "); err != nil || registry == 0 || strings.Contains(string(text), "/hitrt ") || strings.Contains(string(text), "/datafile ") {
		t.Errorf("link compiles the registry, and takes hitrt from the SDK: %v\n%s", err, text)
	}
	data := filepath.Join(w.root, "data")
	if got := w.start(file, data); got != "called 190\n" {
		t.Errorf("the program prints %q", got)
	}
	if got := w.report(data); !maps.Equal(got, w.mode.want()) {
		t.Errorf("report: %v, want %v", got, w.mode.want())
	}
	out, err := exec.CommandContext(t.Context(), w.wrapper, "report", "--format=json", data).Output()
	if err != nil || !strings.Contains(string(out), `"example.com/app/cmd/app"`) || strings.Contains(string(out), `"main": "main"`) {
		t.Errorf("the report does not name the program: %v\n%s", err, out)
	}
	if left, err := filepath.Glob(filepath.Join(w.root, "bazel-out", "bin", "*scavenger*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q %v", left, err)
	}
}

// A program and its libraries, with the archives that the go command has in its cache.
func TestHeavyProgram(t *testing.T) {
	program.Heavy(t)
	_, err := exec.LookPath("gcc")
	w := newWorkspace(t, mode{cgo: err == nil}, sources())
	w.linkStdlib()
	checkApp(t, w)
	checkTest(t, w)
}

// checkTest builds and runs the test of a package. A test binary reports nothing.
func checkTest(t *testing.T, w *workspace) {
	w.targets = nil
	tools := "external/rules_go/go/tools/"
	cover := w.compile(&target{name: "coverdata", importPath: coverdata, srcs: []string{tools + "coverdata/coverdata.go"}})
	dir := w.compile(&target{name: "chdir", importPath: bzltestutil + "/chdir", importMap: chdir, srcs: []string{tools + "bzltestutil/chdir/init.go"}})
	util := &target{name: "bzltestutil", importPath: bzltestutil, deps: []*target{cover, dir}}
	for _, name := range []string{"lcov.go", "test2json.go", "timeout.go", "wrap.go", "xml.go"} {
		util.srcs = append(util.srcs, tools+"bzltestutil/"+name)
	}
	w.compile(util)
	srcs := []string{"lib/lib.go", "lib/lib_test.go"}
	lib := w.compile(&target{name: "libintest", importPath: "example.com/app/lib", srcs: srcs, deps: []*target{cover}, cover: true, testFilter: "exclude"})
	ext := w.compile(&target{name: "lib_test", importPath: "example.com/app/lib_test", srcs: srcs, deps: []*target{lib}, testFilter: "only"})
	gen := []string{"gentestmain", "-sdk", "external/go_sdk", "-goroot", "bazel-out/std", "-installsuffix", w.mode.installSuffix(), "-output", "bazel-out/bin/testmain.go",
		"-import", "l=example.com/app/lib", "-import", "l_test=example.com/app/lib_test", "-pkgname", "example.com/app/lib"}
	if w.mode.cover {
		gen = append(gen, "-cover_mode", "atomic", "-cover_format", "go_cover")
	}
	for _, src := range srcs {
		gen = append(gen, "-src", "l="+src)
	}
	w.runBuilder(gen...)
	main := w.compile(&target{name: "testbinary", importPath: "testmain", importMap: "main", srcs: []string{"bazel-out/bin/testmain.go"}, deps: []*target{lib, ext, util, cover}, params: true})
	file := w.link(main, "example.com/app/lib.test", "-X", "testing.testBinary=1")
	data := filepath.Join(w.root, "testdata")
	if got := w.start(file, data); !strings.Contains(got, "PASS") {
		t.Errorf("the test prints %q", got)
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("the test binary reports")
	}
}

// The standard library is the builder's own, and hitrt comes from the SDK.
func TestHeavyStdlibPure(t *testing.T)  { testStdlib(t, mode{}) }
func TestHeavyStdlibCgo(t *testing.T)   { testStdlib(t, mode{cgo: true}) }
func TestHeavyStdlibCover(t *testing.T) { testStdlib(t, mode{cover: true}) }
func TestHeavyStdlibRace(t *testing.T)  { testStdlib(t, mode{cgo: true, race: true}) }

func testStdlib(t *testing.T, m mode) {
	program.Heavy(t)
	w := newWorkspace(t, m, sources())
	w.compileStdlib()
	checkApp(t, w)
	checkTest(t, w)
}
