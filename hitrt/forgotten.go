//go:build !nonetwork

// What the collector accepted, and has no more: of earlier processes, in dataDir. The stamps
// of it are made to say that it was not sent. The rest is as with all orphans, and whoever
// sends may end before it is done.
//
// Where a loss shows, repair.go says from when on. One does not: the collector deletes
// functions, with their calls, that no process has had for a week. To one that comes later
// they are new, and were never called.
//
// So each process asks once whether it comes after a break, and judges as of its start.
// Processes that began within the hour before it do not count: one that began with it, or
// that was killed in between, does not show whether anything was sent. Some processes may do
// the same then, which changes nothing at the collector.

package hitrt

import (
	"os"
	"slices"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

const (
	// forgottenAfter is less than the time after which the collector deletes functions.
	forgottenAfter = 6 * 24 * time.Hour

	// together is how long before a process others may have begun that do not count.
	together = time.Hour

	// mostJudged is how many hits files are opened to find out whether there was a break.
	mostJudged = 64
)

// lose makes the next search, which begins now, send also what was accepted from a time on.
func (o *orphans) lose(from int64) {
	if o.lost != 0 && len(o.paths) > 0 {
		from = min(from, o.lost)
	}
	o.searched, o.paths, o.nextLost = time.Time{}, nil, from
}

// isForgotten reports, once in the life of a process, whether earlier processes of the
// application left files, and all of them so long before it that the collector may have
// deleted their functions. Mostly the file of this build tells, so it comes first: there may
// be thousands.
func (e *exporter) isForgotten() bool {
	if e.orphans.judged {
		return false
	}
	e.orphans.judged = true
	limit := unixMillis(e.p.started.Add(-forgottenAfter))
	last := e.lastSeen(e.p.data.store.Path())
	if last >= limit {
		return false
	}
	paths := newestFirst(hitsFiles(e.p.set.dataDir))
	for _, path := range paths[:min(len(paths), mostJudged)] {
		if e.p.isExiting() && e.p.left() == 0 {
			return false
		}
		if last = max(last, e.lastSeen(path)); last >= limit {
			return false
		}
	}
	return last != 0
}

// newestFirst sorts files by the time of the last write to them.
func newestFirst(paths []string) []string {
	times := map[string]time.Time{}
	for _, path := range paths {
		if info, err := os.Lstat(path); err == nil {
			times[path] = info.ModTime()
		}
	}
	slices.SortStableFunc(paths, func(a, b string) int { return times[b].Compare(times[a]) })
	return paths
}

// lastSeen returns when a process of the application last wrote to a file that began before
// those that do not count; 0 if none did. Times of clocks that are far ahead do not count.
func (e *exporter) lastSeen(path string) (last int64) {
	r, err := datafile.OpenHits(path)
	if err != nil {
		return 0
	}
	defer r.Close()
	if !e.isOurs(&r.Identity) {
		return 0
	}
	since, ahead := unixMillis(e.p.started.Add(-together)), unixMillis(e.p.now().Add(clockAhead))
	see := func(began, seen int64) {
		if seen > ahead {
			seen = began
		}
		if began < since {
			last = max(last, seen)
		}
	}
	sums, processes, _ := r.Processes()
	for i := range processes {
		see(processes[i].StartedAt, processes[i].SeenAt)
	}
	switch {
	case sums.LastStart < since:
		see(sums.LastStart, sums.LastSeen)
	case !e.p.isExiting(): // some count, and some do not
		see(sums.FirstStart, sums.FirstStart)
	case sums.LastSeen <= ahead: // what is started every minute must not send all each time
		last = max(last, sums.LastSeen)
	}
	return last
}

// noteLost notes in a file that the collector has lost what it accepted from a time on. What
// cannot be written stays as it is.
func (e *exporter) noteLost(path string, before, from int64) {
	o, _ := readOrphan(path, before, unixMillis(e.p.now().Add(clockAhead)), e.isOurs, func(at int64, state datafile.State) bool {
		return (state == datafile.Once || state == datafile.Sent) && at >= from
	})
	if o == nil || len(o.calls) == 0 {
		return
	}
	if err := o.note(datafile.Lost, datafile.Once, datafile.Sent); err != nil {
		e.p.log.Debug("%s: %v", path, err)
	}
}

// finishLost sends, when the program exits, what the collector has lost: twice, with a pause
// before each, as it may still be busy with the codebase (rules 1 and 2 in exporter.go). What
// was not sent at all goes first. Other files are noted before anything is sent, which may
// take all of the time.
func (e *exporter) finishLost(own string, before int64) {
	all := &e.orphans
	paths := slices.DeleteFunc(all.paths, func(path string) bool { return path == own })
	for _, path := range paths {
		if e.p.left() > 0 {
			e.noteLost(path, before, all.lost)
		}
	}
	e.sendOrphansOf(own, before)
	e.noteLost(own, before, all.lost)
	for range 2 {
		e.pause()
		for _, path := range append([]string{own}, paths...) {
			if e.p.left() > 0 {
				e.sendOrphansOf(path, before)
			}
		}
	}
}
