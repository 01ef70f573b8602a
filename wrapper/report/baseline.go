// Baselines: what changed since an earlier report.

package report

import (
	"fmt"
	"os"
	"slices"
	"time"
)

// SchemaVersion is that of the JSON of a report. It is raised when a field gets another
// meaning or goes away, and not by new fields.
const SchemaVersion = 1

// A Baseline is an earlier report, and what is different now. A function is the same one
// if its package, the base type of its receiver and its name are the same. Where one of the
// two reports has several of these, their module decides.
type Baseline struct {
	File      string
	From, To  time.Time // of its header, zero if unknown
	Complete  bool
	NewlyDead []Change // deletable now, and not never called then
	CameAlive []Change // called now, and never called then
	New       []Change // not there then
	Gone      []Change // not here now
	Notes     []string // why the two reports compare badly
}

// A Change is a function that is different in two reports. File and Line are those of the
// newer report that has it.
type Change struct {
	Package  string `json:"package"`
	Receiver string `json:"receiver,omitempty"`
	Name     string `json:"name"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Lines    int    `json:"lines,omitempty"`
	Module   string `json:"module,omitempty"`
	Was      Status `json:"was,omitempty"` // "" if it was not there
	Is       Status `json:"is,omitempty"`  // "" if it is gone
}

// Compare notes what changed since the report in a file, which --format=json wrote.
func (r *Report) Compare(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	old, err := readOld(f)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	r.compare(file, old)
	return nil
}

// compare compares with an earlier report.
func (r *Report) compare(file string, old *oldReport) {
	b := &Baseline{
		File: file, From: old.Header.From, To: old.Header.To, Complete: old.Complete,
	}
	r.Baseline = b
	if !old.Complete {
		b.Notes = append(b.Notes, file+": the earlier report rests on incomplete data: what was called may be never called in it")
	}
	if was, is := old.Header.Filter.String(), r.Filter.String(); was != is {
		b.Notes = append(b.Notes, fmt.Sprintf("%s: the earlier report is about %s, and this one about %s", file, orEverything(was), orEverything(is)))
	}
	if !sameSelection(&old.Header.Selection, &r.Selection) {
		b.Notes = append(b.Notes, file+": the earlier report lists other functions, by --packages, --status or the like: what it leaves out counts as new")
	}
	then := byIdentity(old.Functions)
	now := byIdentity(r.Functions, r.Others)
	for i := range r.Functions {
		f := &r.Functions[i]
		c := changeOf(f)
		c.Is = f.Status
		was := then.find(f, len(now[f.identity()]) > 1)
		if was == nil {
			b.New = append(b.New, c)
		} else {
			c.Was = was.Status
		}
		switch {
		case f.Deletable() && c.Was != NeverCalled:
			b.NewlyDead = append(b.NewlyDead, c)
		case f.Status == Called && c.Was == NeverCalled:
			b.CameAlive = append(b.CameAlive, c)
		}
	}
	for i := range old.Functions {
		f := &old.Functions[i]
		if r.Selection.selects(f) && now.find(f, len(then[f.identity()]) > 1) == nil {
			c := changeOf(f)
			c.Was = f.Status
			b.Gone = append(b.Gone, c)
		}
	}
}

func orEverything(filter string) string {
	if filter == "" {
		return "all processes"
	}
	return filter
}

func changeOf(f *Function) Change {
	return Change{Package: f.Package, Receiver: f.Receiver, Name: f.Name, File: f.File, Line: f.Line, Lines: f.Lines, Module: f.Module}
}

func (f *Function) identity() identity {
	e := entry{Package: f.Package, Receiver: f.Receiver, Name: f.Name}
	return e.identity()
}

// An identityTable has the functions of a report.
type identityTable map[identity][]*Function

func byIdentity(lists ...[]Function) identityTable {
	t := identityTable{}
	for _, functions := range lists {
		for i := range functions {
			f := &functions[i]
			t[f.identity()] = append(t[f.identity()], f)
		}
	}
	return t
}

// sameSelection compares what the JSON says of selections. Times since which functions were
// not called are mostly different.
func sameSelection(a, b *Selection) bool {
	return slices.Equal(a.Packages, b.Packages) && slices.Equal(a.Statuses, b.Statuses) && a.ObservedFor == b.ObservedFor &&
		a.NotCalledSince.IsZero() == b.NotCalledSince.IsZero() && sameChoice(a.Exported, b.Exported) && sameChoice(a.Generated, b.Generated)
}

func sameChoice(a, b *bool) bool { return a == b || a != nil && b != nil && *a == *b }

// find returns the function that is the same as f, nil if there is none. shared says that
// the report of f has several of that name.
func (t identityTable) find(f *Function, shared bool) *Function {
	same := t[f.identity()]
	if len(same) == 1 && !shared {
		return same[0]
	}
	for _, g := range same {
		if g.Module == f.Module {
			return g
		}
	}
	return nil
}
