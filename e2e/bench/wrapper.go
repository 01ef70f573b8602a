// What a start of scavenger-wrap costs in a build: of the hundreds that a build makes,
// most become the tool that they were given at once. wrapper/early does so for the tools
// that it knows, main.main for all others.

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// A wrapperBuild is a way to build scavenger-wrap.
type wrapperBuild struct {
	name  string
	env   []string
	flags []string
}

var wrapperBuilds = []wrapperBuild{
	{name: "go build"},
	{name: "CGO_ENABLED=0 go build", env: []string{"CGO_ENABLED=0"}},
	{name: "CGO_ENABLED=0 go build -tags urfave_cli_no_docs", env: []string{"CGO_ENABLED=0"}, flags: []string{"-tags", "urfave_cli_no_docs"}},
}

func wrapperBench(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("wrapper", flag.ContinueOnError)
	runs := flags.Int("runs", 500, "starts of each binary")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "scavenger-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	asm, nothing, err := buildNothing(ctx, dir)
	if err != nil {
		return err
	}
	commands := [][]string{{nothing}}
	names := []string{"a program that does nothing"}
	for i, b := range wrapperBuilds {
		binary := filepath.Join(dir, fmt.Sprint("wrapper", i)+program.ExeSuffix())
		cmd := exec.CommandContext(ctx, "go", slices.Concat([]string{"build", "-o", binary}, b.flags, []string{"github.com/naver/scavenger/scavenger-wrap"})...)
		cmd.Env = append(os.Environ(), b.env...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", b.name, err, out)
		}
		commands = append(commands, []string{binary, asm}, []string{binary, nothing})
		names = append(names, "`"+b.name+"`, early", "`"+b.name+"`, by main.main")
	}
	times, err := cpuTimes(ctx, commands, *runs)
	if err != nil {
		return err
	}
	fmt.Printf("| ms of CPU | least | median |\n| --- | --- | --- |\n")
	for i, t := range times {
		least, median := t[0], t[len(t)/2]
		if i > 0 { // the program that it becomes is not its own
			least, median = least-times[0][0], median-times[0][len(t)/2]
		}
		fmt.Printf("| %s | %.2f | %.2f |\n", names[i], least.Seconds()*1000, median.Seconds()*1000)
	}
	return nil
}

// buildNothing builds a program that does nothing, once with the name of a tool and once
// with another.
func buildNothing(ctx context.Context, dir string) (asm, nothing string, err error) {
	source := filepath.Join(dir, "nothing.go")
	if err := write(source, "package main\n\nfunc main() {}\n"); err != nil {
		return "", "", err
	}
	asm, nothing = filepath.Join(dir, "asm"+program.ExeSuffix()), filepath.Join(dir, "nothing"+program.ExeSuffix())
	for _, binary := range []string{asm, nothing} {
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, source).CombinedOutput(); err != nil {
			return "", "", fmt.Errorf("building a program: %w\n%s", err, out)
		}
	}
	return asm, nothing, nil
}

// cpuTimes runs each command so many times, in turns, and returns the CPU times of each in
// ascending order.
func cpuTimes(ctx context.Context, commands [][]string, runs int) ([][]time.Duration, error) {
	times := make([][]time.Duration, len(commands))
	for range runs {
		for i, c := range commands {
			cmd := exec.CommandContext(ctx, c[0], c[1:]...)
			if out, err := cmd.CombinedOutput(); err != nil {
				return nil, fmt.Errorf("%s: %w\n%s", c[0], err, out)
			}
			times[i] = append(times[i], cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
		}
	}
	for _, t := range times {
		slices.Sort(t)
	}
	return times, nil
}
