package hitrt

// Files of processes that are no more. What a process called and did not get to
// the collector is in its file in dataDir; the next process of the same
// application and environment sends it.
//
// It does so under its own name: the collector keeps hits by application,
// environment and function, and knows the functions of a process that lived long
// enough from the codebase that the process sent. A function that is in no
// codebase is not shown at all, so it is not shown as unused.
//
// A file is claimed by its lock. Its process holds that for as long as it lives,
// a claimant until the file is removed, which it is once the collector said OK to
// all of it twice, a publication's interval apart, as it may lose what it said OK
// to. At the end of the claimant there is no time for that: the name of the file
// then says that it was sent once, and the next one sends it for the second time. If
// the claimant dies too, that begins anew: hits that are sent again with the same
// time change nothing.
//
// Left alone are files of other applications and environments, of processes on
// systems without such locks, of unknown formats, and damaged ones; the last two
// are named once.

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
	// leftoverInterval is how often dataDir is searched.
	leftoverInterval = 10 * time.Minute

	// maxAccepted is how many files are claimed until they are sent again.
	maxAccepted = 16
)

// leftovers are the files to look at.
type leftovers struct {
	searched time.Time
	paths    []string
	accepted []*leftover     // once
	named    map[string]bool // what was said to be unusable
}

// A leftover is a file that was claimed.
type leftover struct {
	path   string
	held   *heldFile // nil until it is claimed
	header processHeader
	last   []int64 // when each function was called, 0 = never
	sentAt time.Time
}

// errForeign is a file that is nobody's business.
var errForeign = errors.New("not ours, or in use")

// sendLeftover sends what one process left behind. more reports whether there
// may be others.
func (c *collector) sendLeftover() (more bool) {
	l := &c.leftovers
	if c.p.data == nil || !canLock {
		return false
	}
	now := c.p.now()
	if len(l.accepted) > 0 && (c.p.isExiting() || elapsed(l.accepted[0].sentAt, now) >= c.invocation.interval) {
		first := l.accepted[0]
		if !c.sendCallsOf(first) {
			first.sentAt = now
			return false
		}
		l.accepted = l.accepted[1:]
		first.remove()
		return true
	}
	if len(l.accepted) == maxAccepted {
		return false
	}
	for path := range c.unclaimed(now) {
		left, err := c.claim(path)
		switch {
		case err == nil && !c.sendCallsOf(left):
			left.held.release()
			return false
		case err == nil && c.p.isExiting():
			left.retire()
			return len(l.paths) > 0
		case err == nil:
			left.sentAt = now
			l.accepted = append(l.accepted, left)
			return len(l.paths) > 0
		case !errors.Is(err, errForeign) && !errors.Is(err, os.ErrNotExist):
			if l.named == nil {
				l.named = map[string]bool{}
			}
			l.named[path] = true
			c.p.rep.write("%s, left by an earlier process, is not sent: %v", path, err)
		}
	}
	return false
}

// unclaimed yields the files that are left of the last search, and begins another
// when it is time.
func (c *collector) unclaimed(now time.Time) iter.Seq[string] {
	l := &c.leftovers
	if len(l.paths) == 0 && (l.searched.IsZero() || elapsed(l.searched, now) >= leftoverInterval) {
		l.searched = now
		l.paths = processFiles(c.p.set.dataDir)
	}
	return func(yield func(string) bool) {
		for len(l.paths) > 0 {
			path := l.paths[0]
			l.paths = l.paths[1:]
			if path != c.p.data.path() && !l.named[path] && !yield(path) {
				return
			}
		}
	}
}

// processFiles returns the files of processes in a directory.
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

// remove removes the file, and lets go of it afterwards.
func (l *leftover) remove() {
	defer l.held.release()
	if l.isThere() {
		_ = os.Remove(l.path)
	}
}

// isThere reports whether the name is still that of the file that was claimed.
func (l *leftover) isThere() bool {
	info, err := os.Stat(l.path)
	return err == nil && os.SameFile(info, l.held.info)
}

