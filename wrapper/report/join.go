// The join: from codebases with their stamps to functions with a status.

package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// join turns the gathered data into a report.
func (d *data) join() *Report {
	r := &Report{Problems: d.problems, Processes: d.processes, Unseen: d.unseenBuilds(), Filter: d.filter}
	builds := d.builds()
	programs := programs(builds)
	r.Observed = observedOf(builds)
	for _, p := range programs {
		out := p.report()
		r.Programs = append(r.Programs, out)
		r.Observed.Builds += len(out.Builds)
		if slices.ContainsFunc(p.builds, func(b *build) bool { return b.mute && b.mayRun() }) {
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
	r.addFunctions(functions(builds, d.future, r.Observed.Environments), builds)
	sortProblems(r.Problems)
	r.keepDirectives(time.UnixMilli(d.began))
	return r
}

// addFunctions adds functions in their order. A Function is large, so each is put where it
// stays.
func (r *Report) addFunctions(list []*function, builds []*build) {
	slices.SortFunc(list, compareFunctions)
	removed := 0
	for _, f := range list {
		if f.removed {
			removed++
		}
	}
	r.Functions, r.Removed = slices.Grow(r.Functions, len(list)-removed), slices.Grow(r.Removed, removed)
	witnesses := newSetTable(func(set numberSet) witnessed { return witnessesOf(builds, set) })
	calledIn := newSetTable(func(set numberSet) []string { return set.names(r.Observed.Environments) })
	for _, f := range list {
		out := f.report()
		seen := witnesses.of(f.seenIn)
		out.Evidence, out.observedTo, out.CalledIn = seen.Evidence, seen.to, calledIn.of(f.calledIn)
		if f.removed {
			r.Removed = append(r.Removed, out)
		} else {
			r.Functions = append(r.Functions, out)
		}
	}
}

// unseenBuilds returns how many codebases no process belongs to, of this directory or
// another.
func (d *data) unseenBuilds() int {
	seen, unseen := map[string]bool{}, map[string]bool{}
	for i := range d.others {
		seen[d.others[i].Fingerprint] = true // it is not selected
	}
	names := slices.Clone(d.unseen)
	for _, c := range d.byFile {
		fingerprint, _ := datafile.CodebaseFingerprint(c.file)
		seen[fingerprint] = seen[fingerprint] || len(c.processes) > 0
		if c.err == nil && len(c.processes) == 0 {
			names = append(names, c.file)
		}
	}
	for _, name := range names {
		if fingerprint, _ := datafile.CodebaseFingerprint(name); !seen[fingerprint] {
			unseen[name] = true
		}
	}
	return len(unseen)
}

// builds returns the usable codebases that processes belong to, the newest first.
func (d *data) builds() []*build {
	var list []*build
	for _, c := range d.byFile {
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
func functions(builds []*build, future int64, environments []string) (list []*function) {
	var all map[identity]*function
	var blind []blindBuild
	for n, b := range builds {
		if all == nil {
			all, list = make(map[identity]*function, len(b.entries)), make([]*function, 0, len(b.entries))
		}
		inUse, mayRun, since := b.inUse(), b.mayRun(), b.program.builds[0].first
		seen, literals := newBlindBuild(b), b.literals()
		for i := range b.entries {
			e := &b.entries[i]
			f, ok := all[e.identity()]
			if !ok {
				f = &function{entry: e, module: b.moduleOf(e), removed: true, reason: e.Reason, literals: literals[e.around()]}
				all[e.identity()] = f
				list = append(list, f)
			}
			seen.add(f)
			// What ran since the newest build is in use is not gone, however alike
			// the two are; it may be another program that called it.
			if inUse || b.last[i] >= since && b.last[i] <= future {
				f.removed = false
			}
			if mayRun && f.reason == "" {
				f.reason = e.Reason
			}
			// Nor can it be said of what a program may have called that it never was.
			f.mute = f.mute || mayRun && b.mute
			f.unknown = f.unknown || b.unknown != nil && b.unknown[i]
			f.last = max(f.last, b.last[i])
			if e.Reason == "" && e.Presumed == 0 && f.literals == literals[e.around()] {
				f.seenIn.add(n)
			}
			if e.Presumed > f.presumed {
				f.presumed, f.evidence = e.Presumed, e.Evidence
			}
			f.unmarked = f.unmarked || mayRun && e.Presumed != 0
			if !mayRun && (e.Reason != "" || e.Presumed != 0 || b.mute) {
				f.blindTo = max(f.blindTo, b.end)
			}
			for k, environment := range environments {
				if set := b.calledIn[environment]; set != nil && set.has(i) {
					f.calledIn.add(k)
				}
			}
		}
		if seen != nil {
			blind = append(blind, *seen)
		}
	}
	for i := range blind {
		blind[i].hide(list, i+1)
	}
	return list
}

// report sums up the processes of a program.
func (p *program) report() Program {
	w := newWitness()
	out := Program{App: p.app, Main: p.main, File: p.file}
	for _, same := range p.distinct() {
		out.Builds = append(out.Builds, reportBuild(same))
		for _, b := range same {
			w.add(b)
			out.Module = cmp.Or(out.Module, b.module)
		}
	}
	out.Environments, out.Processes, out.Hosts = sortedKeys(w.environments), w.processes, len(w.hosts)
	out.From, out.To, out.ObservedFor = fromMillis(w.from), fromMillis(w.to), w.seconds()
	return out
}

// distinct returns the builds, those together that have the same functions at the same
// places: each environment has a codebase of its own.
func (p *program) distinct() (list [][]*build) {
	for _, b := range p.builds {
		i := slices.IndexFunc(list, func(same []*build) bool { return slices.Equal(same[0].entries, b.entries) })
		if i < 0 {
			i = len(list)
			list = append(list, nil)
		}
		list[i] = append(list[i], b)
	}
	return list
}

// reportBuild sums up the codebases of one build.
func reportBuild(same []*build) Build {
	w := newWitness()
	for _, b := range same {
		w.add(b)
	}
	out := Build{
		Versions: sortedKeys(w.versions), Environments: sortedKeys(w.environments), Functions: len(same[0].entries), Processes: w.processes,
		From: fromMillis(w.from), To: fromMillis(w.to), ObservedFor: w.seconds(),
		InUse: slices.ContainsFunc(same, (*build).inUse),
	}
	if out.InUse {
		out.entries = same[0].entries
	}
	return out
}

// observedOf sums up all builds, but for their number.
func observedOf(builds []*build) Observed {
	w := newWitness()
	for _, b := range builds {
		w.add(b)
	}
	return Observed{
		From: fromMillis(w.from), To: fromMillis(w.to), ObservedFor: w.seconds(), Processes: w.processes, Hosts: len(w.hosts),
		Environments: sortedKeys(w.environments), Applications: sortedKeys(w.apps),
	}
}

// sortedKeys returns a list, not nil.
func sortedKeys(set map[string]bool) []string {
	list := slices.AppendSeq(make([]string, 0, len(set)), maps.Keys(set))
	slices.Sort(list)
	return list
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

// isSet reports whether something is a time of a clock that was set. Programs write MinTime
// for all that is before it.
func isSet(ms int64) bool { return isTime(ms) && ms > datafile.MinTime }

// A function is one identity while it is joined.
type function struct {
	*entry             // of the latest build that has it
	module   string    // of that build, if the entry's file is in it
	seenIn   numberSet // the builds in which it can be observed
	calledIn numberSet // environments
	removed  bool      // no build in use has it, and no older one called it since
	reason   string    // why some build in use could not observe it
	last     int64     // latest stamp of all builds
	presumed int64     // latest call that evidence knows, of builds without a mark
	evidence string    // the name of that
	unmarked bool      // a build in use has no mark
	unknown  bool      // a stamp of it is damaged
	mute     bool      // a build in use says nothing of its calls
	blindTo  int64     // the latest time of other builds that could not observe it, 0 if unknown
	listed   int       // the number of the last blindBuild that was found to list it
	literals literals  // if it is one: those of the function around it, in the build of entry
}

// Why a function is unknown.
const (
	damagedTime  = "the time of its last call is damaged"
	wroteNothing = "all processes of a build that has it ended at once, and wrote nothing of what they had called"
)

func (f *function) report() Function {
	out := Function{
		Package: f.Package, Receiver: f.Receiver, Name: f.Name,
		Signature: f.Signature, File: f.File, Line: f.Line, Lines: f.Lines, Module: f.module,
		Generated: f.Generated, directive: f.Directive,
	}
	switch {
	case f.last != 0 || f.presumed != 0:
		out.Status = Called
		out.LastCalledAt = fromMillis(max(f.last, f.presumed))
		out.blindTo = fromMillis(f.blindTo)
		out.uncertain = f.reason != "" || f.unknown || f.mute || f.last <= datafile.MinTime && f.presumed == 0
		if out.unmarked = f.unmarked; f.unmarked || f.presumed >= f.last {
			out.Presumed = f.evidence
		}
	case f.reason != "":
		out.Status, out.Reason = NotObservable, f.reason
	case f.unknown:
		out.Status, out.Reason = Unknown, damagedTime
	case f.mute:
		out.Status, out.Reason, out.Mute = Unknown, wroteNothing, true
	default:
		out.Status = NeverCalled
	}
	return out
}

// moduleOf returns the main module if an entry's file is in it. Files of dependencies
// begin with their import path.
func (b *build) moduleOf(e *entry) string {
	if strings.HasPrefix(e.File, e.Package+"/") {
		return ""
	}
	return b.module
}

// compareFunctions orders by place in the source. Receiver and name decide for
// generated code whose //line directives put several functions on one line.
func compareFunctions(a, b *function) int {
	return cmp.Or(
		strings.Compare(a.Package, b.Package),
		strings.Compare(a.File, b.File),
		cmp.Compare(a.Line, b.Line),
		strings.Compare(a.Receiver, b.Receiver),
		strings.Compare(a.Name, b.Name),
	)
}
