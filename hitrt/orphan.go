// Orphans: the files of processes that have ended. What a process called and could
// not send to the collector is in its file in dataDir. The next process of the same
// application and environment sends it.
//
// It sends under its own name: the collector keeps hits by application, environment
// and function, and knows the functions of a process that lived long enough from the
// codebase that the process sent. The collector does not show a function that is in no
// codebase, so it does not show it as unused.
//
// A process claims an orphan by its lock. The process that writes a file holds the
// lock for as long as it lives, and a claimant until it has removed the file. It
// removes the file once the collector said OK to all of it twice, an interval apart,
// since the collector may lose what it said OK to. A claimant that exits has no time
// for that: it gives the file a name that says "sent once", and the next process sends
// it for the second time. If the claimant is killed, that begins anew: hits that are
// sent again with the same time change nothing.
//
// Files of other applications and environments, of systems without such locks, of
// unknown formats, and damaged ones stay as they are. The last two are logged once.

package hitrt

import (
	"errors"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// orphanInterval is the time between two searches of dataDir.
	orphanInterval = 10 * time.Minute

	// maxAccepted is the number of orphans that may wait to be sent again.
	maxAccepted = 16
)

// orphans holds those that an exporter has found.
type orphans struct {
	searched time.Time       // when dataDir was last searched
	paths    []string        // found and not yet tried
	accepted []*orphan       // accepted once by the collector
	named    map[string]bool // logged as unusable
}

// An orphan is the file of a process that has ended.
type orphan struct {
	path   string
	held   *heldFile // nil until it is claimed
	header processHeader
	last   []int64 // when each function was called, 0 = never
	sentAt time.Time
}

// errForeign says that a file must be left alone.
var errForeign = errors.New("of another application, or in use")

// sendOrphan sends one orphan. more reports whether there may be others.
func (e *exporter) sendOrphan() (more bool) {
	all := &e.orphans
	if e.p.data == nil || !canLock {
		return false
	}
	now := e.p.now()
	if len(all.accepted) > 0 && (e.p.isExiting() || elapsed(all.accepted[0].sentAt, now) >= e.invocation.interval) {
		first := all.accepted[0]
		if !e.sendCallsOf(first) {
			first.sentAt = now
			return false
		}
		all.accepted = all.accepted[1:]
		first.remove()
		return true
	}
	if len(all.accepted) == maxAccepted {
		return false
	}
	for path := range e.unclaimed(now) {
		o, err := e.claim(path)
		switch {
		case err == nil && !e.sendCallsOf(o):
			o.held.release()
			return false
		case err == nil && e.p.isExiting():
			o.retire()
			return len(all.paths) > 0
		case err == nil:
			o.sentAt = now
			all.accepted = append(all.accepted, o)
			return len(all.paths) > 0
		case !errors.Is(err, errForeign) && !errors.Is(err, os.ErrNotExist):
			if all.named == nil {
				all.named = map[string]bool{}
			}
			all.named[path] = true
			e.p.log.Warn("%s, left by an earlier process, is not sent: %v", path, err)
		}
	}
	return false
}

// unclaimed yields what the last search found and nobody tried, and searches again
// when it is time.
func (e *exporter) unclaimed(now time.Time) iter.Seq[string] {
	all := &e.orphans
	if len(all.paths) == 0 && (all.searched.IsZero() || elapsed(all.searched, now) >= orphanInterval) {
		all.searched = now
		all.paths = processFiles(e.p.set.dataDir)
	}
	return func(yield func(string) bool) {
		for len(all.paths) > 0 {
			path := all.paths[0]
			all.paths = all.paths[1:]
			if path != e.p.data.path() && !all.named[path] && !yield(path) {
				return
			}
		}
	}
}

