// What marks cost at run time.

package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// runtimeOptions are the flags of the measurement.
type runtimeOptions struct {
	rounds       int
	layouts      int
	time         time.Duration
	out          string
	size         bool
	instructions bool
}

func runtimeBench(ctx context.Context, args []string) error {
	var opts runtimeOptions
	flags := flag.NewFlagSet("runtime", flag.ContinueOnError)
	flags.IntVar(&opts.rounds, "rounds", 10, "runs of each benchmark in each variant; 0 for none")
	flags.IntVar(&opts.layouts, "layouts", 5, "orders in which the linker places functions, one after the other by rounds")
	flags.DurationVar(&opts.time, "time", 200*time.Millisecond, "CPU time of a run")
	flags.StringVar(&opts.out, "out", "", "directory for the single results, a file for each variant that benchstat reads")
	flags.BoolVar(&opts.size, "size", true, "compare code size and inlining")
	flags.BoolVar(&opts.instructions, "instructions", false, "count instructions too, with valgrind")
	names := flags.String("lib", "", "libraries to run, separated by commas; all by default")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if opts.layouts < 1 {
		return fmt.Errorf("-layouts=%d: there is at least one", opts.layouts)
	}
	libs := slices.Clone(libraries)
	if *names != "" {
		chosen := strings.Split(*names, ",")
		libs = slices.DeleteFunc(libs, func(l library) bool { return !slices.Contains(chosen, l.name) })
		if len(libs) != len(chosen) {
			return fmt.Errorf("-lib=%s: there are %s", *names, libraryNames())
		}
	}
	dir, wrapper, remove, err := newWrapper(ctx)
	if err != nil {
		return err
	}
	defer remove()
	b, err := newWorkspace(ctx, dir, wrapper, libs)
	if err != nil {
		return err
	}
	return b.runtime(ctx, libs, opts)
}

func libraryNames() string {
	var names []string
	for _, l := range libraries {
		names = append(names, l.name)
	}
	return strings.Join(names, ", ")
}

// A series is one benchmark on a number of cores, with its samples by variant.
type series struct {
	lib        library
	benchmark  string
	cores      int
	iterations []int           // of a run, by variant
	base       []time.Duration // of the fewest iterations, by variant
	samples    [][]sample      // by variant, one of each round
	counts     []float64       // instructions by variant; nil if not counted
}

func (b *workspace) runtime(ctx context.Context, libs []library, opts runtimeOptions) error {
	var all []*series
	binaries := map[string][]string{}
	for _, lib := range libs {
		fmt.Fprintln(os.Stderr, "building", lib.name)
		for _, v := range variants {
			binary, err := b.build(ctx, lib, v, 0)
			if err != nil {
				return err
			}
			binaries[lib.name] = append(binaries[lib.name], binary)
		}
		for _, name := range slices.Concat(lib.benchmarks, lib.parallel) {
			all = append(all, newSeries(lib, name, 1))
		}
		for _, name := range lib.parallel {
			for cores := 2; cores <= runtime.NumCPU(); cores *= 2 {
				all = append(all, newSeries(lib, name, cores))
			}
		}
	}
	if opts.rounds > 0 {
		if err := b.measure(ctx, all, binaries, opts); err != nil {
			return err
		}
		writeTimes(os.Stdout, all)
		writeParallel(os.Stdout, all)
		if err := writeRaw(opts.out, all); err != nil {
			return err
		}
	}
	if opts.instructions {
		if err := b.count(ctx, all, binaries); err != nil {
			return err
		}
		writeInstructions(os.Stdout, all)
	}
	if opts.size {
		return b.writeSizes(ctx, os.Stdout, libs, binaries)
	}
	return nil
}

func newSeries(lib library, benchmark string, cores int) *series {
	n := len(variants)
	return &series{lib: lib, benchmark: benchmark, cores: cores, base: make([]time.Duration, n), samples: make([][]sample, n)}
}

