// Corpus shows on real libraries and programs that the marked program is the
// same program:
//
//	go run ./e2e/corpus            all of them, which takes an hour
//	go run ./e2e/corpus zap chi    some
//	go run ./e2e/corpus -list
//
// Each is fetched through the module proxy. The test suite of a library runs
// without and with scavenger-wrap, and every test must have the same result in
// both, or in each of five more runs one that it has without; a program is built
// twice, and its smoke runs must print the same. A table goes to standard output;
// a difference makes the exit status 1.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

func main() {
	list := flag.Bool("list", false, "list the names and what each stresses")
	verbose := flag.Bool("v", false, "show differences in full")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: corpus [-list] [-v] [name…]")
		flag.PrintDefaults()
	}
	flag.Parse()
	if *list {
		for _, s := range subjects {
			fmt.Printf("%-12s %-52s %s\n", s.name, s.module, s.stresses)
		}
		return
	}
	chosen, err := choose(flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "corpus:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	same, err := run(ctx, chosen, *verbose)
	if err != nil {
		fmt.Fprintln(os.Stderr, "corpus:", err)
	}
	if err != nil || !same {
		os.Exit(1)
	}
}

func choose(names []string) ([]subject, error) {
	if len(names) == 0 {
		return subjects, nil
	}
	var chosen []subject
	for _, name := range names {
		i := slices.IndexFunc(subjects, func(s subject) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no %q in the corpus; see -list", name)
		}
		chosen = append(chosen, subjects[i])
	}
	return chosen, nil
}

// run compares the chosen subjects and reports whether each has the same results
// with and without marks.
func run(ctx context.Context, chosen []subject, verbose bool) (same bool, err error) {
	dir, err := os.MkdirTemp("", "scavenger-corpus-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	wrapper, err := program.BuildWrapper(ctx, dir)
	if err != nil {
		return false, err
	}
	same = true
	fmt.Printf("%-12s %-34s %-34s %8s  %s\n", "NAME", "PLAIN", "MARKED", "SECONDS", "RESULT")
	for _, s := range chosen {
		start := time.Now()
		c, err := compare(ctx, s, wrapper, filepath.Join(dir, s.name))
		if err != nil {
			return false, fmt.Errorf("%s: %w", s.name, err)
		}
		result := "same"
		if len(c.once) > 0 {
			result = fmt.Sprintf("same, but once %s", strings.Join(c.once, "; "))
		}
		if len(c.differences) > 0 {
			result, same = fmt.Sprintf("%d DIFFERENCES", len(c.differences)), false
		}
		fmt.Printf("%-12s %-34s %-34s %8.0f  %s\n", s.name, c.plain, c.marked, time.Since(start).Seconds(), result)
		for i, d := range c.differences {
			if i == 10 && !verbose {
				fmt.Println("   …")
				break
			}
			fmt.Println("  ", d)
		}
		// Sources and programs take gigabytes.
		if err := os.RemoveAll(filepath.Join(dir, s.name)); err != nil {
			return false, err
		}
	}
	return same, nil
}

// A comparison is the outcome of one subject.
type comparison struct {
	plain, marked string // the results in short
	differences   []string
	once          []string // differences that did not come again
}

func compare(ctx context.Context, s subject, wrapper, dir string) (*comparison, error) {
	p, err := program.Fetch(ctx, s.module, dir)
	if err != nil {
		return nil, err
	}
	for _, name := range s.remove {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	if s.build != nil {
		return compareProgram(ctx, s, p, wrapper)
	}
	return compareTests(ctx, s, p, wrapper)
}
