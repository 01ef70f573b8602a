// The report as Markdown, for the summary of a CI job.

package output

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// GitHub takes 1 MiB for the summary of a step. Two tables with as many rows and the longest
// names are less than half of that.
const (
	markdownRows = 50
	markdownName = 200 // characters of a name
)

// Markdown writes, as GitHub and GitLab show it, what the report rests on, the packages with
// most lines that nobody called, and the largest functions of these. Its size is bounded.
func Markdown(w io.Writer, r *report.Report) error {
	out := bufio.NewWriter(w) // keeps its first error for Flush
	packages, total := packageTallies(r)
	fmt.Fprint(out, "## ", text{Report: r}.heading())
	if total.uncalled > 0 {
		fmt.Fprint(out, ", ", plural(total.lines, "line"))
	}
	fmt.Fprint(out, "\n\n")
	markdownEvidence(out, r)
	markdownPackages(out, packages, total)
	markdownFunctions(out, r)
	return out.Flush()
}

// markdownEvidence writes what the report rests on.
func markdownEvidence(w io.Writer, r *report.Report) {
	o := &r.Observed
	if filter := r.Filter.String(); filter != "" {
		fmt.Fprintf(w, "Only of %s. ", code(filter))
	}
	if !r.Selection.IsZero() {
		fmt.Fprintf(w, "Only functions %s. ", code(SelectionText(&r.Selection)))
	}
	fmt.Fprintf(w, "Observed for %s, in %s on %s", seconds(o.ObservedFor), plural(o.Processes, "process"), plural(o.Hosts, "host"))
	if !o.From.IsZero() && !o.To.IsZero() {
		fmt.Fprintf(w, ", from %s to %s UTC", minute(o.From), minute(o.To))
	}
	fmt.Fprint(w, ".\n\n")
	switch {
	case o.ObservedFor < week:
		fmt.Fprint(w, "**Less than a week of running proves little.**\n\n")
	case !hasMonthEnd(o.From, o.To):
		fmt.Fprint(w, "**Nobody knows what runs on the last day of a month.**\n\n")
	}
	if text := presumed(r, code); text != "" {
		fmt.Fprint(w, text, "\n\n")
	}
	if !r.Complete() {
		fmt.Fprint(w, "**Warning:** the report rests on incomplete data: functions may have been called that are listed here.\n\n")
	}
}

// A packageTally counts the functions of a package.
type packageTally struct {
	name string
	tally
}

// packageTallies returns the packages, those with most lines of functions that nobody
// called first, and what they have together.
func packageTallies(r *report.Report) (list []packageTally, total tally) {
	t := text{Report: r}
	for functions := range byPackage(r.Functions) {
		list = append(list, packageTally{functions[0].Package, t.count(functions)})
	}
	slices.SortStableFunc(list, func(a, b packageTally) int {
		return cmp.Or(cmp.Compare(b.lines, a.lines), cmp.Compare(b.uncalled, a.uncalled))
	})
	return list, t.count(r.Functions)
}

// markdownPackages writes the packages, and the total. There is a column for what is kept if
// there is anything.
func markdownPackages(w io.Writer, packages []packageTally, total tally) {
	if len(packages) == 0 {
		return
	}
	head, rule := "", ""
	if total.kept > 0 {
		head, rule = " Kept |", "---:|"
	}
	fmt.Fprintf(w, "| Lines not called | Functions not called |%s Called | Not known | Package |\n|---:|---:|%s---:|---:|:---|\n", head, rule)
	row := func(t *tally, name string) {
		kept := ""
		if total.kept > 0 {
			kept = fmt.Sprintf(" %d |", t.kept)
		}
		known := t.all - t.hidden - t.unknown
		fmt.Fprintf(w, "| %d | %d |%s %d | %d | %s |\n", t.lines, t.uncalled, kept, known-t.uncalled-t.kept, t.all-known, name)
	}
	for i := range packages[:min(len(packages), markdownRows)] {
		row(&packages[i].tally, code(packages[i].name))
	}
	if n := len(packages) - markdownRows; n > 0 {
		var others tally
		for i := range packages[markdownRows:] {
			p := &packages[markdownRows+i]
			others.lines += p.lines
			others.uncalled += p.uncalled
			others.all += p.all
			others.kept += p.kept
			others.hidden += p.hidden + p.unknown
		}
		row(&others, plural(n, "other package"))
	}
	row(&total, "**total**")
}

// markdownFunctions writes the largest functions that nobody called.
func markdownFunctions(w io.Writer, r *report.Report) {
	var list []*report.Function
	for i := range r.Functions {
		if f := &r.Functions[i]; r.Uncalled(f) {
			list = append(list, f)
		}
	}
	if len(list) == 0 {
		return
	}
	slices.SortStableFunc(list, func(a, b *report.Function) int { return cmp.Compare(b.Lines, a.Lines) })
	shown := list[:min(len(list), markdownRows)]
	title := "Each of them"
	if len(shown) < len(list) {
		title = fmt.Sprintf("The largest %d of them", len(shown))
	}
	fmt.Fprintf(w, "\n### %s\n\n| Lines | Function | Place | Observed for |\n|---:|:---|:---|---:|\n", title)
	for _, f := range shown {
		lines := "?"
		if f.Lines > 0 {
			lines = strconv.Itoa(f.Lines)
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", lines, code(fullName(f)), code(f.File+":"+strconv.Itoa(f.Line)), seconds(f.ObservedFor))
	}
}

// code returns a name as code: it stays text, whatever is in it. A code span will not do for
// all names: in a table, none has a backslash in front of a bar. In place of one, characters
// that may mean something are written as their numbers.
func code(name string) string {
	name = report.Printable(name)
	if runes := []rune(name); len(runes) > markdownName {
		name = string(runes[:markdownName-1]) + "…"
	}
	if !strings.ContainsAny(name, "`|\\<>&") && strings.TrimSpace(name) == name && name != "" {
		return "`" + name + "`"
	}
	var b strings.Builder
	b.WriteString("<code>")
	for _, r := range name {
		if r <= ' ' || strings.ContainsRune("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", r) {
			fmt.Fprintf(&b, "&#%d;", r)
		} else {
			b.WriteRune(r)
		}
	}
	b.WriteString("</code>")
	return b.String()
}