// processFiles returns the paths of the files of processes in a directory.
func processFiles(dir string) []string {
	var paths []string
	entries, _ := os.ReadDir(dir) // in the order of their names
	for _, e := range entries {
		if ok, _ := filepath.Match("process-*.hits", e.Name()); ok {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	return paths
}

// remove removes the file, and then releases the lock.
func (o *orphan) remove() {
	defer o.held.release()
	if o.isThere() {
		_ = os.Remove(o.path)
	}
}

// isThere reports whether the path still names the file that was claimed.
func (o *orphan) isThere() bool {
	info, err := os.Stat(o.path)
	return err == nil && os.SameFile(info, o.held.info)
}

// sentOnce is the end of the name of a file that the collector accepted once.
const sentOnce = ".once.hits"

// retire removes a file that was sent for the second time, and renames one that was
// sent for the first time.
func (o *orphan) retire() {
	if strings.HasSuffix(o.path, sentOnce) {
		o.remove()
		return
	}
	defer o.held.release()
	if o.isThere() {
		_ = os.Rename(o.path, strings.TrimSuffix(o.path, ".hits")+sentOnce) // if this fails, it is sent twice more
	}
}

// claim claims a file of this application and environment.
func (e *exporter) claim(path string) (*orphan, error) {
	set := e.p.set
	return claimOrphan(path, func(h *processHeader) bool {
		return h.AppName == set.appName && h.Environment == set.environment
	})
}

// claimOrphan takes the lock of a file and reads it, if wanted accepts its header.
func claimOrphan(path string, wanted func(*processHeader) bool) (o *orphan, err error) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil, errForeign
	}
	file, err := openFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, errForeign // this user may not read it
	}
	defer func() {
		if err != nil {
			_ = file.Close()
		}
	}()
	o = &orphan{path: path}
	if err := o.readHeader(file); err != nil {
		return nil, err
	}
	if !o.header.Locked || !wanted(&o.header) {
		return nil, errForeign
	}
	if lockFile(file) != nil || !isAt(file, path) {
		return nil, errForeign
	}
	if err := o.readCalls(file); err != nil {
		return nil, err
	}
	o.held, err = hold(file, path, true)
	return o, err
}

// isAt reports whether path is still the name of the file.
func isAt(file *os.File, path string) bool {
	named, err := os.Stat(path)
	return err == nil && isFile(file, named)
}

// readAgain reads the calls again of a file that was claimed.
func (o *orphan) readAgain() error {
	file, err := o.held.open(os.O_RDONLY)
	if err != nil {
		return err
	}
	defer file.Close()
	return o.readCalls(file)
}

// sendCallsOf sends the calls of an orphan, and reports whether the collector accepted
// all of them.
func (e *exporter) sendCallsOf(o *orphan) bool {
	hashes, err := o.hashes()
	if err == nil && o.last == nil {
		err = o.readAgain()
	}
	if err != nil {
		e.p.log.WarnHourly("orphan", "%s, left by an earlier process, cannot be sent: %v", o.path, err)
		return false
	}
	count, err := e.sendCalls(o, hashes)
	o.last = nil // there may be many, waiting to be sent again
	if err != nil {
		e.logError(err, &e.invocation, "publishing what an earlier process left behind")
		return false
	}
	e.p.log.InfoHourly("orphans", "%d invocations of process %s published", count, o.header.Process)
	return true
}

// sendCalls sends the calls of an orphan, by period as [hits.byTime] does.
func (e *exporter) sendCalls(o *orphan, hashes [][16]byte) (count int, err error) {
	now := e.p.now()
	calls := map[int64][]int{}
	for i, at := range o.last {
		if at != 0 {
			p := period(at/1000, now)
			calls[p] = append(calls[p], i)
		}
	}
	for _, p := range slices.Sorted(maps.Keys(calls)) {
		var start int64
		for _, i := range calls[p] {
			start = max(start, o.last[i])
		}
		head := appendInt(nil, 3, start)
		head = appendBytes(head, 1, e.common(e.fingerprint, unixMillis(now)))
		for part := range slices.Chunk(calls[p], max((e.limit-len(head))/hitSize-1, 1)) {
			message := append(newMessage(len(head)+hitSize*len(part)), head...)
			for _, i := range part {
				message = appendHit(message, hashes[i])
			}
			if err := e.publish(methodInvocations, message); err != nil {
				e.invocation.failed(now)
				e.shrink(err)
				return count, err
			}
			count += len(part)
		}
	}
	return count, nil
}
