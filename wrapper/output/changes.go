// What a report says of functions that stay, of those that are in no binary, and of what
// changed since an earlier report.

package output

import (
	"strconv"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// writeKept says how many functions are not among those to delete, as somebody wrote down
// why they stay.
func (t text) writeKept() {
	functions, lines := t.countUncalled(func(f *report.Function) bool { return f.Kept() })
	if functions > 0 {
		t.note("Kept: %s of %s never called, for reasons that the JSON has.", plural(functions, "function"), plural(lines, "line"))
	}
}

// writeLinkedOut says how many functions the linker left out of all binaries.
func (t text) writeLinkedOut() {
	if len(t.Binaries) > 0 {
		functions, lines := t.countUncalled(func(f *report.Function) bool { return f.LinkedOut && !f.Kept() })
		t.note("Not in the binary: %s of %s among them. The linker left them out.", plural(functions, "function"), plural(lines, "line"))
	}
}

// countUncalled counts functions that were never called, and their lines.
func (t text) countUncalled(wanted func(f *report.Function) bool) (functions, lines int) {
	var counter lineCounter
	for i := range t.Functions {
		if f := &t.Functions[i]; f.Status == report.NeverCalled && wanted(f) {
			functions++
			lines += counter.add(f)
		}
	}
	return functions, lines
}

// mostChanges is how many changed functions the text lists.
const mostChanges = 20

// writeBaseline says what changed since an earlier report. It lists what is newly dead: of
// all else the numbers will do, and the JSON has the names.
func (t text) writeBaseline() {
	b := t.Baseline
	if b == nil {
		return
	}
	t.printf("\nSince %s", report.Printable(b.File))
	if !b.To.IsZero() {
		t.printf(" (up to %s UTC)", minute(b.To))
	}
	dead := 0
	for i := range b.New {
		if b.New[i].Is == report.NeverCalled {
			dead++
		}
	}
	t.printf(":\n%9d  newly dead: never called now, and called or absent then\n%9d  came alive: called now, and never called then\n"+
		"%9d  new, %d of them never called\n%9d  gone\n", len(b.NewlyDead), len(b.CameAlive), len(b.New), dead, len(b.Gone))
	if len(b.NewlyDead) > 0 {
		t.print("\n")
	}
	for i := range b.NewlyDead {
		c := &b.NewlyDead[i]
		if i == mostChanges {
			t.printf("and %d more, which the JSON has\n", len(b.NewlyDead)-mostChanges)
			break
		}
		was := "new"
		if c.Was != "" {
			was = "was " + string(c.Was)
		}
		f := report.Function{File: c.File, Line: c.Line, Receiver: c.Receiver, Name: c.Name, Module: c.Module}
		t.printf("%s: newly dead: %s, %s%s\n", place(&f), report.Printable(fullName(&f)), was, t.inModule(&f))
	}
}

// keepRules writes what says which functions to keep, if there is anything.
func (w *jsonWriter) keepRules(rules []report.KeepRule) {
	if len(rules) == 0 {
		return
	}
	_, _ = w.WriteString(",\n\"keep\":[")
	for i := range rules {
		w.element(i, &rules[i])
	}
	w.end(len(rules))
}

// baseline writes what changed since an earlier report, if there is one: one function to a
// line.
func (w *jsonWriter) baseline(b *report.Baseline) {
	if b == nil {
		return
	}
	_, _ = w.WriteString(",\n\"baseline\":{\"file\":")
	w.value(b.File)
	if !b.From.IsZero() {
		_, _ = w.WriteString(`,"from":`)
		w.value(b.From)
	}
	if !b.To.IsZero() {
		_, _ = w.WriteString(`,"to":`)
		w.value(b.To)
	}
	_, _ = w.WriteString(`,"complete":` + strconv.FormatBool(b.Complete))
	for _, list := range []struct {
		name    string
		changes []report.Change
	}{{"newlyDead", b.NewlyDead}, {"cameAlive", b.CameAlive}, {"new", b.New}, {"gone", b.Gone}} {
		_, _ = w.WriteString(",\n\"" + list.name + "\":[")
		for i := range list.changes {
			w.element(i, &list.changes[i])
		}
		w.end(len(list.changes))
	}
	_ = w.WriteByte('}')
}