// sentOnce is how the name of a file ends that the collector accepted once.
const sentOnce = ".once.hits"

// retire removes the file if it was sent for the second time, and says in its name
// that it was sent if it was the first.
func (l *leftover) retire() {
	if strings.HasSuffix(l.path, sentOnce) {
		l.remove()
		return
	}
	defer l.held.release()
	if l.isThere() {
		_ = os.Rename(l.path, strings.TrimSuffix(l.path, ".hits")+sentOnce) // or it is sent twice more
	}
}

// claim takes a file if it was left by a process of this application and
// environment.
func (c *collector) claim(path string) (*leftover, error) {
	set := c.p.set
	return claimLeftover(path, func(h *processHeader) bool {
		return h.AppName == set.appName && h.Environment == set.environment
	})
}

// claimLeftover opens a file, takes its lock and reads it. wanted says whether it
// is to be touched at all.
func claimLeftover(path string, wanted func(*processHeader) bool) (l *leftover, err error) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil, errForeign
	}
	file, err := openFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, errForeign // not for us to read
	}
	defer func() {
		if err != nil {
			_ = file.Close()
		}
	}()
	l = &leftover{path: path}
	if err := l.readHeader(file); err != nil {
		return nil, err
	}
	if !l.header.Locked || !wanted(&l.header) {
		return nil, errForeign
	}
	if lockFile(file) != nil || !isAt(file, path) {
		return nil, errForeign
	}
	if err := l.readCalls(file); err != nil {
		return nil, err
	}
	l.held, err = hold(file, path, true)
	return l, err
}

// isAt reports whether path is (still) the name of the file.
func isAt(file *os.File, path string) bool {
	named, err := os.Stat(path)
	return err == nil && isFile(file, named)
}

// readAgain reads the calls of a file that was claimed.
func (l *leftover) readAgain() error {
	file, err := l.held.open(os.O_RDONLY)
	if err != nil {
		return err
	}
	defer file.Close()
	return l.readCalls(file)
}

// sendCallsOf sends the calls of a process that was claimed, and reports whether
// the collector accepted all of them.
func (c *collector) sendCallsOf(l *leftover) bool {
	hashes, err := l.hashes()
	if err == nil && l.last == nil {
		err = l.readAgain()
	}
	if err != nil {
		c.p.rep.say("leftover", "%s, left by an earlier process, cannot be sent: %v", l.path, err)
		return false
	}
	count, err := c.sendCalls(l, hashes)
	l.last = nil // there may be many, waiting to be sent again
	if err != nil {
		c.report(err, &c.invocation, "publishing what an earlier process left behind")
		return false
	}
	c.p.rep.inform("leftovers", "%d invocations of process %s published", count, l.header.Process)
	return true
}

// sendCalls sends the calls of a process, in messages as those of [hits.byTime].
func (c *collector) sendCalls(l *leftover, hashes [][16]byte) (count int, err error) {
	now := c.p.now()
	calls := map[int64][]int{}
	for i, at := range l.last {
		if at != 0 {
			p := period(at/1000, now)
			calls[p] = append(calls[p], i)
		}
	}
	for _, p := range slices.Sorted(maps.Keys(calls)) {
		var start int64
		for _, i := range calls[p] {
			start = max(start, l.last[i])
		}
		head := appendInt(nil, 3, start)
		head = appendBytes(head, 1, c.common(c.fingerprint, unixMillis(now)))
		for part := range slices.Chunk(calls[p], max((c.limit-len(head))/hitSize-1, 1)) {
			message := append(newMessage(len(head)+hitSize*len(part)), head...)
			for _, i := range part {
				message = appendHit(message, hashes[i])
			}
			if err := c.publish(methodInvocations, message); err != nil {
				c.invocation.failed(now)
				c.shrink(err)
				return count, err
			}
			count += len(part)
		}
	}
	return count, nil
}
