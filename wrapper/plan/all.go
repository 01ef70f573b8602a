// The whole plan, a line for each function, as editors and problem matchers read it.

package plan

import (
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// WriteAll writes a line for each function of the plan and for each place that refers to
// an entry: file:line: message. What falls with an entry alone follows it.
func (p *Plan) WriteAll(w io.Writer) error {
	t := newText(w)
	t.writeWarnings(p)
	for i := range p.Unreachable {
		f := &p.Unreachable[i]
		t.message(&f.Function, "unreachable"+strings.TrimPrefix(f.note(), " "))
		for j := range f.Sites {
			t.site(&f.Sites[j], &f.Function)
		}
	}
	for i := range p.Entries {
		e := &p.Entries[i]
		t.message(&e.Function, "never called; with it "+plural(e.FallsFunctions, "function")+" and "+plural(e.FallsLines, "line")+" fall")
		for j := range e.Sites {
			t.site(&e.Sites[j], &e.Function)
		}
		for j := range e.Falls {
			t.message(&e.Falls[j], "falls with "+e.short())
		}
	}
	for i := range p.Shared {
		s := &p.Shared[i]
		var entries []string
		for _, name := range s.Entries {
			entries = append(entries, report.Printable(shorten(name)))
		}
		t.message(&s.Function, "falls with "+strings.Join(slices.Compact(entries), ", "))
	}
	for i := range p.MustStay {
		k := &p.MustStay[i]
		t.message(&k.Function, "never called, must stay: "+report.Printable(k.Reason)+k.where())
	}
	return t.Flush()
}

// message writes what the plan says of a function.
func (t text) message(f *Function, what string) {
	t.printf("%s: %s: %s\n", f.place(), f.short(), what)
}

// site writes which function a place refers to.
func (t text) site(s *Site, f *Function) {
	t.printf("%s: %s %s %s%s\n", report.Printable(s.File)+":"+strconv.Itoa(s.Line), s.short(), s.Kind.verb(), f.short(), s.note())
}
