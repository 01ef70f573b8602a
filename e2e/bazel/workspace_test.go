// The builder of rules_go, started as Bazel starts it: from an exec root, with paths
// relative to that, without HOME and GOCACHE, and with the outputs of all packages in one
// directory, as where actions are not sandboxed.

package bazel

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

const (
	rulesGo     = "github.com/bazelbuild/rules_go"
	rulesGoAt   = rulesGo + "@v0.65.0"
	coverdata   = rulesGo + "/go/tools/coverdata"
	bzltestutil = rulesGo + "/go/tools/bzltestutil"
	chdir       = "+initfirst/" + bzltestutil + "/chdir"
)

// A workspace is an exec root, and how it builds.
type workspace struct {
	t       *testing.T
	root    string
	rulesGo string // the source of rules_go
	builder string
	wrapper string
	mode    mode
	targets []*target // compiled, in order
}

// A mode is a configuration of Bazel.
type mode struct {
	cgo, race, cover bool
}

func (m mode) installSuffix() string {
	suffix := runtime.GOOS + "_" + runtime.GOARCH
	if m.race {
		suffix += "_race"
	}
	return suffix
}

// A target is a package.
type target struct {
	name       string // of the files of its archive
	importPath string
	importMap  string // "" for importPath
	srcs       []string
	deps       []*target
	cover      bool
	testFilter string
	params     bool // its arguments are in a file
}

func (g *target) path() string {
	if g.importMap != "" {
		return g.importMap
	}
	return g.importPath
}

// newWorkspace builds scavenger-wrap and the builder, makes the SDK, and writes files in the
// form of txtar to the exec root.
func newWorkspace(t *testing.T, m mode, files map[string]string) *workspace {
	if runtime.GOOS == "windows" {
		t.Skip("an SDK consists of links")
	}
	ctx := t.Context()
	dir := t.TempDir()
	w := &workspace{t: t, root: filepath.Join(dir, "execroot", "_main"), mode: m}
	var err error
	if w.wrapper, err = program.BuildWrapper(ctx, dir); err != nil {
		t.Fatal(err)
	}
	w.rulesGo = filepath.Join(w.root, "external", "rules_go")
	if _, err := program.Fetch(ctx, rulesGoAt, w.rulesGo); err != nil {
		t.Fatal(err)
	}
	w.builder = filepath.Join(dir, "builder")
	build := exec.CommandContext(ctx, "go", append([]string{"build", "-o", w.builder, "-ldflags=-X main.rulesGoStdlibPrefix=@rules_go//stdlib:"}, builderFiles(t, w.rulesGo)...)...)
	build.Dir = filepath.Join(w.rulesGo, "go", "tools", "builders")
	build.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod -buildvcs=false")
	w.run(build)
	for name, text := range files {
		w.write(name, text)
	}
	w.write("bazel-out/bin/.keep", "")
	pack := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(w.root, "bazel-out", "pack"), "cmd/pack")
	w.run(pack)
	w.makeSDK()
	return w
}

// builderFiles returns the files that rules_go makes its builder of.
func builderFiles(t *testing.T, dir string) []string {
	text, err := os.ReadFile(filepath.Join(dir, "go", "tools", "builders", "BUILD.bazel"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), `name = "builder_srcs"`)
	rest, _, _ = strings.Cut(rest, "visibility")
	var files []string
	for _, m := range regexp.MustCompile(`"(\w+\.go)"`).FindAllStringSubmatch(rest, -1) {
		if m[1] != "path_windows.go" {
			files = append(files, m[1])
		}
	}
	if len(files) < 20 {
		t.Fatalf("the builder has %d files: %q", len(files), files)
	}
	return files
}

// makeSDK makes the SDK where a repository rule would put it.
func (w *workspace) makeSDK() {
	args := []string{"sdk"}
	if w.mode.race {
		args = append(args, "--race")
	}
	sdk := exec.CommandContext(w.t.Context(), w.wrapper, append(args, filepath.Join(w.root, "external", "go_sdk"))...)
	sdk.Dir = w.root // with scavenger.toml
	w.run(sdk)
	// In a sandbox an action sees its inputs alone.
	for _, name := range []string{"go.mod", "scavenger.toml"} {
		if err := os.Remove(filepath.Join(w.root, name)); err != nil {
			w.t.Fatal(err)
		}
	}
}

