package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// runOfTests takes the tests of a module for a workload: with -cover, and marked. Functions
// in files of tests do not count, as -cover has none of them.
func runOfTests(ctx context.Context, module string, args []string) error {
	dir, wrapper, p, err := fetch(ctx, module)
	defer os.RemoveAll(dir)
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
	marked, err := runTests(ctx, p, env, append([]string{"-toolexec=" + wrapper}, args...))
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
	fmt.Printf("packages with coverage: %d\n", len(covering.Covered))
	differences := marked.Differences(covering)
	for _, line := range differences {
		fmt.Println("\t" + line)
	}
	fmt.Printf("tests with another result: %d of %d\n", len(differences), len(covering.Results))
	return judge(program.Compare(status, covered))
}

// testCovered runs the tests with -cover, and returns arguments that leave out the packages
// whose tests panic: they have no profile.
func testCovered(ctx context.Context, p *program.Program, profile string, args []string) (*program.TestRun, []string, error) {
	flags := []string{"-cover", "-covermode=atomic", "-coverpkg=./...", "-coverprofile=" + profile}
	run, err := runTests(ctx, p, nil, append(flags, args...))
	if err != nil {
		return nil, nil, err
	}
	measured, lost := coveredPackages(run)
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
	if run, err = runTests(ctx, p, nil, append(flags, args...)); err != nil {
		return nil, nil, err
	}
	if _, lost := coveredPackages(run); len(lost) > 0 {
		return nil, nil, fmt.Errorf("this time %s leave no profile: run it again without them", strings.Join(lost, " "))
	}
	return run, args, nil
}

// runTests runs the tests. Of a package without tests -cover says that it passes, so it does.
func runTests(ctx context.Context, p *program.Program, env, args []string) (*program.TestRun, error) {
	run, err := p.Test(ctx, env, append([]string{"-vet=off"}, args...)...)
	if err != nil {
		return nil, err
	}
	for name, result := range run.Results {
		if result == "skip" && isPackage(name) {
			run.Results[name] = "pass"
		}
	}
	return run, nil
}

// isPackage reports whether a result is that of a package, not of a test.
func isPackage(name string) bool { return !strings.Contains(name, " ") }

// coveredPackages returns the packages with coverage, and those whose tests should have left
// some.
func coveredPackages(run *program.TestRun) (measured, lost []string) {
	for name, result := range run.Results {
		if run.Covered[name] {
			measured = append(measured, name)
		} else if result == "fail" && isPackage(name) {
			lost = append(lost, name)
		}
	}
	slices.Sort(measured)
	slices.Sort(lost)
	return measured, lost
}
