// What marks cost where evidence leaves out those of functions that run.
//
// Each program does fixed work: once marked with local files, which gives the evidence, and
// then plain, marked, and with that evidence. In each thirtieth of evidenceMaxAge other
// functions have their marks back, and one hot function may be worth more than all others.
// So there is a build for each of several of these periods.

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// A worker is a program with fixed work.
type worker struct {
	name, module, pkg string
	main              string   // its main.go, if the module has none
	args              []string // INPUT stands for a file of that content
	nothing           string   // an input without work
	input             func() string
}

var workers = []worker{
	{name: "glua", module: "github.com/yuin/gopher-lua@v1.1.1", pkg: "./cmd/glua", args: []string{"INPUT"}, nothing: "\n", input: func() string {
		return "local function fib(n) if n < 2 then return n end return fib(n-1) + fib(n-2) end\n" +
			"local t = {}\nfor i = 1, 20000 do t[i] = (i * 7919) % 10007; t['k' .. i] = tostring(i) end\n" +
			"table.sort(t, function(a, b) return a < b end)\nprint(fib(22), t[1])\n"
	}},
	{name: "gojq", module: "github.com/itchyny/gojq@v0.12.20", pkg: "./cmd/bench", main: gojqMain, args: []string{"INPUT"}, nothing: "[]\n", input: func() string {
		var b strings.Builder
		for i := range 5000 {
			fmt.Fprintf(&b, "%c{\"a\":%d,\"b\":[%d,true],\"c\":\"word%d\"}", "[,"[min(i, 1)], i, i, i%17)
		}
		return b.String() + "]\n"
	}},
	{name: "goldmark", module: "github.com/yuin/goldmark@v1.7.13", pkg: "./cmd/bench", main: goldmarkMain, args: []string{"INPUT"}, nothing: "\n", input: func() string {
		return strings.Repeat("# A *heading*\n\nSome `code`, a [link](https://example.com) and **text**.\n\n* one\n* two\n  1. three\n\n> quoted\n\n", 400)
	}},
}

// The programs of libraries.
const (
	gojqMain = `package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/itchyny/gojq"
)

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	var input any
	if err := json.Unmarshal(text, &input); err != nil {
		panic(err)
	}
	query, err := gojq.Parse("[.[] | select(.a % 3 == 0) | {b, c: (.c | ascii_upcase)}] | group_by(.c) | map(length)")
	if err != nil {
		panic(err)
	}
	fmt.Println(query.Run(input).Next())
}
`
	goldmarkMain = `package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/yuin/goldmark"
)

func main() {
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	var out bytes.Buffer
	if err := goldmark.Convert(text, &out); err != nil {
		panic(err)
	}
	fmt.Println(out.Len())
}
`
)

func evidenceBench(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("evidence", flag.ContinueOnError)
	periods := flags.Int("periods", 5, "periods of the rotation to build for, of 30")
	rounds := flags.Int("rounds", 10, "runs of each program in each variant for CPU time; 0 for none")
	count := flags.Bool("instructions", true, "count instructions, with valgrind")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *periods < 1 || *periods > 30 {
		return fmt.Errorf("-periods=%d: there are 1 to 30", *periods)
	}
	dir, wrapper, remove, err := newWrapper(ctx)
	if err != nil {
		return err
	}
	defer remove()
	var works []*evidenceWork
	for _, w := range workers {
		fmt.Fprintln(os.Stderr, "building", w.name)
		b := &evidenceWork{worker: w, dir: filepath.Join(dir, w.name), wrapper: wrapper}
		if err := b.prepare(ctx, *periods); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
		works = append(works, b)
	}
	if *count {
		if err := writeEvidence(ctx, "Instructions", works, 1, (*evidenceWork).count); err != nil {
			return err
		}
	}
	if *rounds > 0 {
		return writeEvidence(ctx, "CPU time", works, *rounds, (*evidenceWork).time)
	}
	return nil
}

// writeEvidence measures and writes a table.
func writeEvidence(ctx context.Context, title string, works []*evidenceWork, rounds int, measure func(b *evidenceWork, ctx context.Context, binary, input string) (float64, error)) error {
	fmt.Printf("### %s, as a ratio to plain\n\n| program | marked | with evidence, mean of the periods | worst period | functions without a mark |\n| --- | --- | --- | --- | --- |\n", title)
	var all [3][]float64
	for _, b := range works {
		fmt.Fprintln(os.Stderr, "measuring", b.name)
		row, err := b.row(ctx, rounds, measure)
		if err != nil {
			return fmt.Errorf("%s: %w", b.name, err)
		}
		fmt.Printf("| %s | %.4f | %.4f | %.4f | %s |\n", b.name, row[0], row[1], row[2], b.presumed)
		for i, r := range row {
			all[i] = append(all[i], r)
		}
	}
	fmt.Printf("| **geometric mean** | %.4f | %.4f | %.4f | |\n\n", geomean(all[0]), geomean(all[1]), geomean(all[2]))
	return nil
}

// An evidenceWork is a worker in a directory of its own.
type evidenceWork struct {
	worker
	dir, wrapper string
	binaries     []string // plain, marked, and with evidence for each period
	presumed     string   // functions without a mark, on average
}

func (b *evidenceWork) path(name string) string { return filepath.Join(b.dir, name) }

