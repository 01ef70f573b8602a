// Processes: which were observed, and how much of what they called may be missing.

package report

import (
	"fmt"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// A process is what is known of one process, or of several together.
type process struct {
	id          string
	app         string
	main        string // import path of its main package, "" if unknown
	module      string // and of its main module
	host        string
	version     string
	environment string
	count       int
	run         run
	first       int64 // first start, Unix milliseconds, as the process's clock had it
	started     int64 // last start
	end         int64 // the latest time known of it
	mute        bool  // it may have called anything, and written nothing of it
}

// Processes are the numbers of processes that the report rests on.
type Processes struct {
	Total     int `json:"total"`
	Running   int `json:"running"`   // they live, as far as can be seen
	Recovered int `json:"recovered"` // they were killed, and nothing is lost
	Lossy     int `json:"lossy"`     // some of what they called last may be missing

	// KeptOnceASecond are those whose latest calls would not outlive them.
	KeptOnceASecond int `json:"keptOnceASecond"`

	// Mute are those that may have called anything, and written nothing of it.
	Mute int `json:"mute"`
}

const (
	// checkpoint is the time in which a process writes what it called, in milliseconds.
	checkpoint = 1000

	// silentAfter is how long a process may be silent before it is taken for dead, in
	// milliseconds: one that lives writes once in ten minutes.
	silentAfter = 15 * 60 * 1000
)

// addProcesses adds the processes of a file to its codebase.
func (d *data) addProcesses(f *hitsFile) {
	var lost, otherBoot, unreachable, without int
	for i := range f.list {
		p := &f.list[i]
		m := d.allMarks[p.UUID]
		if m != nil {
			m.recorded = true
		}
		seen := p.SeenAt
		if m != nil {
			seen = max(seen, m.SeenAt) // it may have no right to write any more
		}
		out := process{id: p.UUID, count: 1, first: p.StartedAt, started: p.StartedAt, end: seen, run: newRun(p.StartedAt, seen, seen-p.StartedAt, d.future)}
		short := p.SeenAt-p.StartedAt < checkpoint
		d.processes.Total++
		if p.Kept == datafile.OnceASecond {
			d.processes.KeptOnceASecond++
		}
		switch d.fate(f, p, m) {
		case alive:
			d.processes.Running++
			out.mute = m == nil && short
			if m != nil { // it may have been stopped, and go on
				out.end = max(out.end, d.began)
			}
		case complete:
		case rescued:
			d.processes.Recovered++
		case unsaid:
			d.processes.Lossy++
			out.mute = f.latest == 0
		case ofOtherBoot:
			otherBoot++
			out.mute = short
		case outOfReach:
			unreachable++
			out.mute = short
		case cut:
			lost++
			out.mute = short
		case gone:
			without++
			out.mute = short
		}
		if out.mute {
			d.processes.Mute++
		}
		d.add(f, out)
	}
	if f.sums.Processes > 0 {
		lost += int(f.sums.Lossy)
		d.addSums(f)
	}
	d.processes.Lossy += lost + otherBoot + unreachable + without
	d.ended(f, Lossy, lost, "killed, and nobody saved MARKS")
	d.ended(f, Lossy, without, "killed, or running out of sight, without MARKS here")
	d.ended(f, OtherBoot, otherBoot, "running when the machine was started anew, or on another one")
	d.ended(f, UnreadableMarks, unreachable, fmt.Sprintf("running or killed, and only user %d and root can read MARKS", f.id.UID))
}

// addSums adds the processes of a file of which it has the sums alone.
func (d *data) addSums(f *hitsFile) {
	s := &f.sums
	d.processes.Total += int(s.Processes)
	d.processes.Recovered += int(s.Recovered)
	d.processes.KeptOnceASecond += int(s.OnceASecond)
	mute := s.Lossy == s.Processes && s.Lived < checkpoint*s.Processes
	if mute {
		d.processes.Mute += int(s.Processes)
	}
	d.add(f, process{
		count: int(s.Processes), first: s.FirstStart, started: s.LastStart, end: s.LastSeen, mute: mute,
		run: newRun(s.FirstStart, s.LastSeen, int64(min(s.Lived, datafile.MaxTime)), d.future),
	})
}

// ended notes how processes ended of which something may be missing. MARKS in how stands for
// their marks files.
func (d *data) ended(f *hitsFile, kind Kind, n int, how string) {
	were, marks, its := "1 process was", "its marks file", "its"
	if n > 1 {
		were, marks, its = fmt.Sprint(n, " processes were"), "their marks files", "their"
	}
	if n > 0 {
		d.problem(f.path, kind, fmt.Errorf("%s %s: functions first called in %s last second, and later calls of %s last minute, may be missing", were, strings.ReplaceAll(how, "MARKS", marks), its, its))
	}
}

// A fate is what became of a process.
type fate int

const (
	complete    fate = iota // it wrote all
	alive                   // it lives
	rescued                 // it was killed, and all that it called is known
	cut                     // it was killed, and what it called last is lost
	gone                    // it was killed, or runs where it cannot be seen
	ofOtherBoot             // it ran when the machine was started anew, or runs elsewhere
	outOfReach              // what it called last may be there, but cannot be read
	unsaid                  // its file is of an earlier version, which does not say it
)

// fate returns what became of a process. m is its marks file, nil if there is none.
func (d *data) fate(f *hitsFile, p *datafile.Process, m *marks) fate {
	switch {
	case f.format == 1:
		return unsaid
	case p.State == datafile.Ended:
		return complete
	case p.State == datafile.Recovered:
		return rescued
	case p.State == datafile.Lossy:
		return cut
	case m != nil && m.alive && m.Writes > p.Writes:
		return cut // what it wrote is in a file that is not here
	case m != nil && m.alive:
		return alive
	case m != nil && m.Kept != datafile.OnceASecond:
		return rescued
	case p.Boot != "" && d.boot != "" && p.Boot != d.boot:
		return ofOtherBoot
	case p.StartedAt > d.began-checkpoint && p.StartedAt <= d.future: // its marks came later
		return alive
	case p.Kept == datafile.OnceASecond && d.began-p.SeenAt < silentAfter && !isGone(p.PID):
		return alive
	case p.Kept != datafile.OnceASecond && d.unreachable[f.id.UID]:
		return outOfReach
	}
	return gone
}

// countJoined adds joined files to those whose processes count, unless the shared file is
// there, which has them.
func (d *data) countJoined() {
	shared := map[datafile.Identity]bool{}
	for i := range d.files {
		shared[d.files[i].id] = true
	}
	for _, f := range d.joined {
		if !shared[f.id] {
			d.files = append(d.files, f)
		}
	}
}

// add adds the numbers of other processes.
func (p *Processes) add(other *Processes) {
	p.Total += other.Total
	p.Running += other.Running
	p.Recovered += other.Recovered
	p.Lossy += other.Lossy
	p.KeptOnceASecond += other.KeptOnceASecond
	p.Mute += other.Mute
}

// add adds a process to the codebase of its file. A clock that was wrong must not make
// its build the latest one for ever: times that are to come say nothing.
func (d *data) add(f *hitsFile, p process) {
	if p.first > d.future {
		p.first = 0
	}
	if p.started > d.future {
		p.started = max(p.first, f.latest)
	}
	if p.end > d.future {
		p.end = p.started
	}
	p.end = max(p.end, p.started, f.latest)
	p.app, p.main, p.module, p.host = f.id.AppName, f.id.Main, f.id.Module, f.id.Hostname
	p.version, p.environment = f.id.AppVersion, f.id.Environment
	f.c.processes = append(f.c.processes, p)
}
