// The plan as text for people, and as JSON.

package plan

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/output"
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

// width is that of the text, unless a name is longer.
const width = 80

// row writes parts in one line, or in more where it would be too long. All but the first
// line begin under the first part.
func (t text) row(lead string, parts ...string) {
	t.printf("%s%s", lead, parts[0])
	column := len(lead) + utf8.RuneCountInString(parts[0])
	for _, part := range parts[1:] {
		n := utf8.RuneCountInString(part)
		if column += 2 + n; column <= width {
			t.printf("  %s", part)
			continue
		}
		t.printf("\n%*s%s", len(lead), "", part)
		column = len(lead) + n
	}
	t.printf("\n")
}

// WriteText writes what the source and the report do not agree in, then the groups, of
// each the most lines first. Of each it writes the first few.
func (p *Plan) WriteText(w io.Writer) error {
	t := newText(w)
	t.writeWarnings(p)
	t.printf("%s%s.\n", output.Paragraph(fmt.Sprintf("Plan for %s %s, observed in %s", p.title(), p.platform(), plural(p.Observed.Processes, "process"))), p.period())
	if p.Observed.Processes > 0 {
		t.printf("%s", output.Paragraph(p.Observed.proof()))
	}
	t.writeUnreachable(p)
	t.writeEntries(p)
	t.writeShared(p)
	t.writeKept(p)
	return t.Flush()
}

// title names the first few programs.
func (p *Plan) title() string {
	const few = 3
	title := report.Printable(strings.Join(p.Programs[:min(len(p.Programs), few)], ", "))
	if n := len(p.Programs) - few; n > 0 {
		title += " and " + plural(n, "other program")
	}
	return title
}

// platform says for which system the source was read.
func (p *Plan) platform() string {
	s := "on " + p.GOOS + "/" + p.GOARCH
	if p.Tags != "" {
		s += " with tags " + report.Printable(p.Tags)
	}
	return s
}

// period says when the program was observed.
func (p *Plan) period() string {
	if p.Observed.From.IsZero() || p.Observed.To.IsZero() {
		return "at an unknown time"
	}
	return "from " + minute(p.Observed.From) + " to " + minute(p.Observed.To) + " UTC"
}

// proof says how much that proves: two runs of a second may be a month apart.
func (o *Observed) proof() string { return output.Proof(o.ObservedFor, o.From, o.To) }

// writeWarnings says first of all where the plan may be wrong.
func (t text) writeWarnings(p *Plan) {
	if !p.Observed.Complete {
		t.printf("WARNING: the data are incomplete: some of these functions may have been called.\n\n")
	}
	d := &p.Difference
	if n := len(d.Unobserved); n > 0 {
		t.printf("WARNING: %s of the plan left no data here, such as\n%s.\n%s\n\n", plural(n, "program"), report.Printable(d.Unobserved[0]), p.aboutUnobserved())
	}
	if n := len(d.Missing); n > 0 {
		t.printf("WARNING: the source lacks %s of the report, such as\n%s.\n"+
			"It is another revision, such as that of an older build that is still in use, or\n"+
			"was built for another system or with other --tags.\n\n", plural(n, "function"), report.Printable(d.Missing[0]))
	}
	if d.Moved > 0 {
		t.printf("WARNING: %s at another line in the source than in the\nprogram that was observed: it has changed since.\n\n",
			pluralVerb(d.Moved, "function stands", "functions stand"))
	}
	if n := len(d.Packages); n > 0 {
		t.printf("WARNING: the report has %s that this program does not import, such\nas %s.\nName the main packages of all programs that were observed.\n\n",
			plural(n, "package"), report.Printable(d.Packages[0]))
	}
}

// most is how many of a group the text has, and mostSites how many places of one.
const (
	most      = 20
	mostSites = 3
)

// rest says how many are not written.
func (t text) rest(n int, noun string) {
	if n > most {
		t.printf("%7s  and %s; --all has them\n", "", plural(n-most, noun))
	}
}

// A pile is the functions of one file.
type pile struct {
	file             string
	functions, lines int
}

// files returns the files with unreachable functions, most lines first.
func (p *Plan) files() (piles []pile) {
	at := map[string]int{}
	for i := range p.Unreachable {
		f := &p.Unreachable[i]
		n, ok := at[f.File]
		if !ok {
			n = len(piles)
			at[f.File] = n
			piles = append(piles, pile{file: f.File})
		}
		piles[n].functions++
		piles[n].lines += f.Lines
	}
	slices.SortStableFunc(piles, func(a, b pile) int { return cmp.Compare(b.lines, a.lines) })
	return piles
}

