// What the commands cost that answer: report on a large program, and plan beside
// deadcode.

package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// A usage is what one run of a command took.
type usage struct {
	cpu, wall time.Duration
	memory    int64 // the most at one time, in bytes; 0 where that is not known
}

// spend runs a command. Exit status 3 is an answer, too: data may be incomplete.
func spend(ctx context.Context, dir, name string, args ...string) (usage, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	began := time.Now()
	err := cmd.Run()
	if state := cmd.ProcessState; err != nil && (state == nil || state.ExitCode() != 3) {
		return usage{}, fmt.Errorf("%s %q: %w\n%s", filepath.Base(name), args, err, &stderr)
	}
	return usage{cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), time.Since(began), peakMemory(cmd.ProcessState)}, nil
}

// least returns the least of each figure.
func least(list []usage) usage {
	u := list[0]
	for _, other := range list[1:] {
		u = usage{min(u.cpu, other.cpu), min(u.wall, other.wall), min(u.memory, other.memory)}
	}
	return u
}

func (u usage) row() string {
	return fmt.Sprintf("%.2f s | %.2f s | %d MiB", u.cpu.Seconds(), u.wall.Seconds(), u.memory>>20)
}

// reportBench measures report over one process of a generated program.
func reportBench(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("report", flag.ContinueOnError)
	functions := flags.Int("functions", 99_000, "functions of the program, fewer than maxMethodsCount")
	formats := flags.String("formats", "text,json", "formats, as report names them")
	runs := flags.Int("runs", 5, "runs for each format, of which the least counts")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, wrapper, remove, err := newWrapper(ctx)
	if err != nil {
		return err
	}
	defer remove()
	p, err := generate(filepath.Join(dir, "program"), *functions/functionsPerPackage, functionsPerPackage)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "building", *functions)
	if err := p.Build(ctx, "-toolexec="+wrapper, "-o", "marked", "."); err != nil {
		return err
	}
	run := exec.CommandContext(ctx, filepath.Join(p.Dir, "marked"))
	run.Env = append(os.Environ(), "SCAVENGER_DATA_DIR="+filepath.Join(p.Dir, "data"))
	if out, err := run.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	fmt.Printf("report over %d functions, the least of %d runs:\n\n| format | CPU | elapsed | memory |\n| --- | --- | --- | --- |\n", *functions, *runs)
	for format := range strings.SplitSeq(*formats, ",") {
		var list []usage
		for range *runs {
			u, err := spend(ctx, p.Dir, wrapper, "report", "--format="+format, "data")
			if err != nil {
				return err
			}
			list = append(list, u)
		}
		fmt.Printf("| %s | %s |\n", format, least(list).row())
	}
	return nil
}

// planBench measures plan and deadcode on one program, in turns.
func planBench(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("plan", flag.ContinueOnError)
	name := flags.String("program", "caddy", "age or caddy")
	runs := flags.Int("runs", 3, "runs of each, of which the least counts")
	if err := flags.Parse(args); err != nil {
		return err
	}
	target, err := program.LookUp(*name)
	if err != nil {
		return err
	}
	dir, wrapper, remove, err := newWrapper(ctx)
	if err != nil {
		return err
	}
	defer remove()
	deadcode, err := program.InstallDeadcode(ctx, dir)
	if err != nil {
		return err
	}
	source, data, err := observe(ctx, target, wrapper, dir)
	if err != nil {
		return err
	}
	var plans, deads []usage
	for i := range *runs {
		fmt.Fprintf(os.Stderr, "run %d of %d\n", i+1, *runs)
		u, err := spend(ctx, source, deadcode, target.Packages...)
		if err != nil {
			return err
		}
		deads = append(deads, u)
		if u, err = spend(ctx, source, wrapper, slices.Concat([]string{"plan", "--format=json"}, target.Packages, []string{data})...); err != nil {
			return err
		}
		plans = append(plans, u)
	}
	p, d := least(plans), least(deads)
	fmt.Printf("%s, the least of %d runs:\n\n| command | CPU | elapsed | memory |\n| --- | --- | --- | --- |\n", *name, *runs)
	fmt.Printf("| deadcode | %s |\n| plan | %s |\n", d.row(), p.row())
	fmt.Printf("| ratio | %.2f | %.2f | %.2f |\n", p.cpu.Seconds()/d.cpu.Seconds(), p.wall.Seconds()/d.wall.Seconds(), float64(p.memory)/float64(max(d.memory, 1)))
	return nil
}

// observe builds a program with marks and lets it work. It returns its source and its
// data.
func observe(ctx context.Context, target program.Target, wrapper, dir string) (source, data string, err error) {
	source, data = filepath.Join(dir, "source"), filepath.Join(dir, "data")
	bin, scratch := filepath.Join(dir, "bin"), filepath.Join(dir, "scratch")
	fmt.Fprintln(os.Stderr, "building", target.Module)
	p, err := program.Fetch(ctx, target.Module, source)
	if err != nil {
		return "", "", err
	}
	if err := target.BuildInto(ctx, p, bin, "-toolexec="+wrapper); err != nil {
		return "", "", err
	}
	if err := os.Mkdir(scratch, 0o777); err != nil {
		return "", "", err
	}
	return source, data, target.Run(ctx, bin, scratch, []string{"SCAVENGER_DATA_DIR=" + data})
}
