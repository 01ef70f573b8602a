// Flags of report and plan that say what stays, what a report is compared with, and what
// fails.

package command

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/registry"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// A foundError says that a report has what --fail-on names.
type foundError struct{ error }

// failOn are the values of --fail-on.
var failOn = []string{"new-dead", "dead", "expired-keep"}

func keepFlag() cli.Flag {
	return &cli.StringFlag{Name: "keep", Usage: "do not list what the lines of `FILE` name: PATTERN \"reason\" [until 2027-02-01]"}
}

// questionFlags are those of the report, but for keepFlag.
func questionFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "baseline", Usage: "say what changed since the report in `FILE`, which --format=json wrote"},
		&cli.StringFlag{Name: "fail-on", Usage: "exit with status 4 for `WHAT`, of new-dead, dead and expired-keep, separated by commas"},
		&cli.StringSliceFlag{Name: "binary", Usage: "say which functions are not in the program in `FILE`, which left the data; may be repeated"},
	}
}

// questions are what else is asked of a report.
type questions struct {
	keep     []report.KeepRule
	baseline string
	failOn   []string
	binaries []report.Binary
}

// readQuestions reads what the flags say and name, before any data are read.
func readQuestions(c *cli.Context) (*questions, error) {
	q := &questions{baseline: c.String("baseline")}
	if c.IsSet("fail-on") {
		q.failOn = strings.Split(c.String("fail-on"), ",")
	}
	for _, word := range q.failOn {
		if !slices.Contains(failOn, word) {
			return nil, usageError{fmt.Errorf("%s: unknown fail-on %q: want %s, separated by commas", c.Command.Name, word, alternatives(failOn))}
		}
	}
	if slices.Contains(q.failOn, "new-dead") && q.baseline == "" {
		return nil, usageError{fmt.Errorf("%s: --fail-on=new-dead needs an earlier report: --baseline=FILE, which --format=json wrote", c.Command.Name)}
	}
	var err error
	if q.keep, err = readKeep(c.String("keep")); err != nil {
		return nil, fmt.Errorf("%s: %w", c.Command.Name, err)
	}
	for _, file := range c.StringSlice("binary") {
		b, err := readBinary(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Command.Name, err)
		}
		q.binaries = append(q.binaries, b)
	}
	return q, nil
}

// readKeep reads the file of --keep; "" is none.
func readKeep(name string) ([]report.KeepRule, error) {
	if name == "" {
		return nil, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return report.ReadKeep(name, file)
}

// readBinary reads which functions a program has, and which are marked in it.
func readBinary(file string) (b report.Binary, err error) {
	inspected, err := registry.Inspect(file)
	if err != nil {
		return b, err
	}
	if inspected.BuiltBy == "" {
		return b, fmt.Errorf("%s was not built with scavenger-wrap: name the program that left the data", file)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return b, err
	}
	names, err := toolchain.FunctionNames(data)
	if err != nil {
		return b, fmt.Errorf("%s: %w", file, err)
	}
	b = report.Binary{File: file, Main: inspected.Main, Names: slices.Values(names), Tracked: map[string][]string{}}
	for _, p := range inspected.Packages {
		for _, name := range p.Functions {
			name, _, _ = strings.Cut(name, "  (")
			b.Tracked[p.Path] = append(b.Tracked[p.Path], name)
		}
	}
	return b, nil
}

// ask notes what stays, and what is in no binary, of all functions of a report.
func (q *questions) ask(r *report.Report, command string, stderr io.Writer) error {
	r.Keep(q.keep, time.Now())
	notes := r.KeepNotes()
	if len(q.binaries) > 0 {
		more, err := r.Look(q.binaries)
		if err != nil {
			return fmt.Errorf("%s: %w", command, err)
		}
		notes = append(notes, more...)
	}
	writeReportNotes(stderr, command, notes)
	return nil
}

// compare notes what changed, of the functions that are selected.
func (q *questions) compare(r *report.Report, command string, stderr io.Writer) error {
	if q.baseline == "" {
		return nil
	}
	if err := r.Compare(q.baseline); err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	writeReportNotes(stderr, command, r.Baseline.Notes)
	return nil
}

func writeReportNotes(w io.Writer, command string, notes []string) {
	for _, note := range notes {
		fmt.Fprintf(w, "scavenger-wrap: %s: %s\n", command, indented(note, 2))
	}
}

// fail returns an error if the report has what --fail-on names.
func (q *questions) fail(r *report.Report) error {
	counts := map[string]int{"expired-keep": r.ExpiredKeeps()}
	if r.Baseline != nil {
		counts["new-dead"] = len(r.Baseline.NewlyDead)
	}
	for i := range r.Functions {
		if r.Functions[i].Deletable() {
			counts["dead"]++
		}
	}
	var found []string
	for _, word := range q.failOn {
		if n := counts[word]; n > 0 {
			found = append(found, fmt.Sprintf("--fail-on=%s: %s", word, counted(n, "function")))
		}
	}
	if found == nil {
		return nil
	}
	return foundError{errors.New("report: " + strings.Join(found, "; "))}
}
