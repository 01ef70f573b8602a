// Package e2e tests scavenger-wrap as its users meet it: scripts in
// testdata/script run the real go command with the real binary on small
// modules, and what they build reports to files or to a collector.
//
// All scripts share one build cache. A changed setting means a new tool ID and
// with it another compilation of the standard library, so unless it is about
// settings, a script's module is called example.com/app and has no build
// settings of its own. Scripts for which the standard library has to be compiled
// anew, or that take long, are in testdata/heavy, and run when asked for by name.
package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// built is the scavenger-wrap that all tests use.
var built program.Wrapper

func TestMain(m *testing.M) { os.Exit(built.Run(m, "e2e", warmCache)) }

// warmCache builds two programs, so that the scripts, which run at the same time, do
// not all compile the standard library. What hitrt imports is compiled in one way for
// programs with package net, and in another for those without.
func warmCache() error {
	app := filepath.Join(built.Dir, "warm")
	for name, text := range map[string]string{
		"go.mod":          "module example.com/app\n\ngo 1.24\n",
		"with/main.go":    "package main\n\nimport \"net/http\"\n\nfunc main() { http.NewServeMux() }\n",
		"without/main.go": "package main\n\nfunc main() {}\n",
	} {
		file := filepath.Join(app, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			return err
		}
	}
	cmd := exec.Command("go", "build", "-toolexec="+filepath.Join(built.Dir, "scavenger-wrap"), "-o", filepath.Join(built.Dir, "warmed")+string(os.PathSeparator), "./...")
	cmd.Dir = app
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building first programs: %w\n%s", err, out)
	}
	return nil
}

// TestScripts runs the scripts that everybody runs. Their programs have no debug
// information, unless they say otherwise: it would be most of what a link does.
func TestScripts(t *testing.T) { runScripts(t, "testdata/script", "-ldflags=-w") }

// TestHeavy runs the scripts that compile a standard library of their own, with
// flags or in a build cache that no other script has, or with another release of
// Go; and those that take long and of which something shorter runs always.
func TestHeavy(t *testing.T) {
	program.Heavy(t)
	runScripts(t, "testdata/heavy", "")
}

func runScripts(t *testing.T, dir, goflags string) {
	scripts, err := filepath.Glob(dir + "/*")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts (%v)", err)
	}
	for _, s := range scripts {
		if !strings.HasSuffix(s, ".txtar") {
			t.Errorf("%s is not a .txtar file and would not be run", s)
		}
	}
	built.File(t)
	p := scriptParams(testscript.Params{Dir: dir})
	p.Setup = func(env *testscript.Env) error {
		err := setUp(env)
		env.Setenv("GOFLAGS", goflags)
		return err
	}
	testscript.Run(t, p)
}

// scriptParams completes the parameters that say which scripts to run.
func scriptParams(p testscript.Params) testscript.Params {
	p.RequireExplicitExec = true
	p.RequireUniqueNames = true
	p.Setup = setUp
	p.Condition = condition
	p.Cmds = map[string]func(ts *testscript.TestScript, neg bool, args []string){
		"collector": collectorCommand,
		"elf":       elfCommand,
		"grows":     growsCommand,
		"proxy":     proxyCommand,
		"samelines": samelinesCommand,
		"starts":    startsCommand,
		"status":    statusCommand,
		"toolchain": toolchainCommand,
		"treesum":   treesumCommand,
	}
	return p
}

// setUp gives a script the machine's Go, its caches, and our binary.
func setUp(env *testscript.Env) error {
	out, err := exec.Command("go", "env", "-json", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOROOT", "GOSUMDB").Output()
	if err != nil {
		return err
	}
	var goEnv map[string]string
	if err := json.Unmarshal(out, &goEnv); err != nil {
		return err
	}
	names := make([]string, 0, len(goEnv))
	for name := range goEnv {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		env.Setenv(name, goEnv[name])
	}
	env.Setenv("PATH", built.Dir+string(os.PathListSeparator)+filepath.Join(goEnv["GOROOT"], "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	env.Setenv("GOTOOLCHAIN", "local")
	env.Setenv("GOENV", "off")
	env.Setenv("GOFLAGS", "")
	env.Setenv("XDG_STATE_HOME", env.WorkDir) // where programs save what they could not send
	env.Values[collectorKey{}] = &scriptCollector{}
	return nil
}

// statusCommand: status FILE NAME STATUS checks what a JSON report says of the
// function whose package, receiver and name are joined by dots.
func statusCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: status report.json package.receiver.name called|never-called|not-observable|absent")
	}
	var report struct{ Functions []program.ReportedFunction }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &report))
	got := "absent"
	for _, f := range report.Functions {
		name := f.Package + "." + f.Name
		if f.Receiver != "" {
			name = f.Package + "." + f.Receiver + "." + f.Name
		}
		if name == args[1] {
			got = f.Status
		}
	}
	if got != args[2] {
		ts.Fatalf("%s is %s, want %s", args[1], got, args[2])
	}
}

// treesumCommand: treesum DIR [FILE] writes names, sizes, modification times
// and checksums of all files below DIR to FILE, or compares them with it if it
// exists.
func treesumCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: treesum dir file")
	}
	var sum bytes.Buffer
	dir := ts.MkAbs(args[0])
	ts.Check(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		var text []byte
		if !d.IsDir() {
			if text, err = os.ReadFile(path); err != nil {
				return err
			}
		}
		_, err = fmt.Fprintf(&sum, "%s %d %s %x\n", path, info.Size(), info.ModTime().UTC(), sha256.Sum256(text))
		return err
	}))
	file := ts.MkAbs(args[1])
	before, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		ts.Check(os.WriteFile(file, sum.Bytes(), 0o666))
		return
	}
	ts.Check(err)
	if !bytes.Equal(before, sum.Bytes()) {
		ts.Fatalf("files below %s have changed; before:\n%s\nnow:\n%s", args[0], before, sum.Bytes())
	}
}