// row returns the ratios of marked, of builds with evidence on average, and of the worst of
// these: medians over the rounds. What a start costs, which e2e/bench startup measures, does
// not count.
func (b *evidenceWork) row(ctx context.Context, rounds int, measure func(b *evidenceWork, ctx context.Context, binary, input string) (float64, error)) (row [3]float64, err error) {
	ratios := make([][]float64, len(b.binaries))
	for range rounds {
		plain := 0.0
		for i, binary := range b.binaries {
			x, err := measure(b, ctx, binary, "input")
			start, startErr := measure(b, ctx, binary, "nothing")
			if err := errors.Join(err, startErr); err != nil {
				return row, err
			}
			x -= start
			if i == 0 {
				plain = x
			}
			ratios[i] = append(ratios[i], x/plain)
		}
	}
	var medians []float64
	for _, list := range ratios {
		medians = append(medians, quantile(list, 0.5))
	}
	return [3]float64{medians[1], geomean(medians[2:]), slices.Max(medians[2:])}, nil
}

// prepare builds the program in all ways.
func (b *evidenceWork) prepare(ctx context.Context, periods int) error {
	if err := b.fetch(ctx); err != nil {
		return err
	}
	plain, marked := b.path("plain"), b.path("marked")
	if err := errors.Join(b.build(ctx, plain, "", "go", "build"), b.build(ctx, marked, "", b.wrapper, "go", "build")); err != nil {
		return err
	}
	if err := b.work(ctx, marked, b.path("data")); err != nil {
		return err
	}
	b.binaries = []string{plain, marked}
	called, presumed := 0, 0
	for n := range periods {
		file, binary := b.path(fmt.Sprintf("report%d.json", n)), b.path(fmt.Sprintf("evidence%d", n))
		var err error
		if called, err = b.report(ctx, file, n); err != nil {
			return err
		}
		if err := b.build(ctx, binary, file, b.wrapper, "go", "build"); err != nil {
			return err
		}
		if err := b.work(ctx, binary, binary+".data"); err != nil {
			return err
		}
		functions, err := program.Report(ctx, b.wrapper, binary+".data")
		if err != nil {
			return err
		}
		for _, f := range functions {
			if f.Presumed != "" {
				presumed++
			}
		}
		b.binaries = append(b.binaries, binary)
	}
	b.presumed = fmt.Sprintf("%.1f of %d called", float64(presumed)/float64(periods), called)
	return nil
}

// fetch makes the source and the input.
func (b *evidenceWork) fetch(ctx context.Context) error {
	if _, err := program.Fetch(ctx, b.module, b.path("source")); err != nil {
		return err
	}
	err := errors.Join(os.WriteFile(b.path("input"), []byte(b.input()), 0o666), os.WriteFile(b.path("nothing"), []byte(b.nothing), 0o666))
	if err != nil || b.main == "" {
		return err
	}
	main := filepath.Join(b.path("source"), filepath.FromSlash(b.pkg), "main.go")
	return errors.Join(os.MkdirAll(filepath.Dir(main), 0o777), os.WriteFile(main, []byte(b.main), 0o666))
}

// work does the work once, with local files.
func (b *evidenceWork) work(ctx context.Context, binary, data string) error {
	cmd := b.command(ctx, binary, "input")
	cmd.Env = append(os.Environ(), "SCAVENGER_DATA_DIR="+data)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

func (b *evidenceWork) build(ctx context.Context, binary, evidence string, command ...string) error {
	cmd := exec.CommandContext(ctx, command[0], append(command[1:], "-o", binary, b.pkg)...)
	cmd.Dir = b.path("source")
	cmd.Env = append(os.Environ(), "GOWORK=off", "SCAVENGER_NETWORK=false", "SCAVENGER_EVIDENCE="+evidence)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%q: %w\n%s", command, err, out)
	}
	return nil
}

// report writes what the marked program called, as of some periods of a day later, and
// returns how many functions that were.
func (b *evidenceWork) report(ctx context.Context, file string, later int) (called int, err error) {
	text, err := exec.CommandContext(ctx, b.wrapper, "report", "--format=json", b.path("data")).Output()
	if err != nil {
		return 0, fmt.Errorf("scavenger-wrap report: %w", err)
	}
	var report map[string]any
	if err := json.Unmarshal(text, &report); err != nil {
		return 0, err
	}
	header := report["header"].(map[string]any)
	to, err := time.Parse(time.RFC3339, header["to"].(string))
	if err != nil {
		return 0, err
	}
	header["to"] = to.Add(time.Duration(later) * 24 * time.Hour)
	if text, err = json.Marshal(report); err != nil {
		return 0, err
	}
	return strings.Count(string(text), `"status":"called"`), os.WriteFile(file, text, 0o666)
}

// command returns the work on an input, done by a binary.
func (b *evidenceWork) command(ctx context.Context, binary, input string) *exec.Cmd {
	var args []string
	for _, arg := range b.args {
		args = append(args, strings.ReplaceAll(arg, "INPUT", b.path(input)))
	}
	return exec.CommandContext(ctx, binary, args...)
}

// time returns the CPU time of the work.
func (b *evidenceWork) time(ctx context.Context, binary, input string) (float64, error) {
	cmd := b.command(ctx, binary, input)
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%w\n%s", err, out)
	}
	return (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), nil
}

// count returns the instructions of the work.
func (b *evidenceWork) count(ctx context.Context, binary, input string) (float64, error) {
	work := b.command(ctx, binary, input)
	cmd := exec.CommandContext(ctx, "valgrind", append([]string{"--tool=callgrind", "--callgrind-out-file=" + os.DevNull, binary}, work.Args[1:]...)...)
	cmd.Env = append(os.Environ(), "GOGC=off", "GODEBUG=asyncpreemptoff=1", "GOMAXPROCS=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("valgrind: %w\n%s", err, out)
	}
	m := collected.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("valgrind: no count in\n%s", out)
	}
	return strconv.ParseFloat(string(m[1]), 64)
}
