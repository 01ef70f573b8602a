// The report as text for people.

package output

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// Text writes a table by package, the functions that were never called, and
// what the report rests on. Numbers stand before names, so that no import path
// is too long for the table.
func Text(w io.Writer, rep *report.Report) error {
	r := text{rep}
	out := bufio.NewWriter(w) // keeps its first error for Flush
	r.writeWindow(out)
	r.writeMute(out)
	if len(r.Functions) == 0 {
		fmt.Fprint(out, "No function of a program is known here.\n")
	} else {
		r.writeTable(out)
		r.writeNeverCalled(out)
		r.writeUnknown(out)
	}
	r.writeNotes(out)
	r.writePrograms(out)
	return out.Flush()
}

// A text is a report that is written as text.
type text struct{ *report.Report }

// week is the time in seconds below which a report says that it proves little.
const week = 7 * 24 * 3600

// writeWindow says first of all what is looked at, if that is not everything, and how
// little a short time proves.
func (r text) writeWindow(w io.Writer) {
	lead := ""
	if filter := r.Filter.String(); filter != "" {
		fmt.Fprintf(w, "Only of %s.\n", filter)
		lead = "\n"
	}
	if o := &r.Observed; o.Processes > 0 && o.ObservedFor < week {
		fmt.Fprintf(w, "Observed for %s: less than a week of running proves little.\n", seconds(o.ObservedFor))
		lead = "\n"
	}
	fmt.Fprint(w, lead)
}

// A tally counts functions by status, and the lines of those that were never called.
type tally struct {
	all, called, never, hidden, unknown int

	lines int
}

// add counts a function, but not its lines.
func (t *tally) add(f *report.Function) {
	t.all++
	switch f.Status {
	case report.Called:
		t.called++
	case report.NeverCalled:
		t.never++
	case report.NotObservable:
		t.hidden++
	case report.Unknown:
		t.unknown++
	}
}

