package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// repeats is how often the tests run again, without and with marks, if some have had
// other results: some fail now and then, whoever compiles them.
const repeats = 5

// compareTests runs a library's tests without and with scavenger-wrap.
func compareTests(ctx context.Context, s subject, p *program.Program, wrapper string) (*comparison, error) {
	plain, marked, err := runBoth(ctx, s, p, wrapper)
	if err != nil {
		return nil, err
	}
	c := &comparison{plain: count(plain.Results), marked: count(marked.Results)}
	suspects := marked.Differences(plain)
	if len(suspects) == 0 {
		return c, nil
	}
	plains := []*program.TestRun{plain}
	var later []*program.TestRun
	for range repeats {
		plain, marked, err := runBoth(ctx, s, p, wrapper)
		if err != nil {
			return nil, err
		}
		plains, later = append(plains, plain), append(later, marked)
	}
	for _, marked := range later {
		c.differences = append(c.differences, marked.Differences(plains...)...)
	}
	slices.Sort(c.differences)
	c.differences = slices.Compact(c.differences)
	if len(c.differences) == 0 {
		c.once = suspects
	}
	return c, nil
}

func runBoth(ctx context.Context, s subject, p *program.Program, wrapper string) (plain, marked *program.TestRun, err error) {
	if plain, err = p.Test(ctx, nil, s.test...); err != nil {
		return nil, nil, err
	}
	marked, err = p.Test(ctx, nil, append([]string{"-toolexec=" + wrapper}, s.test...)...)
	return plain, marked, err
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
	return p.Go(ctx, nil, slices.Concat([]string{"build"}, flags, s.build)...).CombinedOutput()
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