// logCompiles puts a script in the place of the real compile, and returns the file in which
// it writes its arguments.
func (w *workspace) logCompiles() string {
	real := filepath.Join(w.root, "external", "go_sdk", "pkg", "tool", runtime.GOOS+"_"+runtime.GOARCH, "real", "compile")
	compile, err := filepath.EvalSymlinks(real)
	if err == nil {
		err = os.Remove(real)
	}
	log := filepath.Join(w.t.TempDir(), "compiles")
	if err == nil {
		err = os.WriteFile(real, fmt.Appendf(nil, "#!/bin/sh\necho \"$@\" >>'%s'\nexec '%s' \"$@\"\n", log, compile), 0o777)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return log
}

// linkStdlib puts the archives that the go command has in its cache where the builder would
// put those that it compiles itself, which takes minutes.
func (w *workspace) linkStdlib() {
	list := exec.CommandContext(w.t.Context(), "go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", "std", "cmd/internal/cov", "cmd/internal/bio")
	list.Dir = w.t.TempDir()
	list.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false", "GOWORK=off", "CGO_ENABLED="+w.cgoEnabled())
	out, err := list.Output()
	if err != nil {
		w.t.Fatalf("go list: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		path, archive, _ := strings.Cut(strings.TrimSpace(line), " ")
		if archive == "" {
			continue
		}
		file := filepath.Join(w.root, "bazel-out", "std", "pkg", w.mode.installSuffix(), filepath.FromSlash(path)+".a")
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			w.t.Fatal(err)
		}
		if err := os.Symlink(archive, file); err != nil {
			w.t.Fatal(err)
		}
	}
	w.writePackageList()
}

// compileStdlib has the builder compile the standard library.
func (w *workspace) compileStdlib() {
	args := []string{"stdlib", "-sdk", "external/go_sdk", "-goroot", "external/go_sdk", "-installsuffix", w.mode.installSuffix(),
		"-out", "bazel-out/std", "-package", "std", "-package", "cmd/internal/cov", "-package", "cmd/internal/bio"}
	if w.mode.cgo {
		args = append(args, "-package", "runtime/cgo")
	}
	if w.mode.race {
		args = append(args, "-race")
	}
	w.runBuilder(append(args, "-gcflags", "")...)
	w.writePackageList()
}

// writePackageList lists the packages of the standard library as rules_go does: every
// directory that has a file, whether it is a package or not.
func (w *workspace) writePackageList() {
	src, err := filepath.EvalSymlinks(filepath.Join(w.root, "external", "go_sdk", "src"))
	if err != nil {
		w.t.Fatal(err)
	}
	packages := map[string]bool{}
	err = filepath.WalkDir(src, func(name string, d os.DirEntry, err error) error {
		if dir, _ := filepath.Rel(src, filepath.Dir(name)); err == nil && !d.IsDir() && dir != "." {
			packages[filepath.ToSlash(dir)] = true
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.write("bazel-out/packages.txt", strings.Join(slices.Sorted(maps.Keys(packages)), "\n")+"\n")
}

func (w *workspace) write(name, text string) {
	file := filepath.Join(w.root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		w.t.Fatal(err)
	}
}

func (w *workspace) run(cmd *exec.Cmd) string {
	w.t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return string(out)
}

func (w *workspace) cgoEnabled() string {
	if w.mode.cgo {
		return "1"
	}
	return "0"
}

// gcc returns the C compiler, "" if there is none.
func (w *workspace) gcc() string {
	file, _ := exec.LookPath("gcc")
	return file
}

// builderCommand returns the command of an action.
func (w *workspace) builderCommand(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(w.t.Context(), w.builder, args...)
	cmd.Dir = w.root
	cmd.Env = []string{"GOROOT=bazel-out/std", "GOOS=" + runtime.GOOS, "GOARCH=" + runtime.GOARCH, "GOEXPERIMENT=", "GOROOT_FINAL=GOROOT",
		"GOPATH=", "GOTOOLCHAIN=local", "CGO_ENABLED=" + w.cgoEnabled(), "CC=" + w.gcc(), "PATH=/usr/bin:/bin", "TMPDIR=" + os.TempDir()}
	return cmd
}

func (w *workspace) runBuilder(args ...string) string {
	w.t.Helper()
	return w.run(w.builderCommand(args...))
}

// common returns the arguments that all actions have.
func (w *workspace) common() []string {
	return []string{"-sdk", "external/go_sdk", "-goroot", "bazel-out/std", "-installsuffix", w.mode.installSuffix()}
}

// compileArgs returns the arguments of the action that compiles a package.
func (w *workspace) compileArgs(g *target) []string {
	out := "bazel-out/bin/" + g.name
	args := w.common()
	for _, src := range g.srcs {
		args = append(args, "-src", src)
		if g.cover && w.mode.cover {
			args = append(args, "-cover", src)
		}
	}
	deps := g.deps
	if g.cover && w.mode.cover {
		args = append(args, "-cover_mode", "atomic", "-cover_format", "go_cover")
	}
	for _, dep := range deps {
		args = append(args, "-arc", fmt.Sprintf("%s=%s=bazel-out/bin/%s.x", dep.importPath, dep.path(), dep.name))
	}
	if g.testFilter != "" {
		args = append(args, "-testfilter", g.testFilter)
	}
	gcflags := ""
	if w.mode.race {
		gcflags = "-race"
	}
	return append(args, "-importpath", g.importPath, "-p", g.path(), "-package_list", "bazel-out/packages.txt",
		"-pack", "bazel-out/pack", "-lo", out+".a", "-o", out+".x", "-imports", out+".imports", "-gcflags", gcflags)
}

// compile compiles a package.
func (w *workspace) compile(g *target) *target {
	w.t.Helper()
	w.run(w.compileCommand(g))
	w.targets = append(w.targets, g)
	return g
}

func (w *workspace) compileCommand(g *target) *exec.Cmd {
	args := w.compileArgs(g)
	if g.params {
		file := "bazel-out/bin/" + g.name + ".params"
		w.write(file, strings.Join(args, "\n")+"\n")
		args = []string{"-param=" + file}
	}
	return w.builderCommand(append([]string{"compilepkg"}, args...)...)
}

// link links a program, with all packages that were compiled before it, and returns its
// file.
func (w *workspace) link(main *target, packagePath string, toolFlags ...string) string {
	w.t.Helper()
	args := append([]string{"link"}, w.common()...)
	for _, g := range w.targets {
		if g != main {
			args = append(args, "-arc", fmt.Sprintf("//:%s=%s=bazel-out/bin/%s.a", g.name, g.path(), g.name),
				"-imports", fmt.Sprintf("%s=bazel-out/bin/%s.imports", g.path(), g.name))
		}
	}
	out := "bazel-out/bin/" + main.name + "_/" + main.name
	w.write(out+".keep", "")
	if w.mode.cover {
		args = append(args, "-cover")
	}
	if w.mode.race {
		args = append(args, "-race")
		toolFlags = append(toolFlags, "-race")
	}
	args = append(args, "-package_list", "bazel-out/packages.txt", "-o", out, "-main", "bazel-out/bin/"+main.name+".a",
		"-main_package_path", packagePath, "-main_imports", "bazel-out/bin/"+main.name+".imports", "-p", "main", "--")
	if w.mode.cgo {
		toolFlags = append(toolFlags, "-extld", w.gcc())
	} else {
		toolFlags = append(toolFlags, "-linkmode", "internal")
	}
	if message := w.runBuilder(append(args, toolFlags...)...); message != "" {
		w.t.Errorf("link of %s says: %s", main.name, message)
	}
	return filepath.Join(w.root, filepath.FromSlash(out))
}

// start runs a program with a data directory, and returns what it prints.
func (w *workspace) start(file, data string) string {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), file)
	cmd.Dir = w.root
	cmd.Env = append(os.Environ(), "SCAVENGER_DATA_DIR="+data)
	return w.run(cmd)
}

// report returns the status of each function, by package and name.
func (w *workspace) report(data string) map[string]string {
	w.t.Helper()
	functions, err := program.Report(context.WithoutCancel(w.t.Context()), w.wrapper, data)
	if err != nil {
		w.t.Fatal(err)
	}
	status := map[string]string{}
	for _, f := range functions {
		status[f.Package+"."+f.Name] = f.Status
		if dir := strings.TrimPrefix(f.Package, "example.com/app/"); path.Dir(f.File) != dir {
			w.t.Errorf("%s is in %s, not in %s", f.Name, f.File, dir)
		}
	}
	return status
}
