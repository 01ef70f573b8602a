// Package plan says what of a program can be deleted, and in which order. It joins what
// processes called (wrapper/report) with the calls that stand in the source.
//
// # The groups
//
// Unreachable are the functions that no path from main or an initialiser leads to. They
// are what golang.org/x/tools/cmd/deadcode prints for the same packages and tags, without
// those that ran, that may have run unseen, or that assembly or a directive names, and
// without what these refer to.
//
// The others that were never called, and that a path leads to, are in one of three groups:
//
//   - an entry is referred to by code that is not a part of the plan: a branch not taken;
//   - what falls is referred to only by entries, or by what falls itself;
//   - what must stay is a method that an interface or a type parameter needs, is named by
//     assembly or a directive, is reached through reflection alone, or is referred to by
//     what must stay.
//
// A function that ran is in no group, nor is one that is not observable or unknown. Unknown is
// also what a program that left no data may call, if others of the plan left some.
//
// # Names
//
// A function of the source is one of the report if package, base type of the receiver and
// name agree; each is as the source has it. A literal belongs to the function that
// contains it: if the report has literals of their own, and one was called, its function
// counts as called.
//
// It may import wrapper/report, which has the evidence, wrapper/output, which breaks lines and
// words what the evidence proves as the report does, and rewrite, which names receivers in the
// entries that the report lists. The static side is that of deadcode:
// go/packages, go/ssa and go/callgraph/rta of golang.org/x/tools.
package plan

import (
	"cmp"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// SchemaVersion is that of the JSON output.
const SchemaVersion = 1

// NotListed is the status of a function that the report does not have: the settings leave
// it out, or the program was built from another source.
const NotListed report.Status = "not-listed"

// Options say which program is planned.
type Options struct {
	Patterns []string // of packages, as for go build
	Tags     string   // separated by commas
	Dir      string   // "" is the working directory
}

// A Function is one function or method of the source.
type Function struct {
	Package  string        `json:"package"`            // import path
	Receiver string        `json:"receiver,omitempty"` // `Server` or `*Server`
	Name     string        `json:"name"`
	File     string        `json:"file"` // relative to the working directory if it is below
	Line     int           `json:"line"`
	Lines    int           `json:"lines"`
	Status   report.Status `json:"status"`
	Presumed string        `json:"presumed,omitempty"` // by which evidence it is called
	column   int           // of the name
}

// A Site is a place in the source that refers to a function.
type Site struct {
	File   string        `json:"file"`
	Line   int           `json:"line"`
	Kind   Kind          `json:"kind"`
	Caller string        `json:"caller"` // the function there, or the package that is initialised
	Status report.Status `json:"status"` // of the caller
}

// A Dead function is one that no path leads to. Code may name it all the same: a literal
// that nothing calls, or a case for a type that no value has. That has to go with it.
type Dead struct {
	Function
	Sites []Site `json:"sites,omitempty"`
}

// An Entry is never called, and code that stays refers to it.
type Entry struct {
	Function
	Sites          []Site     `json:"sites"`
	Falls          []Function `json:"falls"`          // with this entry alone
	FallsFunctions int        `json:"fallsFunctions"` // the entry and what falls with it
	FallsLines     int        `json:"fallsLines"`
}

// A Shared function falls when several entries are gone.
type Shared struct {
	Function
	Entries []string `json:"entries"`
}

// A Kept function is never called, and must stay.
type Kept struct {
	Function
	Reason string `json:"reason"`
	Site   *Site  `json:"site,omitempty"` // where the reason stands
}

// A Difference is what the source and the report do not agree in.
type Difference struct {
	Missing    []string `json:"missing"`    // functions of the report that the source lacks
	Moved      int      `json:"moved"`      // functions that stand at another line
	Packages   []string `json:"packages"`   // of the report that the program does not import
	Unobserved []string `json:"unobserved"` // main packages of programs that left no data
}

// Observed is what the evidence rests on.
type Observed struct {
	Complete    bool      `json:"complete"`
	Processes   int       `json:"processes"`
	From        time.Time `json:"from,omitzero"`
	To          time.Time `json:"to,omitzero"`
	ObservedFor int64     `json:"observedFor"` // seconds in which a process ran
}

// A Plan says what can be deleted.
type Plan struct {
	SchemaVersion int        `json:"schemaVersion"`
	Programs      []string   `json:"programs"` // their main packages
	GOOS          string     `json:"goos"`
	GOARCH        string     `json:"goarch"`
	Tags          string     `json:"tags"`
	Observed      Observed   `json:"observed"`
	Difference    Difference `json:"difference"`
	Unreachable   []Dead     `json:"unreachable"` // by package and place, as deadcode has them
	Entries       []Entry    `json:"entries"`     // by lines that fall, most first
	Shared        []Shared   `json:"shared"`      // likewise
	MustStay      []Kept     `json:"mustStay"`    // likewise

	program *program
}

// Make loads the program and joins it with the evidence.
func Make(opts Options, r *report.Report) (*Plan, error) {
	dir, err := filepath.Abs(opts.Dir)
	if err != nil {
		return nil, err
	}
	p, err := load(opts, dir)
	if err != nil {
		return nil, err
	}
	p.observe(r)
	difference := p.difference(r)
	p.spare(difference.Unobserved)
	p.refer()
	p.convert()
	p.pin()
	p.group()
	return p.plan(opts, r, difference), nil
}

// plan writes down what the functions were found to be.
func (p *program) plan(opts Options, r *report.Report, difference Difference) *Plan {
	out := &Plan{
		SchemaVersion: SchemaVersion, Programs: p.mains, Tags: opts.Tags,
		GOOS: cmp.Or(os.Getenv("GOOS"), runtime.GOOS), GOARCH: cmp.Or(os.Getenv("GOARCH"), runtime.GOARCH),
		Observed: observed(r), Difference: difference,
		Unreachable: []Dead{}, Entries: []Entry{}, Shared: []Shared{}, MustStay: []Kept{}, program: p,
	}
	falls := map[*decl][]*decl{}
	for _, d := range p.decls {
		if d.group == falling && len(d.owners) == 1 {
			falls[d.owners[0]] = append(falls[d.owners[0]], d)
		}
	}
	for _, d := range p.decls {
		switch {
		case d.group == unreachable:
			out.Unreachable = append(out.Unreachable, p.deadOf(d))
		case d.group == entry:
			out.Entries = append(out.Entries, p.entry(d, falls[d]))
		case d.group == falling && len(d.owners) > 1:
			s := Shared{Function: p.function(d)}
			for _, e := range d.owners {
				s.Entries = append(s.Entries, e.String())
			}
			slices.Sort(s.Entries)
			out.Shared = append(out.Shared, s)
		case d.group == kept:
			out.MustStay = append(out.MustStay, p.kept(d))
		}
	}
	slices.SortFunc(out.Unreachable, func(a, b Dead) int { return compare(a.Function, b.Function) })
	slices.SortFunc(out.Entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(b.FallsLines, a.FallsLines), compare(a.Function, b.Function))
	})
	slices.SortFunc(out.Shared, func(a, b Shared) int {
		return cmp.Or(cmp.Compare(b.Lines, a.Lines), compare(a.Function, b.Function))
	})
	slices.SortFunc(out.MustStay, func(a, b Kept) int {
		return cmp.Or(cmp.Compare(b.Lines, a.Lines), compare(a.Function, b.Function))
	})
	return out
}

