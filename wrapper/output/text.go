// The report as text for people.

package output

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// Text writes how much the report proves, totals, and what nobody called, largest first.
func Text(w io.Writer, r *report.Report) error {
	return writeText(w, r, func(t text) {
		t.writeTable(false)
		t.writeRows()
	})
}

// AllText writes the same with a table by package and every function that was never
// called, each on a line that editors read: file:line: message.
func AllText(w io.Writer, r *report.Report) error {
	return writeText(w, r, func(t text) {
		t.writeTable(true)
		t.writeFunctions()
	})
}

func writeText(w io.Writer, r *report.Report, body func(t text)) error {
	t := text{Writer: bufio.NewWriter(w), Report: r}
	modules := map[string]bool{"": true}
	for i := range r.Functions {
		modules[r.Functions[i].Module] = true
	}
	t.modules = len(modules) > 2
	t.writeWindow()
	t.writeMute()
	switch {
	case len(r.Functions) > 0:
		body(t)
		t.writeKept()
		t.writeLinkedOut()
	case len(r.Others) > 0:
		t.printf("None of %s is selected.\n", plural(len(r.Others), "function"))
	case r.Complete():
		t.print("No function is marked in the programs that ran: scavenger-wrap scan says why.\n")
	default:
		t.print("No function of a program is known here.\n")
	}
	t.writeBaseline()
	t.writeNotes()
	t.writePrograms()
	return t.Flush()
}

// A text is a report that is written as text. Its Writer keeps its first error for Flush.
type text struct {
	*bufio.Writer
	*report.Report
	modules bool // there are several
}

func (t text) print(s string)                    { _, _ = t.WriteString(s) }
func (t text) printf(format string, args ...any) { fmt.Fprintf(t, format, args...) }

// paragraph writes words with line breaks between them.
func (t text) paragraph(format string, args ...any) {
	t.print(Paragraph(fmt.Sprintf(format, args...)))
}

// week is the time in seconds below which a report says that it proves little.
const week = 7 * 24 * 3600

// writeWindow says first of all what is looked at, if that is not everything, and how
// much the time proves.
func (t text) writeWindow() {
	if filter := t.Filter.String(); filter != "" {
		t.paragraph("Only of %s.", filter)
	}
	if !t.Selection.IsZero() {
		t.paragraph("Only functions %s.", SelectionText(&t.Selection))
	}
	if o := &t.Observed; o.Processes > 0 {
		t.paragraph("%s", Proof(o.ObservedFor, o.From, o.To))
		t.print("\n")
	}
}

// Proof says how much it proves that processes were observed for some seconds.
func Proof(observedFor int64, from, to time.Time) string {
	switch {
	case observedFor < week:
		return fmt.Sprintf("Observed for %s: less than a week of running proves little.", seconds(observedFor))
	case !hasMonthEnd(from, to):
		return fmt.Sprintf("Observed for %s, and never on the last day of a month: nobody knows what runs then.", seconds(observedFor))
	}
	return fmt.Sprintf("Observed for %s since %s.", seconds(observedFor), from.Format(time.DateOnly))
}

// hasMonthEnd reports whether a part of the last day of a month is in a span of time.
func hasMonthEnd(from, to time.Time) bool {
	first := time.Date(from.Year(), from.Month()+1, 1, 0, 0, 0, 0, time.UTC) // the day after
	return !to.Before(first.AddDate(0, 0, -1))
}

// A tally counts functions by status.
type tally struct {
	all, called, never, hidden, unknown int

	kept       int // of never
	neverLines int // of never, but not kept
	uncalled   int // those that the report looks for
	lines      int // and the lines of these
}

// addStatus counts a function by its status.
func (t *tally) addStatus(f *report.Function) {
	t.all++
	switch f.Status {
	case report.Called:
		t.called++
	case report.NeverCalled:
		t.never++
		if f.Kept() {
			t.kept++
		}
	case report.NotObservable:
		t.hidden++
	case report.Unknown:
		t.unknown++
	}
}

// percent is the share of called functions among those of which it is known. It is rounded
// down, but any call makes it 0.1 at least: 100 % means all, and 0 % none.
func (t *tally) percent() string {
	observable := t.called + t.never
	if observable == 0 {
		return "-"
	}
	permille := t.called * 1000 / observable
	if permille == 0 && t.called > 0 {
		permille = 1
	}
	return fmt.Sprintf("%d.%d", permille/10, permille%10)
}

// count returns the tally of functions in the order of the report.
func (t text) count(functions []report.Function) (c tally) {
	var lines, never lineCounter
	for i := range functions {
		f := &functions[i]
		c.addStatus(f)
		if f.Status == report.NeverCalled && !f.Kept() {
			c.neverLines += never.add(f)
		}
		if t.Uncalled(f) {
			c.uncalled++
			c.lines += lines.add(f)
		}
	}
	return c
}

// A lineCounter counts lines of functions, which come in the order of the report. Each
// line counts once: a function literal is a part of another function.
type lineCounter struct {
	file string
	end  int // behind the last line that was counted
}

