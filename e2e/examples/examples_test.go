// Package examples tests the files that docs/building.md shows: each builds the program in
// app, or runs it, as its tool would. `go test -v ./e2e/examples` prints a line per example.
package examples

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

var built program.Wrapper

func TestMain(m *testing.M) { os.Exit(built.Run(m, "examples", nil)) }

// newModule returns a new directory with the program of all examples and the given files,
// which are named by their folder and name here.
func newModule(t *testing.T, files ...string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the examples are for shells and signals of Unix")
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("app")); err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(file)), []byte(readFile(t, file)), info.Mode())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// checkout is the directory of this checkout.
func checkout(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// run runs a command in dir with further variables, and returns what it prints.
func run(t *testing.T, dir string, env []string, args ...string) string {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(slices.DeleteFunc(os.Environ(), isSetting), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v\n%s", args, err, out)
	}
	return string(out)
}

// isSetting reports whether a variable of the machine would change what an example does.
func isSetting(variable string) bool { return strings.HasPrefix(variable, "SCAVENGER_") }

// pathWithWrapper is PATH with scavenger-wrap.
func pathWithWrapper(t *testing.T) string {
	t.Helper()
	return "PATH=" + filepath.Dir(built.File(t)) + string(os.PathListSeparator) + os.Getenv("PATH")
}

// buildApp builds the program as README.md says.
func buildApp(t *testing.T) string {
	t.Helper()
	dir := newModule(t)
	run(t, dir, nil, "go", "build", "-toolexec="+built.File(t), "-o", "app", "./cmd/app")
	return filepath.Join(dir, "app")
}

// runAndReport runs a program, with the argument serve until SIGTERM if it is a service, and
// checks what the report says.
func runAndReport(t *testing.T, app string, service bool, env ...string) {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	env = append(env, "SCAVENGER_DATA_DIR="+data)
	if service {
		serve(t, app, env, func() {})
	} else {
		run(t, filepath.Dir(app), env, app)
	}
	checkReport(t, run(t, ".", nil, built.File(t), "report", "--format=json", data))
}

// serve starts the program as a service, ends it with SIGTERM as soon as it has called
// everything, and checks that it dies of that as without marks.
func serve(t *testing.T, app string, env []string, before func()) {
	t.Helper()
	cmd := exec.Command(app, "serve")
	cmd.Env = append(slices.DeleteFunc(os.Environ(), isSetting), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer time.AfterFunc(5*time.Minute, func() { cmd.Process.Kill() }).Stop()
	line := make([]byte, len("total 42\n"))
	if _, err := stdout.Read(line); err != nil || string(line) != "total 42\n" {
		t.Errorf("the program printed %q, %v", line, err)
	}
	before()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	cmd.Wait()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGTERM {
		t.Errorf("at SIGTERM the program ended with %v\n%s", cmd.ProcessState, &stderr)
	}
	if stderr.Len() > 0 {
		t.Errorf("the program said: %s", &stderr)
	}
}

// A report is what the test needs of one in JSON.
type report struct {
	Complete  bool
	Functions []struct{ Name, Status string }
}

func parseReport(t *testing.T, text string) report {
	t.Helper()
	var r report
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return r
}

// status returns the status of each function, by its name.
func (r report) status() map[string]string {
	status := map[string]string{}
	for _, f := range r.Functions {
		status[f.Name] = f.Status
	}
	return status
}

// checkReport checks that a report on the program says who was called.
func checkReport(t *testing.T, text string) {
	t.Helper()
	r := parseReport(t, text)
	want := map[string]string{"main": "called", "Add": "called", "Total": "called", "Clear": "never-called"}
	if got := r.status(); !maps.Equal(got, want) {
		t.Errorf("the report says %v, want %v\n%s", got, want, text)
	}
	if !r.Complete {
		t.Errorf("the report is not complete\n%s", text)
	}
}

var (
	settingName = regexp.MustCompile("`(SCAVENGER_[A-Z_]+)`")
	tableRow    = regexp.MustCompile(`(?m)^\| .* \| .*\[(\w+)/.*\| (.*) \|$`)
	testName    = regexp.MustCompile("`(Test\\w+)`")
)

// checkSettings checks that variables are settings and that they act where the program runs.
func checkSettings(t *testing.T, names []string) {
	t.Helper()
	known := map[string]bool{}
	for line := range strings.Lines(readFile(t, "../../docs/settings.md")) {
		if name := settingName.FindStringSubmatch(line); name != nil && strings.Contains(line, " | run | ") {
			known[name[1]] = true
		}
	}
	if len(known) < 10 {
		t.Fatalf("docs/settings.md has %d variables for the run: is its table still where this test looks?", len(known))
	}
	for _, name := range names {
		if strings.HasPrefix(name, "SCAVENGER_") && !known[name] {
			t.Errorf("docs/settings.md has no variable %s that acts when the program runs", name)
		}
	}
	if !slices.Contains(names, "SCAVENGER_DATA_DIR") {
		t.Errorf("SCAVENGER_DATA_DIR is not among %v", names)
	}
}

// TestTable checks that docs/building.md has a row for each example, and that the tests it
// names are here.
func TestTable(t *testing.T) {
	sources, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	for _, name := range sources {
		tests.WriteString(readFile(t, name))
	}
	rows := map[string]bool{}
	for _, row := range tableRow.FindAllStringSubmatch(readFile(t, "../../docs/building.md"), -1) {
		rows[row[1]] = true
		for _, test := range testName.FindAllStringSubmatch(row[2], -1) {
			if !strings.Contains(tests.String(), "func "+test[1]+"(t *testing.T)") {
				t.Errorf("docs/building.md names %s, which is not here", test[1])
			}
		}
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.IsDir() && entry.Name() != "app" && !rows[entry.Name()] {
			t.Errorf("docs/building.md has no row for %s", entry.Name())
		}
	}
}