// compare orders as deadcode does; names decide where //line directives put several
// functions on one line.
func compare(a, b Function) int {
	return cmp.Or(strings.Compare(a.Package, b.Package), strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
		strings.Compare(a.Receiver, b.Receiver), strings.Compare(a.Name, b.Name))
}

func (p *program) function(d *decl) Function {
	pos := p.position(d.syntax.Name.Pos())
	return Function{
		Package: d.id.pkg, Receiver: d.star + d.id.base, Name: d.id.name,
		File: pos.Filename, Line: pos.Line, Lines: d.lines, Status: d.status, Presumed: d.presumed, column: pos.Column,
	}
}

func (p *program) site(r *ref) Site {
	pos := p.position(r.pos)
	return Site{File: pos.Filename, Line: pos.Line, Kind: r.kind, Caller: r.from.String(), Status: r.from.status}
}

func (p *program) deadOf(d *decl) Dead {
	out := Dead{Function: p.function(d)}
	for _, r := range d.refs {
		if r.from.group != unreachable && (r.kind.refers() || r.kind.needs()) {
			out.Sites = append(out.Sites, p.site(r))
		}
	}
	return out
}

func (p *program) entry(d *decl, falls []*decl) Entry {
	e := Entry{Function: p.function(d), Sites: []Site{}, Falls: []Function{}, FallsFunctions: 1, FallsLines: d.lines}
	for _, r := range d.refs {
		// One line may refer to it several times.
		if s := p.site(r); r.kind.refers() && r.from.stays() && r.from != d && !slices.Contains(e.Sites, s) {
			e.Sites = append(e.Sites, s)
		}
	}
	// Code that ran shows best which branch was not taken.
	slices.SortStableFunc(e.Sites, func(a, b Site) int {
		return cmp.Compare(rank(a.Status), rank(b.Status))
	})
	for _, f := range falls {
		e.Falls = append(e.Falls, p.function(f))
		e.FallsFunctions++
		e.FallsLines += f.lines
	}
	slices.SortFunc(e.Falls, compare)
	return e
}

func rank(s report.Status) int {
	if s == report.Called {
		return 0
	}
	return 1
}

func (p *program) kept(d *decl) Kept {
	k := Kept{Function: p.function(d), Reason: d.reason}
	if d.because != nil {
		s := p.site(d.because)
		k.Site = &s
	}
	return k
}

// aboutUnobserved says what becomes of what the programs without data may call.
func (p *Plan) aboutUnobserved() string {
	if len(p.Difference.Unobserved) == len(p.Programs) {
		return "What was never called elsewhere is here all the same."
	}
	if len(p.Difference.Unobserved) == 1 {
		return "What it may call is in no group until it leaves some."
	}
	return "What they may call is in no group until they leave some."
}

func observed(r *report.Report) Observed {
	o := Observed{Complete: r.Complete(), ObservedFor: r.Observed.ObservedFor}
	for _, p := range r.Programs {
		o.Processes += p.Processes
		if !p.From.IsZero() && (o.From.IsZero() || p.From.Before(o.From)) {
			o.From = p.From
		}
		if p.To.After(o.To) {
			o.To = p.To
		}
	}
	return o
}
