package output

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// fn is a function that was never called, from "pkg Type.Name file:line" with lines.
func fn(pkg, receiver, name, file string, line, lines int) report.Function {
	f := report.Function{Package: "example.com/" + pkg, Receiver: receiver, Name: name, File: file, Line: line, Lines: lines, Status: report.NeverCalled}
	f.ObservedFor = 30 * 24 * 3600
	return f
}

func (r *row) String() string {
	where, name := r.what()
	return strings.TrimSpace(fmt.Sprintf("%d %d %s  %s", r.lines, r.functions, where, name))
}

// Functions are rolled up into the largest whole, and literals into their functions.
func TestRows(t *testing.T) {
	functions := []report.Function{
		fn("a", "", "One", "a/a.go", 1, 5),
		fn("a", "*T", "Two", "a/b.go", 1, 5),
		fn("b", "", "Called", "b/a.go", 1, 50),
		fn("b", "", "Called.func1", "b/a.go", 3, 4), // of a function that was called
		fn("b", "", "Outer", "b/a.go", 60, 20),
		fn("b", "", "Outer-range1", "b/a.go", 61, 5),
		fn("b", "", "Outer.func1.2", "b/a.go", 70, 5),
		fn("b", "", "init.func1", "b/a.go", 90, 3), // in a variable
		fn("b", "*T", "Read", "b/dead.go", 1, 9),
		fn("b", "T", "Write", "b/t.go", 1, 6),
		fn("b", "T", "Close", "b/t.go", 8, 6),
		fn("b", "U", "Alone", "b/t.go", 20, 7),
		fn("b", "V", "Dead", "b/t.go", 30, 2),
		fn("b", "*V", "Seen", "b/t.go", 40, 1),
		fn("c", "", "asm", "c/asm.go", 1, 1),
		fn("c", "", "Gone", "c/asm.go", 2, 2),
	}
	functions[2].Status, functions[13].Status, functions[14].Status = report.Called, report.Called, report.NotObservable
	functions[10].ObservedFor = 5
	list := text{Report: &report.Report{Functions: functions}}.rows()
	var got []string
	for _, r := range list {
		got = append(got, r.String())
	}
	want := []string{
		"20 3 b/a.go:60  Outer",
		"12 2 b/t.go:1  type T",
		"10 2 package example.com/a",
		"9 1 file b/dead.go",
		"7 1 b/t.go:20  U.Alone",
		"4 1 b/a.go:3  Called.func1",
		"3 1 b/a.go:90  init.func1",
		"2 1 b/t.go:30  V.Dead",
		"2 1 c/asm.go:2  Gone",
	}
	if !slices.Equal(got, want) {
		t.Errorf("rows:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := list[1].observedFor; got != 5 {
		t.Errorf("type T is observed for %d seconds, want 5, as its method Close", got)
	}
}

// Whatever the functions are, each that was never called is in one row, and no row claims
// more than them.
func TestRowsOnce(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	pick := func(of ...string) string { return of[rnd.IntN(len(of))] }
	for range 300 {
		r := &report.Report{}
		dead, lines := 0, 0
		for i := range rnd.IntN(40) {
			f := fn(pick("a", "b"), pick("", "T", "*T", "U"), fmt.Sprint("F", i%7, pick("", "", ".func1", "-range1")), pick("x.go", "y.go"), 10*i, 10)
			if f.Status = report.Status(pick("called", "never-called", "never-called", "never-called")); f.Status == report.NeverCalled {
				dead++
				lines += 10
			}
			r.Functions = append(r.Functions, f)
		}
		slices.SortStableFunc(r.Functions, func(a, b report.Function) int { return strings.Compare(a.Package+a.File, b.Package+b.File) })
		for _, row := range (text{Report: r}).rows() {
			dead -= row.functions
			lines -= row.lines
			for i := range r.Functions {
				f := &r.Functions[i]
				in := row.kind == packageRow && f.Package == row.first.Package ||
					row.kind == fileRow && f.Package == row.first.Package && f.File == row.first.File ||
					row.kind == typeRow && f.Package == row.first.Package && strings.TrimPrefix(f.Receiver, "*") == strings.TrimPrefix(row.first.Receiver, "*")
				if in && f.Status == report.Called {
					t.Fatalf("%s holds %s, which was called", row, fullName(f))
				}
			}
		}
		if dead != 0 || lines != 0 {
			t.Fatalf("%d functions and %d lines are in no row, or in several", dead, lines)
		}
	}
}

// The short text shows the largest rows, says how many others there are, and keeps to 80
// columns.
func TestShortText(t *testing.T) {
	r := &report.Report{Observed: report.Observed{Processes: 1, ObservedFor: 2 * week, From: date(5, 1), To: date(5, 20)}}
	for i := range 50 {
		r.Functions = append(r.Functions, fn("shop", "*Server", fmt.Sprintf("HandleTheRequest%02d", i), "internal/server/handlers.go", 100*i, i+1))
	}
	r.Functions[0].Status = report.Called
	var out bytes.Buffer
	if err := Text(&out, r); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	for line := range strings.SplitSeq(text, "\n") {
		if columns(line) > 80 {
			t.Errorf("%d columns: %s", columns(line), line)
		}
	}
	lines := 0 // of functions 1 to 29
	for i := 1; i < 30; i++ {
		lines += i + 1
	}
	for _, want := range []string{
		"Observed for 14 days, and never on the last day of a month: nobody knows what\nruns then.\n\n",
		"\nNever called: 49 of 50 functions, largest first\n\n",
		"\n     50          1  30 days       internal/server/handlers.go:4900\n" + strings.Repeat(" ", 34) + "(*Server).HandleTheRequest49\n",
		fmt.Sprintf("\nand 29 more, of 29 functions and %d lines: --all lists every function\n", lines),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// Every function is on a line that editors read, in the order of places.
func TestAllText(t *testing.T) {
	r := &report.Report{}
	for i, module := range []string{"example.com/a", "example.com/b"} {
		f := fn(fmt.Sprint("p", 9-i), "*T", "Name", "main.go", 12, 12)
		f.Module = module
		g := fn(fmt.Sprint("p", 9-i), "", "Other", "a.go", 1, 1)
		g.Module = module
		r.Functions = append(r.Functions, f, g)
	}
	var out bytes.Buffer
	if err := AllText(&out, r); err != nil {
		t.Fatal(err)
	}
	got := regexp.MustCompile(`(?m)^([^\s:]+):(\d+): (.*)$`).FindAllString(out.String(), -1)
	want := []string{
		"a.go:1: never called: Other, 1 line, observed for 30 days, in a program of example.com/a",
		"main.go:12: never called: (*T).Name, 12 lines, observed for 30 days, in a program of example.com/a",
		"a.go:1: never called: Other, 1 line, observed for 30 days, in a program of example.com/b",
		"main.go:12: never called: (*T).Name, 12 lines, observed for 30 days, in a program of example.com/b",
	}
	if !slices.Equal(got, want) {
		t.Errorf("lines\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func date(month, day int) time.Time {
	return time.Date(2026, time.Month(month), day, 12, 0, 0, 0, time.UTC)
}

func TestHasMonthEnd(t *testing.T) {
	for _, test := range []struct {
		from, to time.Time
		want     bool
	}{
		{date(5, 1), date(5, 30), false},
		{date(5, 1), date(5, 31), true},
		{date(5, 31), date(5, 31), true},
		{date(5, 31).Add(-13 * time.Hour), date(5, 30), false},
		{date(2, 1), date(2, 28), true},
		{date(2, 1), date(2, 27), false},
		{date(6, 1), date(7, 1), true},
		{date(12, 2), date(12, 30), false},
		{date(12, 2), date(13, 1), true},
	} {
		if got := hasMonthEnd(test.from, test.to); got != test.want {
			t.Errorf("from %v to %v: %v, want %v", test.from, test.to, got, test.want)
		}
	}
}

// A call in one of several environments counts, and the text says so.
func TestEnvironmentsText(t *testing.T) {
	f := fn("a", "", "Shut", "a.go", 1, 1)
	f.Status, f.Environments, f.CalledIn = report.Called, 2, []string{"staging"}
	r := &report.Report{Functions: []report.Function{f}, Programs: []report.Program{{App: "shop"}},
		Observed: report.Observed{Processes: 2, Environments: []string{"production", "staging"}}}
	var out bytes.Buffer
	if err := Text(&out, r); err != nil {
		t.Fatal(err)
	}
	if want := "\n2 environments: production, staging\n"; !strings.Contains(out.String(), want) || !strings.Contains(out.String(), "1 was called in\nsome only.") {
		t.Errorf("the text does not tell environments apart:\n%s", out.String())
	}
}

// BenchmarkWrite writes 100,000 functions.
func BenchmarkWrite(b *testing.B) {
	r := &report.Report{}
	for i := range 100_000 {
		f := fn(fmt.Sprintf("pkg%04d", i/100), "*Server", fmt.Sprintf("Function%06d", i), fmt.Sprintf("internal/pkg%04d/file.go", i/100), 10*(i%100)+1, 9)
		if i%10 < 3 {
			f.Status = report.Called
		}
		r.Functions = append(r.Functions, f)
	}
	for ext, write := range formats {
		b.Run(ext, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var out bytes.Buffer
				if err := write(&out, r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What is not selected is no part of a whole, and what was called long ago is looked for if
// that was asked for.
func TestRowsSelected(t *testing.T) {
	old := fn("a", "*T", "Two", "a/b.go", 1, 5)
	old.Status, old.LastCalledAt = report.Called, date(2, 1)
	r := &report.Report{Functions: []report.Function{fn("a", "*T", "One", "a/a.go", 1, 4), old}, Observed: report.Observed{To: date(5, 1)}}
	rows := func() string {
		var got []string
		for _, r := range (text{Report: r}).rows() {
			got = append(got, r.String())
		}
		return strings.Join(got, ", ")
	}
	if got, want := rows(), "4 1 file a/a.go"; got != want {
		t.Errorf("rows %s, want %s", got, want)
	}
	if err := r.Select(report.Selection{NotCalledSince: date(3, 1)}); err != nil {
		t.Fatal(err)
	}
	if got, want := rows(), "9 2 package example.com/a"; got != want {
		t.Errorf("not called since March: rows %s, want %s", got, want)
	}
	var out bytes.Buffer
	if err := AllText(&out, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Only functions not called since 2026-03-01 12:00.\n",
		"\nNot called since 2026-03-01 12:00: 2 of 2 functions\n",
		"\na/b.go:1: called: (*T).Two, last on 2026-02-01\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	*r = report.Report{Functions: r.Functions, Observed: r.Observed}
	if err := r.Select(report.Selection{Statuses: []report.Status{report.NeverCalled}}); err != nil {
		t.Fatal(err)
	}
	if got, want := rows(), "4 1 file a/a.go"; got != want {
		t.Errorf("only never called: rows %s, want %s", got, want)
	}
}
