// Oracle checks what a marked program reports against Go's own coverage, on a
// real program and the same input:
//
//	go run ./e2e/oracle caddy
//
// It builds the program twice, with -cover and with scavenger-wrap, runs its
// workload on both, and compares function by function. A function that ran but
// is not reported as called is false dead, the worst error there is; one that
// is reported but did not run is false live. Either makes the exit status 1.
//
// With -tests the tests of any module are the workload. Those that end otherwise when they
// are marked are shown, but judged by e2e/corpus, as -cover too makes some fail:
//
//	go run ./e2e/oracle -tests github.com/hashicorp/go-memdb@v1.3.5 ./...
//
// With -evidence it builds the program once more, with what the marked one called as
// evidence, and compares that: functions without marks must be called, too.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sort"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

func main() {
	driver := flag.String("driver", "", "drive the program with `file` instead of the built-in workload: file BINARY NAME=VALUE… must run it until it has ended, in a scratch directory that CORPUS names")
	evidence := flag.Bool("evidence", false, "judge a build with the first marked one as evidence")
	tests := flag.Bool("tests", false, "the workload is the tests of a module")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: oracle [-driver file] [-evidence] program\n       oracle -tests module@version [argument of go test…]")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 && (!*tests || flag.NArg() == 0) {
		flag.Usage()
		os.Exit(2)
	}
	// -cover counts functions of generated files too.
	if err := os.Setenv("SCAVENGER_EXCLUDE_GENERATED", "false"); err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if *tests {
		err = runOfTests(ctx, flag.Arg(0), flag.Args()[1:])
	} else {
		err = run(ctx, flag.Arg(0), *driver, *evidence)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name, driver string, evidence bool) error {
	target, err := program.LookUp(name)
	if err != nil {
		return err
	}
	if driver != "" {
		if target.Run, err = external(driver, target); err != nil {
			return err
		}
	}
	dir, wrapper, p, err := fetch(ctx, target.Module)
	defer os.RemoveAll(dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%s: with -cover\n", target.Module)
	covered, err := target.RunCovered(ctx, p, filepath.Join(dir, "cover"))
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "%s: with scavenger-wrap\n", target.Module)
	reported, err := runMarked(ctx, target, p, wrapper, filepath.Join(dir, "marked"))
	if err == nil && evidence {
		reported, err = runWithEvidence(ctx, target, p, wrapper, dir)
	}
	if err != nil {
		return err
	}
	return judge(program.Compare(reported, covered))
}

// fetch makes a directory, also if it returns an error, builds scavenger-wrap there and copies
// a module.
func fetch(ctx context.Context, module string) (dir, wrapper string, p *program.Program, err error) {
	if dir, err = os.MkdirTemp("", "scavenger-oracle-"); err != nil {
		return "", "", nil, err
	}
	if wrapper, err = program.BuildWrapper(ctx, dir); err != nil {
		return dir, "", nil, err
	}
	p, err = program.Fetch(ctx, module, filepath.Join(dir, "source"))
	return dir, wrapper, p, err
}

// external returns a Run that leaves the work to a program.
func external(driver string, target program.Target) (func(ctx context.Context, bin, scratch string, env []string) error, error) {
	driver, err := filepath.Abs(driver)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, bin, scratch string, env []string) error {
		binary := filepath.Join(bin, filepath.Base(target.Packages[0])+program.ExeSuffix())
		cmd := exec.CommandContext(ctx, driver, append([]string{binary}, env...)...)
		cmd.Env = append(os.Environ(), "CORPUS="+scratch)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		return cmd.Run()
	}, nil
}

func runMarked(ctx context.Context, target program.Target, p *program.Program, wrapper, dir string) (map[program.Function]string, error) {
	bin, scratch, data := filepath.Join(dir, "bin"), filepath.Join(dir, "scratch"), filepath.Join(dir, "data")
	if err := os.MkdirAll(scratch, 0o777); err != nil {
		return nil, err
	}
	if err := target.BuildInto(ctx, p, bin, "-toolexec="+wrapper); err != nil {
		return nil, err
	}
	if err := target.Run(ctx, bin, scratch, []string{"SCAVENGER_DATA_DIR=" + data}); err != nil {
		return nil, err
	}
	functions, err := program.Report(ctx, wrapper, data)
	if err != nil {
		return nil, err
	}
	status := map[program.Function]string{}
	for _, f := range functions {
		status[f.ID()] = f.Status
	}
	return status, nil
}

// runWithEvidence is runMarked with what that left in dir as evidence of the first of the
// target's programs.
func runWithEvidence(ctx context.Context, target program.Target, p *program.Program, wrapper, dir string) (map[program.Function]string, error) {
	file := filepath.Join(dir, "report.json")
	app := filepath.Base(target.Packages[0])
	text, err := exec.CommandContext(ctx, wrapper, "report", "--format=json", "--application="+app, filepath.Join(dir, "marked", "data")).Output()
	if err != nil {
		return nil, fmt.Errorf("scavenger-wrap report: %w", err)
	}
	if err := errors.Join(os.WriteFile(file, text, 0o666), os.Setenv("SCAVENGER_EVIDENCE", file)); err != nil {
		return nil, err
	}
	fmt.Fprintf(os.Stderr, "%s: with evidence\n", target.Module)
	data := filepath.Join(dir, "evidence", "data")
	status, err := runMarked(ctx, target, p, wrapper, filepath.Dir(data))
	if err != nil {
		return nil, err
	}
	functions, err := program.Report(ctx, wrapper, data)
	presumed := 0
	for _, f := range functions {
		if f.Presumed != "" {
			presumed++
		}
	}
	fmt.Printf("presumed to be called: %d\n", presumed)
	if err == nil && presumed == 0 {
		err = errors.New("no function is presumed")
	}
	return status, err
}

func judge(c *program.Comparison) error {
	fmt.Printf("functions %d: called %d, never called %d, init and by rule not reported %d\n",
		c.Functions, c.Called, c.Functions-c.Called-c.Inits, c.Inits)
	for _, list := range []struct {
		title     string
		functions []program.Function
	}{
		{"false dead", c.FalseDead},
		{"false live", c.FalseLive},
		{"not observable", c.Unobservable},
		{"not reported, and did not run", c.Unlisted},
	} {
		fmt.Printf("%s: %d\n", list.title, len(list.functions))
		sort.Slice(list.functions, func(i, j int) bool { return list.functions[i].String() < list.functions[j].String() })
		for _, f := range list.functions {
			fmt.Printf("\t%s\n", f)
		}
	}
	if n := len(c.FalseDead) + len(c.FalseLive); n > 0 {
		return fmt.Errorf("%d functions are reported wrong", n)
	}
	return nil
}
