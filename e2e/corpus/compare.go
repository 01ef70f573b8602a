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

// goCommand returns a go command that runs in the module's directory, outside of
// any workspace and without the user's settings.
func goCommand(ctx context.Context, p *program.Program, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = p.Dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOENV=off", "GOFLAGS=-mod=mod -buildvcs=false")
	return cmd
}

// compareTests runs a library's tests without and with scavenger-wrap.
func compareTests(ctx context.Context, s subject, p *program.Program, wrapper string) (*comparison, error) {
	plain, err := runTests(ctx, p, s.test...)
	if err != nil {
		return nil, err
	}
	marked, err := runTests(ctx, p, append([]string{"-toolexec=" + wrapper}, s.test...)...)
	if err != nil {
		return nil, err
	}
	c := &comparison{plain: count(plain), marked: count(marked)}
	for name, want := range plain {
		if got := marked[name]; got != want {
			c.differences = append(c.differences, fmt.Sprintf("%s: %s, want %s", name, either(got, "not run"), want))
		}
	}
	for name, got := range marked {
		if _, ok := plain[name]; !ok {
			c.differences = append(c.differences, fmt.Sprintf("%s: %s, want not run", name, got))
		}
	}
	slices.Sort(c.differences)
	return c, nil
}

// address matches addresses in the names of tests, which differ from run to run.
var address = regexp.MustCompile(`0x[0-9a-f]+`)

// runTests returns the result of each test and package, by name.
func runTests(ctx context.Context, p *program.Program, args ...string) (map[string]string, error) {
	cmd := goCommand(ctx, p, append([]string{"test", "-count=1", "-json"}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	results := map[string]string{}
	for line := range strings.Lines(stdout.String()) {
		var e struct{ Action, Package, ImportPath, Test string }
		if json.Unmarshal([]byte(line), &e) != nil {
			continue // printed by a test binary past its own output
		}
		switch e.Action {
		case "pass", "fail", "skip":
			results[address.ReplaceAllString(strings.TrimSpace(e.Package+" "+e.Test), "ADDR")] = e.Action
		case "build-fail":
			results[e.ImportPath] = "build-fail"
		}
	}
	if len(results) == 0 {
		return nil, fmt.Errorf("go test %s: no test was run\n%s", strings.Join(args, " "), stderr.String())
	}
	return results, nil
}

// count returns, as text, how many tests had each result.
func count(results map[string]string) string {
	n := map[string]int{}
	for name, result := range results {
		if strings.Contains(name, " ") || result == "build-fail" { // else it is a package
			n[result]++
		}
	}
	text := fmt.Sprintf("pass %d fail %d skip %d", n["pass"], n["fail"], n["skip"])
	if n["build-fail"] > 0 {
		text += fmt.Sprintf(" build-fail %d", n["build-fail"])
	}
	return text
}

func either(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// compareProgram builds a program, or packages, and compares smoke runs.
func compareProgram(ctx context.Context, s subject, p *program.Program, wrapper string) (*comparison, error) {
	plain, marked := filepath.Join(p.Dir, "scavenger-plain"), filepath.Join(p.Dir, "scavenger-marked")
	if len(s.smoke) == 0 {
		plain, marked = os.DevNull, os.DevNull
	}
	if out, err := build(ctx, s, p, "-o", plain); err != nil {
		return nil, fmt.Errorf("the plain go build: %w\n%s", err, out)
	}
	c := &comparison{plain: "builds"}
	if out, err := build(ctx, s, p, "-o", marked, "-toolexec="+wrapper); err != nil || len(out) > 0 {
		c.marked = "DOES NOT BUILD"
		c.differences = append(c.differences, fmt.Sprintf("go build: %v\n%s", err, out))
		return c, nil
	}
	c.marked = "builds"
	if len(s.smoke) == 0 {
		return c, nil
	}
	c.plain = fmt.Sprintf("builds, %d runs", len(s.smoke))
	c.marked = c.plain
	for _, args := range s.smoke {
		want, err := smoke(ctx, s, p, plain, args)
		if err != nil {
			return nil, err
		}
		got, err := smoke(ctx, s, p, marked, args)
		if err != nil {
			return nil, err
		}
		if got != want {
			c.differences = append(c.differences, fmt.Sprintf("run %q printed\n%s\nwant\n%s", args, got, want))
		}
	}
	return c, nil
}

// build runs go build with flags and s.build, which ends with the packages.
func build(ctx context.Context, s subject, p *program.Program, flags ...string) ([]byte, error) {
	return goCommand(ctx, p, slices.Concat([]string{"build"}, flags, s.build)...).CombinedOutput()
}

// smoke runs the program and returns its output and its status. Both forms of it
// run under the same name, as some programs print theirs.
func smoke(ctx context.Context, s subject, p *program.Program, binary string, args []string) (string, error) {
	name := filepath.Join(p.Dir, s.name+"-smoke"+program.ExeSuffix())
	if err := os.Rename(binary, name); err != nil {
		return "", err
	}
	defer func() { _ = os.Rename(name, binary) }()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = p.Dir
	cmd.Env = append(os.Environ(), "HOME="+p.Dir)
	cmd.Stdin = strings.NewReader(s.stdin)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return "", err
	}
	var kept strings.Builder
	for line := range strings.Lines(string(out)) {
		if s.race == "" || !strings.HasPrefix(line, s.race) {
			kept.WriteString(line)
		}
	}
	return fmt.Sprintf("%sstatus %d", kept.String(), cmd.ProcessState.ExitCode()), nil
}
