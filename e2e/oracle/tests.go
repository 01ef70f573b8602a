package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// runOfTests takes the tests of a module for a workload: with -cover, and marked. Functions
// in files of tests do not count, as -cover has none of them.
func runOfTests(ctx context.Context, module string, args []string) error {
	dir, err := os.MkdirTemp("", "scavenger-oracle-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	wrapper, err := program.BuildWrapper(ctx, dir)
	if err != nil {
		return err
	}
	p, err := program.Fetch(ctx, module, filepath.Join(dir, "source"))
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%s: with -cover\n", module)
	profile, data := filepath.Join(dir, "profile.txt"), filepath.Join(dir, "data")
	covering, args, err := testCovered(ctx, p, profile, args)
	if err != nil {
		return err
	}
	covered, err := p.CoveredIn(profile)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%s: with scavenger-wrap\n", module)
	// The directory is built in, as tests start themselves again without our variables.
	settings := filepath.Join(dir, "scavenger.toml")
	if err := os.WriteFile(settings, fmt.Appendf(nil, "trackTests = true\ndataDir = %q\n", data), 0o666); err != nil {
		return err
	}
	env := []string{"SCAVENGER_CONFIG=" + settings}
	marked, err := goTest(ctx, p, env, append([]string{"-toolexec=" + wrapper}, args...))
	if err != nil {
		return err
	}
	functions, err := program.Report(ctx, wrapper, data)
	if err != nil {
		return err
	}
	status := map[program.Function]string{}
	for _, f := range functions {
		if !strings.HasSuffix(f.File, "_test.go") {
			status[f.ID()] = f.Status
		}
	}
	fmt.Printf("packages with coverage: %d\n", len(covering.measured))
	fmt.Printf("tests with another result: %d of %d\n", showDifferences(covering.results, marked.results), len(covering.results))
	return judge(program.Compare(status, covered))
}

// testCovered runs the tests with -cover, and returns arguments that leave out the packages
// whose tests panic: they have no profile.
func testCovered(ctx context.Context, p *program.Program, profile string, args []string) (*testRun, []string, error) {
	flags := []string{"-cover", "-covermode=atomic", "-coverpkg=./...", "-coverprofile=" + profile}
	run, err := goTest(ctx, p, nil, append(flags, args...))
	if err != nil {
		return nil, nil, err
	}
	measured, lost := run.packages()
	if len(lost) == 0 {
		return run, args, nil
	}
	fmt.Printf("left out, as they leave no profile: %s\n", strings.Join(lost, " "))
	var ofTests []string
	if i := slices.Index(args, "-args"); i >= 0 {
		args, ofTests = args[:i], args[i:]
	}
	args = slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return strings.HasPrefix(arg, ".") })
	args = slices.Concat(args, measured, ofTests)
	if run, err = goTest(ctx, p, nil, append(flags, args...)); err != nil {
		return nil, nil, err
	}
	if _, lost := run.packages(); len(lost) > 0 {
		return nil, nil, fmt.Errorf("this time %s leave no profile: run it again without them", strings.Join(lost, " "))
	}
	return run, args, nil
}

// A testRun is what one go test did.
type testRun struct {
	results  map[string]string // of each test and package, by name
	measured map[string]bool   // the packages with coverage
}

// packages returns the packages with coverage, and those whose tests should have left some.
func (r *testRun) packages() (measured, lost []string) {
	for name, result := range r.results {
		if r.measured[name] {
			measured = append(measured, name)
		} else if result == "fail" && !strings.Contains(name, " ") {
			lost = append(lost, name)
		}
	}
	slices.Sort(measured)
	slices.Sort(lost)
	return measured, lost
}

// address matches addresses in the names of tests, which differ from run to run.
var address = regexp.MustCompile(`0x[0-9a-f]+`)

func goTest(ctx context.Context, p *program.Program, env, args []string) (*testRun, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-count=1", "-vet=off", "-json"}, args...)...)
	cmd.Dir = p.Dir
	cmd.Env = append(append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod -buildvcs=false"), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	r := &testRun{results: map[string]string{}, measured: map[string]bool{}}
	for line := range strings.Lines(stdout.String()) {
		r.read(line)
	}
	if len(r.results) == 0 {
		return nil, fmt.Errorf("go test %s: no test was run\n%s", strings.Join(args, " "), stderr.String())
	}
	return r, nil
}

// read reads a line of go test -json.
func (r *testRun) read(line string) {
	var e struct{ Action, Package, ImportPath, Test, Output string }
	if json.Unmarshal([]byte(line), &e) != nil {
		return // printed by a test past its own output
	}
	name := strings.TrimSpace(e.Package + " " + address.ReplaceAllString(e.Test, "ADDR"))
	switch e.Action {
	case "output":
		if e.Test == "" && strings.Contains(e.Output, "coverage: ") {
			r.measured[e.Package] = true
		}
	case "pass", "fail":
		r.results[name] = e.Action
	case "skip":
		r.results[name] = e.Action
		if e.Test == "" {
			r.results[name] = "pass" // it has no tests: -cover says so
		}
	case "build-fail":
		r.results[e.ImportPath+" "] = e.Action
	}
}

// showDifferences prints which tests had another result, and returns their number.
func showDifferences(covering, marked map[string]string) int {
	var lines []string
	for name, want := range covering {
		if got := marked[name]; got != want {
			lines = append(lines, fmt.Sprintf("\t%s: %q, with -cover %q\n", name, got, want))
		}
	}
	for name, got := range marked {
		if _, ok := covering[name]; !ok {
			lines = append(lines, fmt.Sprintf("\t%s: %q, with -cover it did not run\n", name, got))
		}
	}
	slices.Sort(lines)
	fmt.Print(strings.Join(lines, ""))
	return len(lines)
}