// add returns how many lines of a function did not count before.
func (c *lineCounter) add(f *report.Function) int {
	if f.File != c.file {
		c.file, c.end = f.File, 0
	}
	n := max(0, f.Line+f.Lines-max(f.Line, c.end))
	c.end = max(c.end, f.Line+f.Lines)
	return n
}

// byPackage splits functions, which are sorted, into runs of one package.
func byPackage(functions []report.Function) iter.Seq[[]report.Function] {
	return func(yield func([]report.Function) bool) {
		for rest := functions; len(rest) > 0; {
			n := 1
			for n < len(rest) && rest[n].Package == rest[0].Package {
				n++
			}
			if !yield(rest[:n]) {
				return
			}
			rest = rest[n:]
		}
	}
}

// writeTable writes totals, and before them those of each package if wanted. Numbers stand
// before names, so that no import path is too long. Functions that are kept are not among
// those that were never called, and have a column, as unknown ones do, if there are any.
func (t text) writeTable(packages bool) {
	total := t.count(t.Functions)
	lines := t.hasLines()
	row := func(c *tally, name string) {
		t.printf("%9d  %6d  %12d  ", c.all, c.called, c.never-c.kept)
		if total.kept > 0 {
			t.printf("%4d  ", c.kept)
		}
		if lines {
			t.printf("%6d  ", c.neverLines)
		}
		t.printf("%14d  ", c.hidden)
		if total.unknown > 0 {
			t.printf("%7d  ", c.unknown)
		}
		t.printf("%7s  %s\n", c.percent(), name)
	}
	t.print("FUNCTIONS  CALLED  NEVER CALLED  ")
	if total.kept > 0 {
		t.print("KEPT  ")
	}
	if lines {
		t.print(" LINES  ")
	}
	t.print("NOT OBSERVABLE  ")
	if total.unknown > 0 {
		t.print("UNKNOWN  ")
	}
	t.print("CALLED%")
	if packages {
		t.print("  PACKAGE")
	}
	t.print("\n")
	if packages {
		for functions := range byPackage(t.Functions) {
			c := t.count(functions)
			row(&c, report.Printable(functions[0].Package))
		}
	}
	row(&total, "total")
}

// hasLines reports whether it is known of a function how long it is.
func (t text) hasLines() bool {
	return slices.ContainsFunc(t.Functions, func(f report.Function) bool { return f.Lines > 0 })
}

// writeFunctions writes a line for each function that the report looks for, and for those
// whose time is damaged; if statuses were asked for, for each that has one. Those of
// programs that nothing is known of are not listed one by one.
func (t text) writeFunctions() {
	if len(t.Selection.Statuses) > 0 {
		t.list(func(*report.Function) bool { return true })
		return
	}
	t.printf("\n%s\n", t.heading())
	t.list(t.Uncalled)
	if n := t.damaged(); n > 0 {
		t.writeDamaged(n)
		t.list(isDamaged)
	}
}

// heading says how many functions the report looks for.
func (t text) heading() string {
	head := "Never called"
	if since := t.Selection.NotCalledSince; !since.IsZero() {
		head = "Not called since " + minute(since)
	}
	c := t.count(t.Functions)
	if c.uncalled == 0 {
		return head + ": none"
	}
	return fmt.Sprintf("%s: %d of %s", head, c.uncalled, plural(c.all, "function"))
}

// list lists functions by place: an editor that reads the text goes from file to file.
func (t text) list(wanted func(f *report.Function) bool) {
	var list []*report.Function
	for i := range t.Functions {
		if f := &t.Functions[i]; wanted(f) {
			list = append(list, f)
		}
	}
	slices.SortStableFunc(list, func(a, b *report.Function) int {
		return cmp.Or(strings.Compare(a.Module, b.Module), strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	if len(list) > 0 {
		t.print("\n")
	}
	for _, f := range list {
		t.printf("%s: %s%s\n", place(f), message(f), t.inModule(f))
	}
}

// inModule says of which module the program is that has a file, if there are several: two may
// have a main.go. The file's own module may be another one of the workspace.
func (t text) inModule(f *report.Function) string {
	if !t.modules || f.Module == "" {
		return ""
	}
	return ", in a program of " + report.Printable(f.Module)
}

// message says of a function what is known of its calls.
func message(f *report.Function) string {
	name := report.Printable(fullName(f))
	switch f.Status {
	case report.NotObservable:
		return "not observable: " + name + ", " + report.Printable(f.Reason)
	case report.Unknown:
		return "unknown: " + name + ", which may have been called"
	case report.Called:
		text := "called: " + name + ", last on " + f.LastCalledAt.Format(time.DateOnly)
		if f.Presumed != "" {
			text += ", presumed by " + report.Printable(f.Presumed)
		}
		return text
	}
	text := "never called: " + name
	if f.Lines > 0 {
		text += ", " + plural(f.Lines, "line")
	}
	if f.LinkedOut {
		text += ", not in the binary"
	}
	text += ", observed for " + seconds(f.ObservedFor)
	if f.Kept() {
		text += ", kept: " + report.Printable(f.Keep.Reason)
	}
	return text
}
