// The plan as Markdown, for the summary of a CI step.

package plan

import (
	"io"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// WriteMarkdown writes the groups as a table, and the entries; the first few of them, or
// all.
func (p *Plan) WriteMarkdown(w io.Writer, all bool) error {
	t := newText(w)
	t.printf("## What can be deleted\n\n%s %s, observed in %s %s.\n\n", code(p.title()), p.platform(), plural(p.Observed.Processes, "process"), p.period())
	if p.Observed.Processes > 0 {
		t.printf("**%s**\n\n", p.Observed.proof())
	}
	if d := &p.Difference; len(d.Missing)+d.Moved+len(d.Packages) > 0 {
		t.printf("> [!WARNING]\n> The source is not that of the program: %s missing, %d at another line, %s not imported.\n\n",
			plural(len(d.Missing), "function"), d.Moved, plural(len(d.Packages), "package"))
	}
	if n := len(p.Difference.Unobserved); n > 0 {
		t.printf("> [!WARNING]\n> %s left no data here, such as %s. %s\n\n",
			plural(n, "program"), code(p.Difference.Unobserved[0]), p.aboutUnobserved())
	}
	if !p.Observed.Complete {
		t.printf("> [!WARNING]\n> The data are incomplete: some of these functions may have been called.\n\n")
	}
	functions, lines := p.totals()
	t.printf("| group | functions | lines | |\n| --- | ---: | ---: | --- |\n")
	t.printf("| unreachable | %d | %d | no path leads there from main: delete them now; `go vet ./...` says which of them tests call |\n", len(p.Unreachable), sum(p.Unreachable, func(f *Dead) int { return f.Lines }))
	t.printf("| entries and what falls with them | %d | %d | %s: the branches that were not taken |\n", functions, lines, plural(len(p.Entries), "entry"))
	t.printf("| falls with several entries | %d | %d | |\n", len(p.Shared), sum(p.Shared, func(f *Shared) int { return f.Lines }))
	t.printf("| must stay | %d | %d | an interface, a directive or reflection needs them |\n", len(p.MustStay), sum(p.MustStay, func(f *Kept) int { return f.Lines }))
	t.writeMarkdownEntries(p, all)
	return t.Flush()
}

func (t text) writeMarkdownEntries(p *Plan, all bool) {
	if len(p.Entries) == 0 {
		return
	}
	n := len(p.Entries)
	if !all {
		n = min(n, most)
	}
	t.printf("\n| lines | functions | entry | place | from |\n| ---: | ---: | --- | --- | --- |\n")
	for i := range p.Entries[:n] {
		e := &p.Entries[i]
		from := ""
		if len(e.Sites) > 0 {
			from = code(e.Sites[0].place()) + " " + e.Sites[0].note()
		}
		t.printf("| %d | %d | %s | %s | %s |\n", e.FallsLines, e.FallsFunctions, code(e.short()), code(e.place()), strings.TrimSpace(from))
	}
	if rest := len(p.Entries) - n; rest > 0 {
		t.printf("\nand %s.\n", plural(rest, "entry"))
	}
}

// sum adds up what is counted of each element.
func sum[T any](list []T, count func(*T) int) (n int) {
	for i := range list {
		n += count(&list[i])
	}
	return n
}

// code is a name in Markdown, in which nothing of it has a meaning.
func code(s string) string {
	s = report.Printable(s)
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if len(fence) > 1 {
		s = " " + s + " "
	}
	return fence + strings.ReplaceAll(s, "|", `\|`) + fence
}
