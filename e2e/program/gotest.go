// The tests of a module, and what became of each.

package program

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// A TestRun is what one go test did.
type TestRun struct {
	Results map[string]string // pass, fail, skip or build-fail, by "package" and "package test"
	Covered map[string]bool   // the packages that printed their coverage
}

// Go returns a go command that runs in the module's directory, outside of any workspace
// and without the user's settings, with env besides this process's environment.
func (p *Program) Go(ctx context.Context, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = p.Dir
	cmd.Env = append(append(os.Environ(), "GOWORK=off", "GOENV=off", "GOFLAGS=-mod=mod -buildvcs=false"), env...)
	return cmd
}

// Test runs the module's tests. That some of them fail is no error; that none runs is one, and
// that a bug of ours kept a package from being marked.
func (p *Program) Test(ctx context.Context, env []string, args ...string) (*TestRun, error) {
	log, err := os.CreateTemp("", "scavenger-wrap-*.log")
	if err != nil {
		return nil, err
	}
	log.Close()
	defer os.Remove(log.Name())
	// Without trackTests, nothing else tells why a package is not marked.
	env = append(slices.Clip(env), "SCAVENGER_WRAP_LOG="+log.Name())
	cmd := p.Go(ctx, env, append([]string{"test", "-count=1", "-json"}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	actions, err := os.ReadFile(log.Name())
	if err := errors.Join(err, NoBug(actions), NoBug(stdout.Bytes()), NoBug(stderr.Bytes())); err != nil {
		return nil, err
	}
	r := &TestRun{Results: map[string]string{}, Covered: map[string]bool{}}
	for line := range strings.Lines(stdout.String()) {
		r.read(line)
	}
	if len(r.Results) == 0 {
		return nil, fmt.Errorf("go test %s: no test was run\n%s", strings.Join(args, " "), stderr.String())
	}
	return r, nil
}

// address matches addresses in the names of tests, which differ from run to run.
var address = regexp.MustCompile(`0x[0-9a-f]+`)

// read reads a line of go test -json.
func (r *TestRun) read(line string) {
	var e struct{ Action, Package, ImportPath, Test, Output string }
	if json.Unmarshal([]byte(line), &e) != nil {
		return // printed by a test binary past its own output
	}
	switch e.Action {
	case "output":
		if e.Test == "" && strings.Contains(e.Output, "coverage: ") {
			r.Covered[e.Package] = true
		}
	case "pass", "fail", "skip":
		r.Results[address.ReplaceAllString(strings.TrimSpace(e.Package+" "+e.Test), "ADDR")] = e.Action
	case "build-fail":
		r.Results[e.ImportPath] = e.Action
	}
}

// Differences returns a line for each result that none of the other runs has, sorted.
func (r *TestRun) Differences(others ...*TestRun) (lines []string) {
	names := maps.Clone(r.Results)
	for _, other := range others {
		maps.Copy(names, other.Results)
	}
	for name := range names {
		got := r.result(name)
		var want []string
		for _, other := range others {
			if w := other.result(name); !slices.Contains(want, w) {
				want = append(want, w)
			}
		}
		if !slices.Contains(want, got) {
			lines = append(lines, fmt.Sprintf("%s: %s, want %s", name, got, strings.Join(want, " or ")))
		}
	}
	slices.Sort(lines)
	return lines
}

func (r *TestRun) result(name string) string { return cmp.Or(r.Results[name], "not run") }
