// The join: from codebases with their stamps to functions with a status.

package report

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// A build is a codebase as one program used it. Programs share a codebase only
// if neither has a main package of its own in it.
type build struct {
	*codebase
	program programKey
	started int64  // last start of one of its processes
	process string // that process, to break ties the same way every time
	current bool   // no build of the program was started later
}

// A programKey tells programs apart; see the package comment.
type programKey struct{ app, main string }

// join turns the gathered data into a report.
func (d *data) join() *Report {
	r := &Report{Problems: d.problems}
	builds := d.builds(r)
	r.Programs = programs(builds)

	functions := map[identity]*function{}
	for _, b := range builds { // current ones first, and the latest start first
		for i := range b.entries {
			e := &b.entries[i]
			f, ok := functions[e.identity()]
			if !ok {
				f = &function{entry: e, removed: !b.current, reason: e.Reason}
				functions[e.identity()] = f
			}
			if b.current && f.reason == "" {
				f.reason = e.Reason
			}
			f.last = max(f.last, b.last[i])
		}
	}
	for _, f := range functions {
		if f.removed {
			r.Removed = append(r.Removed, f.report())
		} else {
			r.Functions = append(r.Functions, f.report())
		}
	}
	slices.SortFunc(r.Functions, compareFunctions)
	slices.SortFunc(r.Removed, compareFunctions)
	slices.SortFunc(r.Problems, func(a, b Problem) int { return strings.Compare(a.File, b.File) })
	return r
}

// builds returns the usable codebases that processes belong to: the current
// build of each program, then the others, each part by last start, latest first.
func (d *data) builds(r *Report) []build {
	var list []build
	for _, c := range d.codebases {
		if c.err == nil && len(c.processes) == 0 {
			r.Unseen++
		}
		byProgram := map[programKey]build{}
		for _, p := range c.processes {
			key := programKey{p.app, c.main}
			b, ok := byProgram[key]
			if !ok {
				b = build{codebase: c, program: key, started: p.started, process: p.id}
			} else if p.started > b.started || p.started == b.started && p.id > b.process {
				b.started, b.process = p.started, p.id
			}
			byProgram[key] = b
		}
		for _, b := range byProgram {
			list = append(list, b)
		}
	}
	slices.SortFunc(list, func(a, b build) int {
		return cmp.Or(cmp.Compare(b.started, a.started), cmp.Compare(b.process, a.process))
	})
	var current, older []build
	seen := map[programKey]bool{}
	for _, b := range list {
		if seen[b.program] {
			older = append(older, b)
			continue
		}
		seen[b.program] = true
		b.current = true
		current = append(current, b)
	}
	return append(current, older...)
}

// programs sums up the processes by program.
func programs(builds []build) []Program {
	byKey := map[programKey]*Program{}
	hosts := map[programKey]map[string]bool{}
	for _, b := range builds {
		p := byKey[b.program]
		if p == nil {
			p = &Program{App: b.program.app, Main: b.program.main}
			byKey[b.program] = p
			hosts[b.program] = map[string]bool{}
		}
		p.Builds++
		for _, proc := range b.processes {
			if proc.app != b.program.app {
				continue
			}
			p.Processes++
			hosts[b.program][proc.host] = true
			// A clock that was never set must not stretch the time observed.
			if from := fromMillis(proc.started); !from.IsZero() && (p.From.IsZero() || from.Before(p.From)) {
				p.From = from
			}
			if to := fromMillis(proc.end); to.After(p.To) {
				p.To = to
			}
		}
	}
	var list []Program
	for key, p := range byKey {
		p.Hosts = len(hosts[key])
		list = append(list, *p)
	}
	slices.SortFunc(list, func(a, b Program) int {
		return cmp.Or(cmp.Compare(a.App, b.App), cmp.Compare(a.Main, b.Main))
	})
	return list
}

// fromMillis is the time of a stamp, zero if it makes no sense.
func fromMillis(ms int64) time.Time {
	if ms < 0 || !isTime(uint64(ms)) {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// A function is one identity while it is joined.
type function struct {
	*entry         // of the latest build that has it
	removed bool   // no current build has it
	reason  string // why some current build could not observe it
	last    int64  // latest stamp of all builds
}

func (f *function) report() Function {
	out := Function{
		Package: f.Package, Receiver: f.Receiver, Name: f.Name,
		Signature: f.Signature, File: f.File, Line: f.Line, Reason: f.reason,
	}
	switch {
	case f.last != 0:
		out.Status = Called
		out.LastCalledAt = fromMillis(f.last)
	case f.reason != "":
		out.Status = NotObservable
	default:
		out.Status = NeverCalled
	}
	return out
}

// compareFunctions orders by place in the source. Receiver and name decide for
// generated code whose //line directives put several functions on one line.
func compareFunctions(a, b Function) int {
	return cmp.Or(
		strings.Compare(a.Package, b.Package),
		strings.Compare(a.File, b.File),
		cmp.Compare(a.Line, b.Line),
		strings.Compare(a.Receiver, b.Receiver),
		strings.Compare(a.Name, b.Name),
	)
}
