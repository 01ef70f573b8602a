// What a program pays before its main function, and on disk, for the functions
// that it has.

package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

const functionsPerPackage = 1000

func startupBench(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("startup", flag.ContinueOnError)
	functions := flags.Int("functions", 99_000, "functions of the larger program, fewer than maxMethodsCount")
	runs := flags.Int("runs", 40, "starts of each program, of which the fastest counts")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, wrapper, remove, err := newWrapper(ctx)
	if err != nil {
		return err
	}
	defer remove()
	fmt.Printf("| functions | file, plain | file, marked | bytes a function | start, plain | marked, inert | with dataDir, first | with dataDir, later | with a collector |\n")
	fmt.Printf("| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	var before int64 // what the smallest program gains
	for _, n := range []int{functionsPerPackage, *functions} {
		p, err := generate(filepath.Join(dir, fmt.Sprint("program", n)), n/functionsPerPackage, functionsPerPackage)
		if err != nil {
			return err
		}
		fmt.Fprintln(os.Stderr, "building", n)
		if err := p.Build(ctx, "-o", "plain", "."); err != nil {
			return err
		}
		if err := p.Build(ctx, "-toolexec="+wrapper, "-o", "marked", "."); err != nil {
			return err
		}
		plain, marked, err := sizes(p.Dir)
		if err != nil {
			return err
		}
		row := fmt.Sprintf("| %d | %d KiB | %d KiB ", n, plain/1024, marked/1024)
		if before == 0 {
			row += "| "
		} else {
			row += fmt.Sprintf("| %.1f ", float64(marked-plain-before)/float64(n-functionsPerPackage))
		}
		before = marked - plain
		times, err := starts(ctx, p.Dir, *runs)
		if err != nil {
			return err
		}
		for _, t := range times {
			row += fmt.Sprintf("| %.1f ms ", t)
		}
		fmt.Println(row + "|")
	}
	return nil
}

// generate writes a program of so many packages, and functions in each.
func generate(dir string, packages, functions int) (*program.Program, error) {
	var imports, calls strings.Builder
	for i := range packages {
		var text strings.Builder
		fmt.Fprintf(&text, "package p%d\n", i)
		for f := range functions {
			fmt.Fprintf(&text, "\nfunc Function%d(a, b int) int { return a*%d + b }\n", f, f)
		}
		// The linker drops functions that nothing refers to.
		text.WriteString("\nvar All = []func(a, b int) int{")
		for f := range functions {
			fmt.Fprintf(&text, "Function%d, ", f)
		}
		text.WriteString("}\n")
		if err := write(filepath.Join(dir, fmt.Sprint("p", i), "p.go"), text.String()); err != nil {
			return nil, err
		}
		fmt.Fprintf(&imports, "\t\"example.com/generated/p%d\"\n", i)
		fmt.Fprintf(&calls, "\tsum += p%d.All[len(os.Args)](sum, 1)\n", i)
	}
	main := "package main\n\nimport (\n\t\"os\"\n\t\"syscall\"\n\n" + imports.String() + ")\n\n" + `func main() {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	println((used.Utime.Sec+used.Stime.Sec)*1e6 + int64(used.Utime.Usec) + int64(used.Stime.Usec))
	sum := 0
` + calls.String() + "\tprintln(sum)\n}\n"
	if err := write(filepath.Join(dir, "main.go"), main); err != nil {
		return nil, err
	}
	return &program.Program{Path: "example.com/generated", Dir: dir}, write(filepath.Join(dir, "go.mod"), "module example.com/generated\n\ngo 1.24\n")
}

func write(name, text string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(text), 0o666)
}

func sizes(dir string) (plain, marked int64, err error) {
	a, err := os.Stat(filepath.Join(dir, "plain"))
	if err != nil {
		return 0, 0, err
	}
	b, err := os.Stat(filepath.Join(dir, "marked"))
	if err != nil {
		return 0, 0, err
	}
	return a.Size(), b.Size(), nil
}

// starts returns the milliseconds of CPU time that the program has taken, plain
// and in each mode, when its main function begins.
func starts(ctx context.Context, dir string, runs int) ([5]float64, error) {
	data := filepath.Join(dir, "data")
	modes := [5]struct {
		binary string
		env    []string
		fresh  bool
	}{
		{binary: "plain"},
		{binary: "marked"},
		{binary: "marked", env: []string{"SCAVENGER_DATA_DIR=" + data}, fresh: true},
		{binary: "marked", env: []string{"SCAVENGER_DATA_DIR=" + data}},
		// Nobody listens there, and nothing is sent at once.
		{binary: "marked", env: []string{"SCAVENGER_SERVER_URL=http://127.0.0.1:1", "SCAVENGER_API_KEY=x", "SCAVENGER_EXIT_TIMEOUT=1ms"}},
	}
	var least [5]float64
	for i := range least {
		least[i] = math.Inf(1)
	}
	for range runs {
		for i, m := range modes {
			if m.fresh {
				if err := os.RemoveAll(data); err != nil {
					return least, err
				}
			}
			cmd := exec.CommandContext(ctx, filepath.Join(dir, m.binary))
			cmd.Env = append(os.Environ(), m.env...)
			out, err := cmd.CombinedOutput()
			if err != nil {
				return least, fmt.Errorf("%s: %w\n%s", m.binary, err, out)
			}
			first, _, _ := strings.Cut(string(out), "\n")
			micros, err := strconv.ParseFloat(first, 64)
			if err != nil {
				return least, fmt.Errorf("%s: %w", m.binary, err)
			}
			least[i] = min(least[i], micros/1000)
		}
	}
	return least, nil
}
