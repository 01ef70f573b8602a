// What grows with the number of functions and packages, and how fast.
//
// Programs of several sizes are generated, built, and run; then each figure is printed for
// all sizes, with the exponent by which it grows. In one series the number of packages
// stays, in the other one the number of functions of a package.

package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/e2e/collector"
	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// A growth is one run of the command.
type growth struct {
	dir, wrapper string
	runs         int
	env          []string // of builds
}

// A size is a program of a series, and what it came to.
type size struct {
	series              string
	packages, functions int // of the program, and of a package
	figures             map[string]float64
}

func growthBench(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("growth", flag.ContinueOnError)
	functions := flags.String("functions", "1000,10000,100000,500000", "functions of the programs of the first series, in 100 packages; \"\" for none")
	packages := flags.String("packages", "10,100,1000,5000", "packages of those of the second one, of 10 functions each; \"\" for none")
	runs := flags.Int("runs", 5, "runs for each figure but that of builds, of which the least counts")
	if err := flags.Parse(args); err != nil {
		return err
	}
	const inPackages, ofFunctions = 100, 10
	byFunctions, err := parseSizes(*functions, inPackages)
	if err != nil {
		return fmt.Errorf("-functions: %w", err)
	}
	byPackages, err := parseSizes(*packages, 1)
	if err != nil {
		return fmt.Errorf("-packages: %w", err)
	}
	if *runs < 1 {
		return fmt.Errorf("-runs=%d: there is at least one", *runs)
	}
	dir, wrapper, remove, err := newWrapper(ctx)
	if err != nil {
		return err
	}
	defer remove()
	g := &growth{dir: dir, wrapper: wrapper, runs: *runs}
	// A build cache of its own, in which the programs' packages are not yet.
	g.env = buildEnv(filepath.Join(dir, "cache"), "SCAVENGER_MAX_METHODS_COUNT=1000000000")
	fmt.Fprintln(os.Stderr, "compiling what all programs need")
	if err := g.build(ctx, &size{series: "first", packages: 1, functions: 1, figures: map[string]float64{}}); err != nil {
		return err
	}
	var list []*size
	for _, n := range byFunctions {
		list = append(list, &size{series: "functions", packages: inPackages, functions: n / inPackages, figures: map[string]float64{}})
	}
	if err := g.series(ctx, "functions", list, func(s *size) int { return s.packages * s.functions }); err != nil {
		return err
	}
	list = nil
	for _, n := range byPackages {
		list = append(list, &size{series: "packages", packages: n, functions: ofFunctions, figures: map[string]float64{}})
	}
	return g.series(ctx, "packages", list, func(s *size) int { return s.packages })
}

// parseSizes returns the numbers of a list, which rise.
func parseSizes(text string, least int) ([]int, error) {
	var list []int
	for field := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' }) {
		n, err := strconv.Atoi(field)
		if err != nil || n < least {
			return nil, fmt.Errorf("%q in %q: want a number of at least %d", field, text, least)
		}
		list = append(list, n)
		least = n + 1
	}
	return list, nil
}

// series measures programs and prints the table.
func (g *growth) series(ctx context.Context, what string, list []*size, count func(*size) int) error {
	for _, s := range list {
		fmt.Fprintf(os.Stderr, "%d %s\n", count(s), what)
		if err := g.measure(ctx, s); err != nil {
			return fmt.Errorf("%d %s: %w", count(s), what, err)
		}
	}
	if len(list) > 0 {
		writeGrowth(os.Stdout, what, list, count)
	}
	return nil
}

func (g *growth) programDir(s *size) string {
	return filepath.Join(g.dir, fmt.Sprintf("%s%dx%d", s.series, s.packages, s.functions))
}

// measure takes all figures of one program.
func (g *growth) measure(ctx context.Context, s *size) error {
	dir := g.programDir(s)
	defer os.RemoveAll(dir)
	if err := g.build(ctx, s); err != nil {
		return err
	}
	for range g.runs {
		if err := g.processes(ctx, s); err != nil {
			return err
		}
		u, err := spend(ctx, dir, g.wrapper, "report", "--format=json", "data")
		if err != nil {
			return err
		}
		s.least("report, CPU", u.cpu.Seconds())
	}
	functions, err := program.Report(ctx, g.wrapper, filepath.Join(dir, "data"))
	if err != nil {
		return err
	}
	called := 0
	for _, f := range functions {
		if f.Status == "called" {
			called++
		}
	}
	if want := s.packages * s.functions; called < want {
		return fmt.Errorf("the report has %d functions that were called, of %d: its figures are those of another program", called, want)
	}
	return nil
}

// least keeps a figure if it is the least so far.
func (s *size) least(name string, value float64) {
	if before, ok := s.figures[name]; !ok || value < before {
		s.figures[name] = value
	}
}

// generate writes the program of a size. Other programs have other packages: what one leaves
// in the build cache is of no use to the next.
func (g *growth) generate(s *size) (*program.Program, error) {
	dir := g.programDir(s)
	p, err := generate(dir, s.packages, s.functions)
	if err != nil {
		return nil, err
	}
	p.Path = "example.com/" + filepath.Base(dir)
	if err := write(filepath.Join(dir, "go.mod"), "module "+p.Path+"\n\ngo 1.24\n"); err != nil {
		return nil, err
	}
	return p, write(filepath.Join(dir, "main.go"), growthMain(p.Path, s.packages))
}

