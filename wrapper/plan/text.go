// The plan as text for people, and as JSON.

package plan

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// A text is output for people. Its Writer keeps its first error for Flush.
type text struct{ *bufio.Writer }

func newText(w io.Writer) text { return text{bufio.NewWriter(w)} }

func (t text) printf(format string, args ...any) { fmt.Fprintf(t, format, args...) }

// WriteJSON writes a plan or an explanation.
func WriteJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "\t")
	return enc.Encode(v)
}

// WriteText writes what the source and the report do not agree in, then the groups, of
// each the most lines first.
func (p *Plan) WriteText(w io.Writer) error {
	t := newText(w)
	t.writeDifference(p)
	t.printf("Plan for %s on %s/%s", printable(strings.Join(p.Programs, ", ")), p.GOOS, p.GOARCH)
	if p.Tags != "" {
		t.printf(" with tags %s", printable(p.Tags))
	}
	t.printf(", observed in %s", plural(p.Observed.Processes, "process"))
	if !p.Observed.From.IsZero() && !p.Observed.To.IsZero() {
		t.printf("\nfrom %s to %s UTC", minute(p.Observed.From), minute(p.Observed.To))
	}
	t.printf("\n")
	t.writeUnreachable(p)
	t.writeEntries(p)
	t.writeShared(p)
	t.writeKept(p)
	return t.Flush()
}

// writeDifference says first of all where the plan may be wrong.
func (t text) writeDifference(p *Plan) {
	d := &p.Difference
	if n := len(d.Missing); n > 0 {
		t.printf("WARNING: the source lacks %s of the report, among them\n%s.\n"+
			"It is another revision, or was built for another system or with other --tags.\n\n", plural(n, "function"), printable(d.Missing[0]))
	}
	if d.Moved > 0 {
		t.printf("WARNING: %s at another line in the source than in the program that was\nobserved: it has changed since.\n\n",
			pluralVerb(d.Moved, "function stands", "functions stand"))
	}
	if n := len(d.Packages); n > 0 {
		t.printf("WARNING: the report has %s that this program does not import, among them\n%s. Name the main packages of all programs that were observed.\n\n",
			plural(n, "package"), printable(d.Packages[0]))
	}
}

func (t text) writeUnreachable(p *Plan) {
	lines := 0
	for i := range p.Unreachable {
		lines += p.Unreachable[i].Lines
	}
	t.printf("\nUnreachable: %s, %s. No path leads there from main: delete them now.\n", plural(len(p.Unreachable), "function"), plural(lines, "line"))
	for i := range p.Unreachable {
		f := &p.Unreachable[i]
		note := ""
		if f.Status == NotListed {
			note = "  (not in the report)"
		}
		t.printf("%7d  %s  %s%s\n", f.Lines, f.place(), f.name(), note)
	}
}

// writeEntries writes each entry with its sites, of which the first few do.
func (t text) writeEntries(p *Plan) {
	const most = 3
	functions, lines := 0, 0
	for i := range p.Entries {
		functions += p.Entries[i].FallsFunctions
		lines += p.Entries[i].FallsLines
	}
	t.printf("\nEntries: %d, never called, where code that stays refers to them. With them\n%s and %s fall, and what falls with several.\n", len(p.Entries), plural(functions, "function"), plural(lines, "line"))
	if len(p.Entries) > 0 {
		t.printf("\n  LINES  FUNCTIONS  ENTRY\n")
	}
	for i := range p.Entries {
		e := &p.Entries[i]
		t.printf("%7d  %9d  %s  %s\n", e.FallsLines, e.FallsFunctions, e.place(), e.name())
		for j, s := range e.Sites {
			if j == most {
				t.printf("%22sand at %s\n", "", plural(len(e.Sites)-most, "place"))
				break
			}
			t.printf("%20s%s:%d  %s %s%s\n", "", printable(s.File), s.Line, s.by(), printable(s.Caller), s.note())
		}
	}
}

// by says what the code at a site does.
func (s *Site) by() string {
	if s.Kind == Call {
		return "called in"
	}
	return "a value in"
}

// note says of a caller that it is not known to have run.
func (s *Site) note() string {
	if s.Status == report.Called {
		return ""
	}
	return "  (" + string(s.Status) + ")"
}

func (t text) writeShared(p *Plan) {
	if len(p.Shared) == 0 {
		return
	}
	lines := 0
	for i := range p.Shared {
		lines += p.Shared[i].Lines
	}
	t.printf("\nFalls with several entries: %s, %s.\n", plural(len(p.Shared), "function"), plural(lines, "line"))
	for i := range p.Shared {
		s := &p.Shared[i]
		t.printf("%7d  %s  %s  (%s)\n", s.Lines, s.place(), s.Function.name(), plural(len(s.Entries), "entry"))
	}
}

func (t text) writeKept(p *Plan) {
	if len(p.MustStay) == 0 {
		return
	}
	lines := 0
	for i := range p.MustStay {
		lines += p.MustStay[i].Lines
	}
	t.printf("\nMust stay: %s, %s.\n", plural(len(p.MustStay), "function"), plural(lines, "line"))
	for i := range p.MustStay {
		k := &p.MustStay[i]
		t.printf("%7d  %s  %s\n%9s%s", k.Lines, k.place(), k.Function.name(), "", printable(k.Reason))
		if s := k.Site; s != nil {
			t.printf(": %s:%d in %s", printable(s.File), s.Line, printable(s.Caller))
		}
		t.printf("\n")
	}
}

// place is where a function stands.
func (f *Function) place() string { return printable(f.File) + ":" + strconv.Itoa(f.Line) }

// name is what the runtime calls a function.
func (f *Function) name() string {
	name := f.Name
	switch {
	case strings.HasPrefix(f.Receiver, "*"):
		name = "(" + f.Receiver + ")." + name
	case f.Receiver != "":
		name = f.Receiver + "." + name
	}
	return printable(f.Package + "." + name)
}

func plural(n int, noun string) string {
	switch {
	case strings.HasSuffix(noun, "s"):
		return pluralVerb(n, noun, noun+"es")
	case strings.HasSuffix(noun, "ry"):
		return pluralVerb(n, noun, strings.TrimSuffix(noun, "y")+"ies")
	}
	return pluralVerb(n, noun, noun+"s")
}

func pluralVerb(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// minute is a time as people write it.
func minute(t interface{ Format(string) string }) string { return t.Format("2006-01-02 15:04") }

// printable quotes a name that would disturb a terminal.
func printable(s string) string {
	if utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return s
	}
	return strconv.QuoteToASCII(s)
}
