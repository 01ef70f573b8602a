// Package matrix holds the table of every kind of build that scavenger-wrap
// is tested with, and runs its rows. docs/compatibility.md is written from it.
//
// A row's build is done twice, plain and with -toolexec=scavenger-wrap. What
// the go command says, what the programs print and what `go version -m` shows
// of them must be the same; and the marked program must have reported. What
// takes more than one build to show is a script in e2e/testdata.
package matrix

import (
	"debug/buildinfo"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

//go:embed testdata/app.txtar
var testdata embed.FS

// ScriptFile returns the file of the row's script. dir is that of package e2e.
func (row Row) ScriptFile(dir string) (string, error) {
	for _, kind := range []string{"script", "heavy"} {
		file := filepath.Join(dir, "testdata", kind, row.Script+".txtar")
		if _, err := os.Stat(file); err == nil {
			return file, nil
		}
	}
	return "", fmt.Errorf("no script %s in testdata", row.Script)
}

// A Runner runs rows with one scavenger-wrap.
type Runner struct {
	Wrapper string // path of the binary
}

// Run runs a row that has arguments as a subtest, and prints its line. (Go test
// shows the lines with -v, when something fails, and when it is to test the
// package in the working directory; of packages that it is given and that pass it
// keeps what they print to itself.)
func (r Runner) Run(t *testing.T, row Row) {
	t.Run(row.List+"/"+row.Name, func(t *testing.T) {
		result, start := "works", time.Now()
		defer func() {
			if t.Failed() {
				result = "FAILS"
			}
			fmt.Printf("%-24s %-42s %-6s %.1fs\n", row.List, row.Name, result, time.Since(start).Seconds())
		}()
		if row.Needs != "" {
			if _, err := exec.LookPath(row.Needs); err != nil {
				result = "not run: no " + row.Needs
				t.Skip(result)
			}
		}
		b := r.newBuild(t, row)
		if row.Command != "" {
			b.compareCommand()
			return
		}
		b.comparePrograms()
	})
}

// A build is one row while it runs.
type build struct {
	*testing.T
	row     Row
	wrapper string
	dir     string // the module
	out     string // what is built, and data
}

func (r Runner) newBuild(t *testing.T, row Row) *build {
	b := &build{T: t, row: row, wrapper: r.Wrapper, dir: t.TempDir(), out: t.TempDir()}
	text, err := testdata.ReadFile("testdata/app.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse(text).Files {
		name := filepath.Join(b.dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// An outcome is the result of a command.
type outcome struct {
	status         int
	stdout, stderr string
}

func (b *build) run(dir string, env []string, name string, args ...string) outcome {
	b.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOENV=off", "GOFLAGS=", "GOWORK=off", "GOTOOLCHAIN=local", "GOCOVERDIR="+b.out)
	cmd.Env = append(cmd.Env, env...)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		b.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// goCommand runs a go command of the row's, with flags put before its last
// argument.
func (b *build) goCommand(command string, flags ...string) outcome {
	b.Helper()
	last := len(b.row.Args) - 1
	args := slices.Concat([]string{command}, b.row.Args[:last], flags, b.row.Args[last:])
	return b.run(b.dir, b.row.Env, "go", args...)
}

// compareCommand compares what a go command prints.
func (b *build) compareCommand() {
	toolexec := "-toolexec=" + b.wrapper
	plain, marked := b.goCommand(b.row.Command), b.goCommand(b.row.Command, toolexec)
	if plain.status != 0 {
		b.Fatalf("the plain go %s fails:\n%s%s", b.row.Command, plain.stdout, plain.stderr)
	}
	b.same("go "+b.row.Command, plain, marked)
}

func (b *build) same(what string, plain, marked outcome) {
	b.Helper()
	if plain.status != marked.status {
		b.Errorf("%s: status %d, want %d\n%s", what, marked.status, plain.status, marked.stderr)
	}
	for _, c := range []struct{ name, plain, marked string }{
		{"stdout", plain.stdout, marked.stdout}, {"stderr", plain.stderr, marked.stderr},
	} {
		if got, want := normal(c.marked), normal(c.plain); got != want {
			b.Errorf("%s: %s is\n%s\nwant\n%s", what, c.name, got, want)
		}
	}
}

// volatile matches what differs between two runs of one program: durations, rates,
// whether a test result was cached, what a fuzzer found in its own cache, addresses,
// and in a stack trace offsets into code and arguments.
var volatile = regexp.MustCompile(`new interesting: \d+ \(total: \d+\)|\d+(\.\d+)?m?s\b|\(cached\)|\(\d+/sec\)| \+0x[0-9a-f]+|\((0x[0-9a-f]+\??(, )?)+\)|0x[0-9a-f]{6,}`)

func normal(text string) string { return volatile.ReplaceAllString(text, "~") }

// comparePrograms builds the row's program, plain and marked, and compares the
// two.
func (b *build) comparePrograms() {
	plain, marked := filepath.Join(b.out, "plain"), filepath.Join(b.out, "marked")
	want := b.goCommand("build", "-o", plain)
	if want.status != 0 {
		b.Fatalf("the plain go build fails:\n%s%s", want.stdout, want.stderr)
	}
	got := b.goCommand("build", "-toolexec="+b.wrapper, "-o", marked)
	b.same("go build", want, got)
	if got.status != 0 {
		return
	}
	b.sameBuildInfo(plain, marked)
	if b.row.Cross {
		b.holdsHitrt(marked)
		return
	}
	data := filepath.Join(b.out, "data")
	for _, args := range [][]string{nil, {"panic"}} {
		b.same("running the program", b.run(b.out, nil, plain, args...), b.run(b.out, []string{"SCAVENGER_DATA_DIR=" + data}, marked, args...))
	}
	b.reported(data)
}

// sameBuildInfo compares what `go version -m` shows.
func (b *build) sameBuildInfo(plain, marked string) {
	b.Helper()
	if slices.Contains(b.row.Env, "GOARCH=wasm") {
		return // go version cannot read them
	}
	want, err := buildinfo.ReadFile(plain)
	if err != nil {
		b.Fatal(err)
	}
	got, err := buildinfo.ReadFile(marked)
	if err != nil {
		b.Fatal(err)
	}
	if got.String() != want.String() {
		b.Errorf("build info is\n%s\nwant\n%s", got, want)
	}
}

func (b *build) holdsHitrt(program string) {
	b.Helper()
	text, err := os.ReadFile(program)
	if err != nil {
		b.Fatal(err)
	}
	if !strings.Contains(string(text), "scavenger-wrap/hitrt.Register") {
		b.Error("hitrt is not in the program")
	}
}

// reported checks what the runs reported.
func (b *build) reported(data string) {
	b.Helper()
	out := b.run(b.dir, nil, b.wrapper, "report", "--format=json", data)
	var report struct {
		Functions []struct{ Package, Name, Status string }
	}
	if err := json.Unmarshal([]byte(out.stdout), &report); err != nil {
		b.Fatalf("scavenger-wrap report: %v\n%s", err, out.stderr)
	}
	status := map[string]string{}
	for _, f := range report.Functions {
		status[f.Name] = f.Status
	}
	for name, want := range map[string]string{"main": "called", "Used": "called", "Unused": "never-called", "mode": "called", "Sub": "never-called", "Add": "called"} {
		if status[name] != want {
			b.Errorf("%s is %q, want %q", name, status[name], want)
		}
	}
}