// build generates a program and builds it, plain and marked.
func (g *growth) build(ctx context.Context, s *size) error {
	p, err := g.generate(s)
	if err != nil {
		return err
	}
	for _, way := range []struct {
		name string
		args []string
	}{
		{"plain", nil},
		{"marked", []string{"-toolexec=" + g.wrapper}},
	} {
		cmd := exec.CommandContext(ctx, "go", append(append([]string{"build", "-o", way.name}, way.args...), ".")...)
		cmd.Dir, cmd.Env = p.Dir, g.env
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", way.name, err, out)
		}
		s.least("build, "+way.name+", CPU", (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds())
		if memory := peakMemory(cmd.ProcessState); memory > 0 {
			s.least("build, "+way.name+", memory of the largest process", float64(memory))
		}
		info, err := os.Stat(filepath.Join(p.Dir, way.name))
		if err != nil {
			return err
		}
		s.least("file, "+way.name, float64(info.Size()))
	}
	return nil
}

// growthMain returns a main function that calls every function, and then waits for the end
// of its input. It prints the CPU time that the process has had before and after the calls,
// in microseconds.
func growthMain(module string, packages int) string {
	var imports, calls strings.Builder
	for i := range packages {
		fmt.Fprintf(&imports, "\t\"%s/p%d\"\n", module, i)
		fmt.Fprintf(&calls, "\tfor _, f := range p%d.All {\n\t\tsum = f(sum, 1)\n\t}\n", i)
	}
	return "package main\n\nimport (\n\t\"os\"\n\t\"syscall\"\n\n" + imports.String() + ")\n\n" + `func used() {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	println((used.Utime.Sec+used.Stime.Sec)*1e6 + int64(used.Utime.Usec) + int64(used.Stime.Usec))
}

func main() {
	used()
	sum := 0
` + calls.String() + `	used()
	println(sum)
	_, _ = os.Stdin.Read(make([]byte, 1)) // its end
}
`
}

// processes runs the program once in each way.
func (g *growth) processes(ctx context.Context, s *size) error {
	dir := g.programDir(s)
	data := filepath.Join(dir, "data")
	if err := os.RemoveAll(data); err != nil {
		return err
	}
	c, err := collector.Start(collector.Options{})
	if err != nil {
		return err
	}
	defer c.Close()
	sent := func() error {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		return c.WaitRequests(ctx, collector.Invocations, 1)
	}
	sweep := func() error {
		time.Sleep(1500 * time.Millisecond) // at least one sweep; the last one is at the end
		return ctx.Err()
	}
	atOnce := func() error { return nil }
	// A large program on a busy machine must have written all before the report is taken.
	local := []string{"SCAVENGER_DATA_DIR=" + data, "SCAVENGER_EXIT_TIMEOUT=" + patience.String()}
	for _, way := range []struct {
		name, binary string
		env          []string
		work         string // what it does after the calls
		until        func() error
	}{
		{name: "plain", binary: "plain", until: atOnce},
		{name: "inert", binary: "marked", until: atOnce},
		{name: "dataDir, first", binary: "marked", env: local, work: "checkpoint", until: sweep},
		{name: "dataDir, later", binary: "marked", env: local, until: atOnce},
		{name: "collector", binary: "marked", work: "publication", until: sent, env: append(reporting(c.URL()), "SCAVENGER_FORCE_INTERVAL_SECONDS=1")},
	} {
		r, err := runGrown(ctx, filepath.Join(dir, way.binary), way.env, way.until)
		if err != nil {
			return fmt.Errorf("%s: %w", way.name, err)
		}
		s.least("start, "+way.name+", CPU", r.start)
		s.least("memory, "+way.name, r.memory)
		if way.work != "" {
			s.least(way.work+", CPU", r.after)
		}
	}
	return nil
}

// A grown is what one process took: CPU time before main and after the calls, in seconds,
// and memory.
type grown struct{ start, after, memory float64 }

func runGrown(ctx context.Context, binary string, env []string, until func() error) (grown, error) {
	cmd := exec.CommandContext(ctx, binary)
	cmd.Env = append(os.Environ(), env...)
	input, err := cmd.StdinPipe()
	if err != nil {
		return grown{}, err
	}
	output, err := cmd.StderrPipe()
	if err != nil {
		return grown{}, err
	}
	if err := cmd.Start(); err != nil {
		return grown{}, err
	}
	lines := bufio.NewScanner(output)
	start, startErr := readMicroseconds(lines)
	called, err := readMicroseconds(lines)
	if err = errors.Join(startErr, err); err == nil {
		err = until()
	}
	memory, memoryErr := processMemory(cmd.Process.Pid)
	err = errors.Join(err, memoryErr, input.Close())
	for lines.Scan() { // Wait closes it
	}
	if err := errors.Join(err, lines.Err(), cmd.Wait()); err != nil {
		return grown{}, err
	}
	all := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return grown{start, all.Seconds() - called, float64(memory)}, nil
}

// readMicroseconds reads a line and returns it in seconds.
func readMicroseconds(lines *bufio.Scanner) (float64, error) {
	if !lines.Scan() {
		return 0, errors.Join(errors.New("the program has not written how long it took"), lines.Err())
	}
	n, err := strconv.ParseFloat(lines.Text(), 64)
	return n / 1e6, err
}