// measure takes the samples, round by round: in each round every benchmark runs
// in every variant, forwards and backwards in turns, so that what else the machine
// does meets all of them.
//
// How fast a loop is also depends on where it comes to lie, by half and more in
// small ones, and everything that makes code longer moves what is behind it. So
// the linker places functions in another order from round to round. It is the
// same order for variants that have the same functions, as plain and marked have,
// and another one for those with some more, as covered ones.
func (b *workspace) measure(ctx context.Context, all []*series, binaries map[string][]string, opts runtimeOptions) error {
	for _, s := range all {
		n, err := calibrate(ctx, b.packageDir(s.lib), binaries[s.lib.name][0], s.benchmark, s.cores, opts.time)
		if err != nil {
			return err
		}
		// As many for all, as some benchmarks do more in one of many; but not so
		// many for what takes minutes then.
		for _, v := range variants {
			s.iterations = append(s.iterations, max(2*fewest, n/max(1, v.slower)))
		}
	}
	for round := range opts.rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, opts.rounds)
		layout := round % opts.layouts
		for _, s := range all {
			for v := range variants {
				if round%2 == 1 {
					v = len(variants) - 1 - v
				}
				binary, err := b.build(ctx, s.lib, variants[v], layout)
				if err != nil {
					return err
				}
				if err := b.sample(ctx, s, v, binary); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// sample takes one sample of a variant, and one of the fewest iterations.
func (b *workspace) sample(ctx context.Context, s *series, v int, binary string) error {
	dir := b.packageDir(s.lib)
	one, err := run(ctx, dir, binary, s.benchmark, fewest, s.cores)
	if err != nil {
		return err
	}
	if s.base[v] == 0 || one.cpu < s.base[v] {
		s.base[v] = one.cpu
	}
	got, err := run(ctx, dir, binary, s.benchmark, s.iterations[v], s.cores)
	s.samples[v] = append(s.samples[v], got)
	return err
}

// packageDir returns the directory that benchmarks run in, where their data is.
func (b *workspace) packageDir(lib library) string {
	return filepath.Join(b.dir, lib.base(), lib.pkg)
}

// count counts the instructions of the series on one core.
func (b *workspace) count(ctx context.Context, all []*series, binaries map[string][]string) error {
	for _, s := range all {
		if s.cores > 1 {
			continue
		}
		fmt.Fprintln(os.Stderr, "counting", s.lib.name, s.benchmark)
		dir := b.packageDir(s.lib)
		plain := binaries[s.lib.name][0]
		// Under valgrind all is some fifty times slower.
		n, err := calibrate(ctx, dir, plain, s.benchmark, 1, 20*time.Millisecond)
		if err != nil {
			return err
		}
		for v := range variants {
			c, err := instructions(ctx, dir, binaries[s.lib.name][v], s.benchmark, n)
			if err != nil {
				return err
			}
			s.counts = append(s.counts, c)
		}
	}
	return nil
}

// time returns the CPU time of one iteration in a variant, in nanoseconds: the
// median over the rounds.
func (s *series) time(v int) float64 {
	var times []float64
	for _, x := range s.samples[v] {
		times = append(times, s.perIteration(v, x))
	}
	return quantile(times, 0.5)
}

// ratios returns the time of a variant to that of plain, round by round. The two
// follow one another within a second or two, so that what slows the machine down
// for longer than that slows down both.
func (s *series) ratios(v int) []float64 {
	var ratios []float64
	for i, x := range s.samples[v] {
		ratios = append(ratios, s.perIteration(v, x)/s.perIteration(0, s.samples[0][i]))
	}
	return ratios
}

// quantile returns the value that the share q of the list is below; the list is
// not empty.
func quantile(list []float64, q float64) float64 {
	list = slices.Sorted(slices.Values(list))
	at := q * float64(len(list)-1)
	i := int(at)
	j := min(i+1, len(list)-1)
	return list[i] + (list[j]-list[i])*(at-float64(i))
}

func (s *series) perIteration(v int, x sample) float64 {
	return float64(x.cpu-s.base[v]) / float64(s.iterations[v]-fewest)
}

// allocs returns the allocations of one iteration: the least of the samples, as
// the runtime's own are counted too.
func (s *series) allocs(v int) float64 {
	least := math.Inf(1)
	for _, x := range s.samples[v] {
		least = min(least, x.allocs)
	}
	return least
}

func geomean(list []float64) float64 {
	sum := 0.0
	for _, x := range list {
		sum += math.Log(x)
	}
	return math.Exp(sum / float64(len(list)))
}