// writeUnreachable writes functions if they are few, else files.
func (t text) writeUnreachable(p *Plan) {
	if len(p.Unreachable) == 0 {
		t.printf("\nUnreachable: none\n")
		return
	}
	lines := sum(p.Unreachable, func(f *Dead) int { return f.Lines })
	t.printf("\nUnreachable: %s, %s. No path leads there from main:\ndelete them now. Tests may call them: go vet ./... says which.\n", plural(len(p.Unreachable), "function"), plural(lines, "line"))
	if len(p.Unreachable) <= most {
		for i := range p.Unreachable {
			f := &p.Unreachable[i]
			t.row(fmt.Sprintf("%7d  ", f.Lines), f.short(), f.place()+f.note())
			t.writeSites(9, f.Sites)
		}
		return
	}
	piles := p.files()
	t.printf("\n  LINES  FUNCTIONS  FILE\n")
	for _, f := range piles[:min(len(piles), most)] {
		t.printf("%7d  %9d  %s\n", f.lines, f.functions, report.Printable(f.file))
	}
	t.rest(len(piles), "file")
}

// note says of an unreachable function that the settings leave it out.
func (f *Dead) note() string {
	if f.Status == NotListed {
		return "  (not in the report)"
	}
	return ""
}

// totals returns what falls with entries.
func (p *Plan) totals() (functions, lines int) {
	for i := range p.Entries {
		functions += p.Entries[i].FallsFunctions
		lines += p.Entries[i].FallsLines
	}
	return functions, lines
}

// writeEntries writes each entry with its sites.
func (t text) writeEntries(p *Plan) {
	if len(p.Entries) == 0 {
		t.printf("\nEntries: none\n")
		return
	}
	functions, lines := p.totals()
	t.printf("\nEntries: %d, never called, where code that stays refers to them. With them\n%s and %s fall, and what falls with several.\n", len(p.Entries), plural(functions, "function"), plural(lines, "line"))
	t.printf("\n  LINES  FUNCTIONS  ENTRY\n")
	for i := range p.Entries[:min(len(p.Entries), most)] {
		e := &p.Entries[i]
		t.row(fmt.Sprintf("%7d  %9d  ", e.FallsLines, e.FallsFunctions), e.short(), e.place())
		t.writeSites(20, e.Sites)
	}
	t.rest(len(p.Entries), "entry")
}

// writeSites writes the first places that refer to a function.
func (t text) writeSites(indent int, sites []Site) {
	lead := strings.Repeat(" ", indent)
	for i := range sites[:min(len(sites), mostSites)] {
		s := &sites[i]
		t.row(lead, s.place(), s.Kind.passive()+" "+s.short()+s.note())
	}
	if n := len(sites) - mostSites; n > 0 {
		t.printf("%sand at %s\n", lead, plural(n, "place"))
	}
}

// passive says what happens to the function that a site refers to.
func (k Kind) passive() string {
	switch k {
	case Call:
		return "called in"
	case Value:
		return "a value in"
	}
	return "needed in"
}

// note says of a caller that it is not known to have run.
func (s *Site) note() string {
	if s.Status == report.Called {
		return ""
	}
	return " (" + string(s.Status) + ")"
}

func (t text) writeShared(p *Plan) {
	t.writeGroup("Falls with several entries", len(p.Shared), func(i int) (*Function, []string) {
		s := &p.Shared[i]
		return &s.Function, []string{"(" + plural(len(s.Entries), "entry") + ")"}
	})
}

func (t text) writeKept(p *Plan) {
	t.writeGroup("Must stay", len(p.MustStay), func(i int) (*Function, []string) {
		k := &p.MustStay[i]
		return &k.Function, []string{report.Printable(k.Reason) + k.where()}
	})
}

// where says where the reason stands.
func (k *Kept) where() string {
	if k.Site == nil {
		return ""
	}
	return ": " + k.Site.place()
}

// writeGroup writes n functions, each with what there is to say of it.
func (t text) writeGroup(title string, n int, at func(i int) (f *Function, notes []string)) {
	if n == 0 {
		return
	}
	lines := 0
	for i := range n {
		f, _ := at(i)
		lines += f.Lines
	}
	t.printf("\n%s: %s, %s.\n", title, plural(n, "function"), plural(lines, "line"))
	for i := range min(n, most) {
		f, notes := at(i)
		t.row(fmt.Sprintf("%7d  ", f.Lines), append([]string{f.short(), f.place()}, notes...)...)
	}
	t.rest(n, "function")
}

// place is where a site stands.
func (s *Site) place() string { return report.Printable(s.File) + ":" + strconv.Itoa(s.Line) }

// short is the caller without the path to its package, as a stack trace's reader says it.
func (s *Site) short() string { return report.Printable(shorten(s.Caller)) }

// shorten takes from a name all elements of its import path but the last.
func shorten(name string) string {
	paren := strings.IndexAny(name, "([")
	if paren < 0 {
		paren = len(name)
	}
	return name[strings.LastIndexByte(name[:paren], '/')+1:]
}

// place is where a function stands.
func (f *Function) place() string { return report.Printable(f.File) + ":" + strconv.Itoa(f.Line) }

// short is the name without the path to its package.
func (f *Function) short() string { return shorten(f.name()) }

// name is what the runtime calls a function.
func (f *Function) name() string {
	name := f.Name
	switch {
	case strings.HasPrefix(f.Receiver, "*"):
		name = "(" + f.Receiver + ")." + name
	case f.Receiver != "":
		name = f.Receiver + "." + name
	}
	return report.Printable(f.Package + "." + name)
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
