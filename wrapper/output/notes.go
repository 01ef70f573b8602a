// Notes: what a text does not show, and what it rests on.

package output

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// note writes a paragraph with an empty line before it.
func (t text) note(format string, args ...any) {
	t.print("\n")
	t.paragraph(format, args...)
}

// damaged returns how many functions have a damaged time.
func (t text) damaged() (n int) {
	for i := range t.Functions {
		if isDamaged(&t.Functions[i]) {
			n++
		}
	}
	return n
}

func isDamaged(f *report.Function) bool { return f.Status == report.Unknown && !f.Mute }

// writeDamaged says how many that are.
func (t text) writeDamaged(n int) {
	t.note("Unknown: %s whose time is damaged: they may have been called", plural(n, "function"))
}

// writeNotes says what the list above does not show, and how far to trust it.
func (t text) writeNotes() {
	if n := t.count(t.Functions).hidden; n > 0 {
		t.note("Not observable: %s (%s). Whether they are called cannot be seen.", plural(n, "function"), t.reasons())
	}
	if text := presumed(t.Report, report.Printable); text != "" {
		t.note("%s", text)
	}
	if n := len(t.Removed); n > 0 {
		t.note("Left out: %s of older builds, which the newest one does not have.", plural(n, "function"))
	}
	if t.Unseen > 0 {
		t.note("Left out: the functions of %s without a process whose calls could be read.", plural(t.Unseen, "build"))
	}
	files := map[string]bool{}
	for _, p := range t.Problems {
		if !p.Kind.OfProcesses() {
			files[p.File] = true
		}
	}
	if n := len(files); n > 0 {
		t.note("WARNING: %s not count in full, see the error messages. A function whose calls stand "+
			"in no other file is reported as never called, or not at all.", pluralVerb(n, "data file does", "data files do"))
	}
	if n := t.Processes.Lossy; n > 0 {
		its := "its"
		if n > 1 {
			its = "their"
		}
		t.note("WARNING: %s ended, so functions first called in %s last second, and later calls of %s last "+
			"minute, may be missing. A function first called in that second is reported as never called.",
			pluralVerb(n, "process was killed, or did not say how it", "processes were killed, or did not say how they"), its, its)
	}
	if n := t.Processes.KeptOnceASecond; n > 0 {
		t.note("Calls of %s were kept once a second, later ones of a function once a minute: "+
			"if one is killed, first calls of its last second and later calls of its last minute are lost.", plural(n, "process"))
	}
}

// writeMute says first of all that there are programs which nothing is known of.
func (t text) writeMute() {
	for i := range t.Mute {
		t.paragraph("WARNING: nothing is known of what %s calls in one of its builds: all processes of it "+
			"ended within a second of their start, and wrote nothing of what they had called. Its "+
			"functions are unknown rather than never called.\n", report.Printable(ProgramTitle(&t.Mute[i])))
	}
}

// reasons lists why functions are not observable, the commonest reason first.
func (t text) reasons() string {
	counts := map[string]int{}
	for i := range t.Functions {
		if f := &t.Functions[i]; f.Status == report.NotObservable {
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
func (t text) writePrograms() {
	if len(t.Programs) == 0 {
		return
	}
	o := &t.Observed
	t.note("Observed: %s, %s, in which at least one of them ran for %s\n",
		plural(o.Processes, "process"), period(o.From, o.To), seconds(o.ObservedFor))
	t.print("PROCESSES  HOSTS  BUILDS  FROM (UTC)        TO (UTC)          PROGRAM\n")
	for i := range t.Programs {
		p := &t.Programs[i]
		t.printf("%9d  %5d  %6d  %-16s  %-16s  %s\n",
			p.Processes, p.Hosts, len(p.Builds), minute(p.From), minute(p.To), report.Printable(ProgramTitle(p)))
	}
	t.writeEnvironments()
	t.writeNamesakes()
}

// writeEnvironments says that a call in one of several environments makes a function
// called.
func (t text) writeEnvironments() {
	names := t.Observed.Environments
	if len(names) < 2 {
		return
	}
	some := 0
	for i := range t.Functions {
		if f := &t.Functions[i]; f.Status == report.Called && len(f.CalledIn) < f.Environments {
			some++
		}
	}
	t.note("%d environments: %s", len(names), report.Printable(strings.Join(names, ", ")))
	t.paragraph("A function counts as called if it was called in any of them. %s called "+
		"in some only. --environment=NAME reports on one alone.", pluralVerb(some, "was", "were"))
}

// writeNamesakes says why a name may stand in several lines.
func (t text) writeNamesakes() {
	for rest := t.Programs; len(rest) > 0; {
		n := 1
		for n < len(rest) && ProgramTitle(&rest[n]) == ProgramTitle(&rest[0]) {
			n++
		}
		if n > 1 {
			t.note("%d programs are called %s: they have too few functions in common to be "+
				"versions of one, so what each has is listed. If they are versions, report from a "+
				"directory without the files of the older ones.", n, report.Printable(ProgramTitle(&rest[0])))
		}
		rest = rest[n:]
	}
}

// ProgramTitle names a program by what is known of it.
func ProgramTitle(p *report.Program) string {
	main := cmp.Or(p.File, p.Main)
	switch {
	case main == "":
		return cmp.Or(p.App, "(no name)")
	case p.App == "":
		return main
	}
	return p.App + " (" + main + ")"
}
