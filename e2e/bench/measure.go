// One run of one benchmark.
//
// What is measured is the CPU time of the process for a fixed number of
// iterations, less that of a process that does two: other processes
// on the machine make a run last longer, but add little to its CPU time, and
// what a benchmark prepares is not counted. For benchmarks on several cores it
// is the sum over the cores, in which cores that wait for each other's cache
// lines show.

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A sample holds the figures of one run.
type sample struct {
	cpu    time.Duration
	allocs float64 // per iteration, summed over sub-benchmarks
}

// run runs a benchmark with a number of iterations.
func run(ctx context.Context, dir, binary, benchmark string, iterations, cores int) (sample, error) {
	cmd := exec.CommandContext(ctx, binary, benchmarkArgs(benchmark, iterations, cores)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOCOVERDIR=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return sample{}, fmt.Errorf("%s %s: %w\n%s", filepath.Base(binary), benchmark, err, out)
	}
	s := sample{cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	found := allocations.FindAllStringSubmatch(string(out), -1)
	if len(found) == 0 {
		return sample{}, fmt.Errorf("%s has no benchmark %s:\n%s", filepath.Base(binary), benchmark, out)
	}
	for _, m := range found {
		n, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return sample{}, err
		}
		s.allocs += n
	}
	return s, nil
}

var allocations = regexp.MustCompile(`(\d+) allocs/op`)

func benchmarkArgs(benchmark string, iterations, cores int) []string {
	return []string{"-test.run=^$", "-test.bench=^Benchmark" + benchmark + "$", "-test.benchmem",
		fmt.Sprintf("-test.benchtime=%dx", iterations), fmt.Sprintf("-test.cpu=%d", cores)}
}

// fewest is the number of iterations that a run of a benchmark has at least. Before it does
// any number of them that is more than one, package testing has it do one, and so prepare
// what it needs twice. This number does that too, as one iteration would not, so that what is
// prepared is not part of the difference.
const fewest = 2

// calibrate returns the number of iterations that take a benchmark the given CPU time beside
// the least of them. What it prepares may take longer than that, and now and then longer still.
func calibrate(ctx context.Context, dir, binary, benchmark string, cores int, want time.Duration) (int, error) {
	base, err := run(ctx, dir, binary, benchmark, fewest, cores)
	if err != nil {
		return 0, err
	}
	for n := 10; ; n *= 4 {
		s, err := run(ctx, dir, binary, benchmark, n, cores)
		if err != nil {
			return 0, err
		}
		if used := s.cpu - base.cpu; used > max(want/4, base.cpu/2) || n > 1e9 {
			return max(2*fewest, int(float64(n)*want.Seconds()/max(used, 1).Seconds())), nil
		}
	}
}

var collected = regexp.MustCompile(`Collected : (\d+)`)

// instructions returns how many instructions a benchmark takes for n iterations,
// as callgrind counts them: for the same program and input always the same but
// for what the runtime does in the background.
func instructions(ctx context.Context, dir, binary, benchmark string, n int) (float64, error) {
	var counts [2]float64
	for i, iterations := range []int{fewest, n} {
		args := append([]string{"--tool=callgrind", "--callgrind-out-file=" + os.DevNull, binary}, benchmarkArgs(benchmark, iterations, 1)...)
		cmd := exec.CommandContext(ctx, "valgrind", args...)
		cmd.Dir = dir
		// The garbage collector's work depends on when it runs, and callgrind stops
		// at the signals that preempt goroutines.
		cmd.Env = append(os.Environ(), "GOCOVERDIR=", "GOGC=off", "GODEBUG=asyncpreemptoff=1", "GOMAXPROCS=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			return 0, fmt.Errorf("valgrind %s %s: %w\n%s", filepath.Base(binary), benchmark, err, out)
		}
		m := collected.FindStringSubmatch(string(out))
		if m == nil {
			return 0, fmt.Errorf("valgrind %s: no count in\n%s", strings.Join(args, " "), out)
		}
		if counts[i], err = strconv.ParseFloat(m[1], 64); err != nil {
			return 0, err
		}
	}
	return counts[1] - counts[0], nil
}