// deadLines returns how many lines of functions that were never called a list has, which
// is in the order of the report. Each counts once: a function literal is a part of
// another function.
func deadLines(functions []report.Function) (n int) {
	file, end := "", 0
	for i := range functions {
		f := &functions[i]
		if f.Status != report.NeverCalled {
			continue
		}
		if f.File != file {
			file, end = f.File, 0
		}
		n += max(0, f.Line+f.Lines-max(f.Line, end))
		end = max(end, f.Line+f.Lines)
	}
	return n
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

// write writes a line of the table, with columns for lines if they are known, and for
// unknown ones if there are any.
func (t *tally) write(w io.Writer, lines, unknown bool, name string) {
	var lineColumn, unknownColumn string
	if lines {
		lineColumn = fmt.Sprintf("%6d  ", t.lines)
	}
	if unknown {
		unknownColumn = fmt.Sprintf("%7d  ", t.unknown)
	}
	fmt.Fprintf(w, "%9d  %6d  %12d  %s%14d  %s%8s  %s\n", t.all, t.called, t.never, lineColumn, t.hidden, unknownColumn, t.percent(), name)
}

// byPackage splits the functions, which are sorted, into runs of one package.
func (r text) byPackage(yield func([]report.Function) bool) {
	for rest := r.Functions; len(rest) > 0; {
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

func (r text) total() (t tally) {
	for i := range r.Functions {
		t.add(&r.Functions[i])
	}
	return t
}

func (r text) writeTable(w io.Writer) {
	total := r.total()
	unknown := total.unknown > 0
	lines := slices.ContainsFunc(r.Functions, func(f report.Function) bool { return f.Lines > 0 })
	var lineColumn, unknownColumn string
	if lines {
		lineColumn = " LINES  "
	}
	if unknown {
		unknownColumn = "UNKNOWN  "
	}
	fmt.Fprintf(w, "FUNCTIONS  CALLED  NEVER CALLED  %sNOT OBSERVABLE  %sCALLED %%  PACKAGE\n", lineColumn, unknownColumn)
	for functions := range r.byPackage {
		t := tally{lines: deadLines(functions)}
		for i := range functions {
			t.add(&functions[i])
		}
		total.lines += t.lines
		t.write(w, lines, unknown, report.Printable(functions[0].Package))
	}
	total.write(w, lines, unknown, "total")
}

func (r text) writeNeverCalled(w io.Writer) {
	total := r.total()
	if total.never == 0 {
		fmt.Fprint(w, "\nNever called: none\n")
		return
	}
	fmt.Fprintf(w, "\nNever called: %d of %s\n", total.never, plural(total.all, "function"))
	r.list(w, func(f *report.Function) bool { return f.Status == report.NeverCalled })
}

// writeUnknown lists the functions with damaged stamps. Those of programs that nothing
// is known of are not listed one by one.
func (r text) writeUnknown(w io.Writer) {
	damaged := func(f *report.Function) bool { return f.Status == report.Unknown && !f.Mute }
	n := 0
	for i := range r.Functions {
		if damaged(&r.Functions[i]) {
			n++
		}
	}
	if n == 0 {
		return
	}
	fmt.Fprintf(w, "\nUnknown: %s whose time is damaged: they may have been called\n", plural(n, "function"))
	r.list(w, damaged)
}

// list lists functions by package.
func (r text) list(w io.Writer, wanted func(f *report.Function) bool) {
	for functions := range r.byPackage {
		var places, names []string
		for i := range functions {
			if f := &functions[i]; wanted(f) {
				places = append(places, report.Printable(f.File)+":"+strconv.Itoa(f.Line))
				names = append(names, report.Printable(fullName(f)))
			}
		}
		if places == nil {
			continue
		}
		fmt.Fprintf(w, "\n%s: %d of %d\n", report.Printable(functions[0].Package), len(places), len(functions))
		width := columnWidth(places)
		for i, place := range places {
			pad := max(0, width-utf8.RuneCountInString(place))
			fmt.Fprintf(w, "  %s%s  %s\n", place, strings.Repeat(" ", pad), names[i])
		}
	}
}

// columnWidth is the width of the longest place that is not excessive: one very
// long name of a file must not move all others out of sight.
func columnWidth(places []string) int {
	const excessive = 60
	width := 0
	for _, place := range places {
		if n := utf8.RuneCountInString(place); n <= excessive {
			width = max(width, n)
		}
	}
	return width
}

// fullName returns the function's name as the runtime shows it in a stack trace,
// without the package.
func fullName(f *report.Function) string {
	switch {
	case f.Receiver == "":
		return f.Name
	case strings.HasPrefix(f.Receiver, "*"):
		return "(" + f.Receiver + ")." + f.Name
	}
	return f.Receiver + "." + f.Name
}

// writeNotes says what the list above does not show, and how far to trust it.
func (r text) writeNotes(w io.Writer) {
	if n := r.total().hidden; n > 0 {
		fmt.Fprintf(w, "\nNot observable: %s (%s). Whether they are called cannot be seen.\n", plural(n, "function"), r.reasons())
	}
	if n := len(r.Removed); n > 0 {
		fmt.Fprintf(w, "\nLeft out: %s of older builds, which the newest one does not have.\n", plural(n, "function"))
	}
	if r.Unseen > 0 {
		fmt.Fprintf(w, "\nLeft out: the functions of %s without a process whose calls could be read.\n", plural(r.Unseen, "build"))
	}
	files := map[string]bool{}
	for _, p := range r.Problems {
		if !p.Kind.OfProcesses() {
			files[p.File] = true
		}
	}
	if n := len(files); n > 0 {
		fmt.Fprintf(w, "\nWARNING: %s not count in full, see the error messages. A function whose calls\n"+
			"stand in no other file is reported as never called, or not at all.\n", pluralVerb(n, "data file does", "data files do"))
	}
	if n := r.Processes.Lossy; n > 0 {
		fmt.Fprintf(w, "\nWARNING: %s how it ended, so up to a second of what each called last may\n"+
			"be missing. A function that was called only then is reported as never called.\n",
			pluralVerb(n, "process was killed, or did not say", "processes were killed, or did not say"))
	}
	if n := r.Processes.KeptOnceASecond; n > 0 {
		fmt.Fprintf(w, "\nCalls of %s were kept once a second: if one is killed, its last second is lost.\n", plural(n, "process"))
	}
}

// writeMute says first of all that there are programs which nothing is known of.
func (r text) writeMute(w io.Writer) {
	for i := range r.Mute {
		fmt.Fprintf(w, "WARNING: nothing is known of what %s calls in one of its builds: all processes of it\n"+
			"ended within a second of their start, and wrote nothing of what they had called. Its\n"+
			"functions are unknown rather than never called.\n\n", report.Printable(title(&r.Mute[i])))
	}
}

// reasons lists why functions are not observable, the commonest reason first.
func (r text) reasons() string {
	counts := map[string]int{}
	for i := range r.Functions {
		if f := &r.Functions[i]; f.Status == report.NotObservable {
			counts[f.Reason]++
		}
	}
	var keys []string
	for reason := range counts {
		keys = append(keys, reason)
	}
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
	for i, reason := range keys {
		keys[i] = fmt.Sprintf("%s: %d", report.Printable(reason), counts[reason])
	}
	return strings.Join(keys, ", ")
}

// writePrograms says who was observed, and for how long: "never called" means
// never in this time.
func (r text) writePrograms(w io.Writer) {
	if len(r.Programs) == 0 {
		return
	}
	o := &r.Observed
	fmt.Fprintf(w, "\nObserved: %s, %s,\nin which at least one of them ran for %s\n\n",
		plural(o.Processes, "process"), period(o.From, o.To), seconds(o.ObservedFor))
	fmt.Fprint(w, "PROCESSES  HOSTS  BUILDS  FROM (UTC)        TO (UTC)          PROGRAM\n")
	for i := range r.Programs {
		p := &r.Programs[i]
		fmt.Fprintf(w, "%9d  %5d  %6d  %-16s  %-16s  %s\n",
			p.Processes, p.Hosts, len(p.Builds), minute(p.From), minute(p.To), report.Printable(title(p)))
	}
	r.writeEnvironments(w)
	r.writeNamesakes(w)
}

// writeEnvironments says that a call in one of several environments makes a function
// called.
func (r text) writeEnvironments(w io.Writer) {
	names := r.Observed.Environments
	if len(names) < 2 {
		return
	}
	some := 0
	for i := range r.Functions {
		if f := &r.Functions[i]; f.Status == report.Called && len(f.CalledIn) < f.Environments {
			some++
		}
	}
	fmt.Fprintf(w, "\n%d environments: %s\nA function counts as called if it was called in any of them. %s called\n"+
		"in some only. --environment=NAME reports on one alone.\n",
		len(names), report.Printable(strings.Join(names, ", ")), pluralVerb(some, "was", "were"))
}

// writeNamesakes says why a name may stand in several lines.
func (r text) writeNamesakes(w io.Writer) {
	for rest := r.Programs; len(rest) > 0; {
		n := 1
		for n < len(rest) && title(&rest[n]) == title(&rest[0]) {
			n++
		}
		if n > 1 {
			fmt.Fprintf(w, "\n%d programs are called %s: they have too few functions in common to be\n"+
				"versions of one, so what each has is listed. If they are versions, report from a\n"+
				"directory without the files of the older ones.\n", n, report.Printable(title(&rest[0])))
		}
		rest = rest[n:]
	}
}

// title names the program by what is known of it.
func title(p *report.Program) string {
	main := cmp.Or(p.File, p.Main)
	switch {
	case main == "":
		return cmp.Or(p.App, "(no name)")
	case p.App == "":
		return main
	}
	return p.App + " (" + main + ")"
}

// minute is a time as people write it. All times of a report are UTC.
func minute(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.Format("2006-01-02 15:04")
}

// period is a span of time with its length.
func period(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return "at an unknown time"
	}
	return fmt.Sprintf("%s to %s UTC (%s)", minute(from), minute(to), length(to.Sub(from)))
}

// seconds is a time in seconds as people say it.
func seconds(n int64) string {
	if n == 0 {
		return "less than a second"
	}
	return length(time.Duration(n) * time.Second)
}

// length rounds down to the largest unit of which there are two.
func length(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day:
		return plural(int(d/day), "day")
	case d >= 2*time.Hour:
		return plural(int(d/time.Hour), "hour")
	case d >= 2*time.Minute:
		return plural(int(d/time.Minute), "minute")
	}
	return plural(int(d/time.Second), "second")
}

func plural(n int, noun string) string {
	if strings.HasSuffix(noun, "s") {
		return pluralVerb(n, noun, noun+"es")
	}
	return pluralVerb(n, noun, noun+"s")
}

func pluralVerb(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
