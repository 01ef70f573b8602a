// The join: from codebases with their stamps to functions with a status.

package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// join turns the gathered data into a report.
func (d *data) join() *Report {
	r := &Report{Problems: d.problems, Processes: d.processes, Unseen: d.unseen}
	builds := d.builds(r)
	programs := programs(builds)
	for _, p := range programs {
		out := p.report()
		r.Programs = append(r.Programs, out)
		if slices.ContainsFunc(p.builds, func(b *build) bool { return b.mute && b.inUse() }) {
			r.Mute = append(r.Mute, out)
		}
	}
	slices.SortStableFunc(builds, func(a, b *build) int {
		switch {
		case a.inUse() == b.inUse():
			return 0
		case a.inUse():
			return -1
		}
		return 1
	})
	for _, f := range functions(builds, d.future) {
		if f.removed {
			r.Removed = append(r.Removed, f.report())
		} else {
			r.Functions = append(r.Functions, f.report())
		}
	}
	slices.SortFunc(r.Functions, compareFunctions)
	slices.SortFunc(r.Removed, compareFunctions)
	sortProblems(r.Problems)
	return r
}

// builds returns the usable codebases that processes belong to. The one that was
// started last comes first.
func (d *data) builds(r *Report) []*build {
	var list []*build
	for _, c := range d.byFile {
		if c.err == nil && len(c.processes) == 0 {
			r.Unseen++
		}
		byKey := map[programKey]*build{}
		for i := range c.processes {
			p := &c.processes[i]
			key := c.key(p)
			b := byKey[key]
			if b == nil {
				b = &build{codebase: c, key: key, started: p.started, process: p.id, mute: true}
				byKey[key] = b
				list = append(list, b)
			}
			b.add(p)
		}
	}
	slices.SortFunc(list, latestFirst)
	return list
}

// functions joins the functions of builds, of which those in use come first. Times after
// future are of a wrong clock.
func functions(builds []*build, future int64) map[identity]*function {
	all := map[identity]*function{}
	for _, b := range builds {
		inUse, since := b.inUse(), b.program.builds[0].first
		for i := range b.entries {
			e := &b.entries[i]
			f, ok := all[e.identity()]
			if !ok {
				f = &function{entry: e, removed: true, reason: e.Reason}
				all[e.identity()] = f
			}
			// What ran since the newest build is in use is not gone, however alike
			// the two are; it may be another program that called it.
			if inUse || b.last[i] >= since && b.last[i] <= future {
				f.removed = false
			}
			if inUse && f.reason == "" {
				f.reason = e.Reason
			}
			// Nor can it be said of what a program may have called that it never was.
			f.mute = f.mute || inUse && b.mute
			f.unknown = f.unknown || b.unknown != nil && b.unknown[i]
			f.last = max(f.last, b.last[i])
		}
	}
	return all
}

// report sums up the processes of a program.
func (p *program) report() Program {
	out := Program{App: p.app, Main: p.main, File: p.file, Builds: len(p.builds)}
	hosts := map[string]bool{}
	for _, b := range p.builds {
		for i := range b.processes {
			proc := &b.processes[i]
			if b.codebase.key(proc) != p.programKey {
				continue
			}
			out.Processes += proc.count
			hosts[proc.host] = true
			// A clock that was never set must not stretch the time observed.
			if from := fromMillis(proc.first); !from.IsZero() && (out.From.IsZero() || from.Before(out.From)) {
				out.From = from
			}
			if to := fromMillis(proc.end); to.After(out.To) {
				out.To = to
			}
		}
	}
	out.Hosts = len(hosts)
	return out
}

// fromMillis is the time of a stamp, zero if it makes no sense.
func fromMillis(ms int64) time.Time {
	if !isTime(ms) {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// isTime reports whether something is a time of a call.
func isTime(ms int64) bool { return datafile.MinTime <= ms && ms <= datafile.MaxTime }

// A function is one identity while it is joined.
type function struct {
	*entry         // of the latest build that has it
	removed bool   // no build in use has it, and no older one called it since
	reason  string // why some build in use could not observe it
	last    int64  // latest stamp of all builds
	unknown bool   // a stamp of it is damaged
	mute    bool   // a build in use says nothing of its calls
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
	case f.unknown || f.mute:
		out.Status = Unknown
		out.Mute = !f.unknown
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
