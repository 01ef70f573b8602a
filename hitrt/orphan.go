//go:build !nonetwork

// Orphans: calls that their processes could not send to the collector. They are in the
// hits files of dataDir, with stamps that do not say that the collector has them. A
// living process of the same application and environment sends them.
//
// It sends under its own name: the collector keeps hits by application, environment
// and function, and knows the functions of a process that lived long enough from the
// codebase that the process sent. The collector does not show a function that is in no
// codebase, so it does not show it as unused.
//
// Whether the process of a call lives and will send it itself is not known, and need
// not be: a process that can send does it within two of its intervals. What is older is
// an orphan. Calls that are sent again with the same time change nothing.
//
// Once the collector said OK to a call its stamp says so, and the next search sends it
// for the second time, since the collector may lose what it said OK to.
//
// forgotten.go has what the collector accepted and has no more.

package hitrt

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

const (
	// orphanInterval is the time between two searches of dataDir.
	orphanInterval = 10 * time.Minute

	// clockAhead is how far a clock may be ahead whose process may live and send its calls.
	clockAhead = 24 * time.Hour
)

// orphans are the files of dataDir that were not looked at since the last search.
type orphans struct {
	searched time.Time
	paths    []string
	damaged  map[string]bool // logged as such
	skipped  map[string]bool // renamed, and cannot be written to

	// lost is the time from which the collector has lost what it accepted, so that this
	// search sends it, too; 0 = nothing. nextLost is that of the next search.
	lost, nextLost int64
	judged         bool // whether there was a break before this process
}

// An orphan is a hits file with calls to send.
type orphan struct {
	path  string
	store datafile.Store // to write to the file
	id    datafile.Identity
	calls []pastCall
}

// A pastCall is a call of an earlier process, to be sent.
type pastCall struct {
	function int
	at       int64
	state    datafile.State
}

// errForeign says that a file must be left alone.
const errForeign = datafile.Error("of another application, user or format")

// sendOrphans sends the calls of one file. more reports whether there may be others.
func (e *exporter) sendOrphans() (more bool) {
	all := &e.orphans
	if e.p.data == nil {
		return false
	}
	now := e.p.now()
	if len(all.paths) == 0 {
		if !all.searched.IsZero() && elapsed(all.searched, now) < max(orphanInterval, e.invocation.interval) {
			return false
		}
		all.searched = now
		all.paths = hitsFiles(e.p.set.dataDir)
		all.lost, all.nextLost = all.nextLost, 0
		if e.isForgotten() {
			all.lost = 1
		}
	}
	before := unixMillis(now.Add(-2 * e.invocation.interval))
	for len(all.paths) > 0 {
		path := all.paths[0]
		all.paths = all.paths[1:]
		if all.lost != 0 {
			e.noteLost(path, before, all.lost)
		}
		if sent := e.sendOrphansOf(path, before); sent {
			return len(all.paths) > 0
		}
	}
	return false
}

// finishOrphans sends, when the program exits, what earlier processes of this build left:
// programs that never live until a tick would never send it. What the collector has lost it
// sends of all builds.
func (e *exporter) finishOrphans() {
	if e.p.data == nil || e.p.left() == 0 {
		return
	}
	all := &e.orphans
	own, before := e.p.data.store.Path(), unixMillis(e.p.started)
	if e.isForgotten() {
		all.nextLost = 1
	}
	if all.nextLost != 0 {
		all.lost, all.paths = all.nextLost, hitsFiles(e.p.set.dataDir)
	}
	if all.lost == 0 || len(all.paths) == 0 {
		e.sendOrphansOf(own, before)
		return
	}
	e.finishLost(own, before)
}

// isOurs reports whether calls of processes with an identity may be sent by this one.
func (e *exporter) isOurs(id *datafile.Identity) bool {
	set := e.p.set
	return id.AppName == set.appName && id.Environment == set.environment && id.UID == e.p.data.store.Identity.UID
}

// sendOrphansOf sends the calls of a file that were before a time, and those of clocks that are
// far ahead, whose time may never come. It reports whether there were any.
func (e *exporter) sendOrphansOf(path string, before int64) bool {
	all := &e.orphans
	if all.skipped[path] {
		return false
	}
	o, err := readOrphan(path, before, unixMillis(e.p.now().Add(clockAhead)), e.isOurs, isUnsent)
	if errors.Is(err, errForeign) || errors.Is(err, fs.ErrNotExist) {
		return false
	}
	renamed := !datafile.IsHits(filepath.Base(path)) // and maybe compressed, or a backup to be read
	if err != nil && !all.damaged[path] && !renamed {
		if all.damaged == nil {
			all.damaged = map[string]bool{}
		}
		all.damaged[path] = true
		e.p.log.Warn("%s, left by earlier processes, is not sent as a whole: %v", path, err)
	}
	if o == nil || len(o.calls) == 0 {
		return false
	}
	hashes, err := o.hashes()
	if err != nil {
		e.p.log.WarnHourly("orphan", "%s, left by earlier processes, cannot be sent: %v", path, err)
		return false
	}
	if e.pollFirst() != nil {
		return true
	}
	count, err := e.sendCalls(o.calls, hashes)
	if err != nil {
		e.logError(err, &e.invocation, "publishing what earlier processes left behind")
		return true
	}
	e.p.log.InfoHourly("orphans", "%d invocations of earlier processes published", count)
	err = o.accepted()
	switch {
	case err != nil && renamed:
		if all.skipped == nil {
			all.skipped = map[string]bool{}
		}
		all.skipped[path] = true
	case err != nil:
		e.p.log.WarnHourly("orphan", "%s, left by earlier processes, was sent, and is sent again: %v", path, err)
	}
	return true
}

// hitsFiles returns the paths of the hits files in a directory whose calls may be sent, also of
// those that something renamed.
func hitsFiles(dir string) []string {
	var paths []string
	for _, name := range datafile.Names(dir) {
		if was := datafile.HitsName(name); datafile.IsHits(was) && !datafile.IsOld(was) {
			paths = append(paths, filepath.Join(dir, name))
		}
	}
	return paths
}

// isUnsent reports whether a call has to be sent that a stamp has.
func isUnsent(_ int64, state datafile.State) bool { return state < datafile.Sent }

// readOrphan reads the calls of a file that were before a time, or after another one, and that
// are wanted, if ours accepts the identity of the file. Of a file that is damaged it returns
// an error and what is sound.
func readOrphan(path string, before, after int64, ours func(*datafile.Identity) bool, wanted func(at int64, state datafile.State) bool) (*orphan, error) {
	r, err := datafile.OpenHits(path)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, datafile.ErrNotRegular) {
		return nil, errForeign
	}
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if r.Joined || !ours(&r.Identity) {
		return nil, errForeign
	}
	o := &orphan{path: path, id: r.Identity, store: datafile.Store{
		File: path, Identity: r.Identity, Process: r.Process, Wait: lockWait,
	}}
	err = r.Stamps(func(i int, at int64, state datafile.State) {
		if at != 0 && (at < before || at > after) && wanted(at, state) {
			o.calls = append(o.calls, pastCall{i, at, state})
		}
	})
	return o, err
}

// accepted notes in the file that the collector accepted the calls.
func (o *orphan) accepted() error {
	var errs []error
	for _, was := range []datafile.State{datafile.Unsent, datafile.Once} {
		errs = append(errs, o.note(was+1, was))
	}
	return errors.Join(errs...)
}

// note notes in the file a state of the calls that had one of some states.
func (o *orphan) note(state datafile.State, of ...datafile.State) error {
	_, err := o.store.Update(&datafile.Update{State: state, Calls: func(yield func(int, int64) bool) {
		for _, c := range o.calls {
			if slices.Contains(of, c.state) && !yield(c.function, c.at) {
				return
			}
		}
	}})
	return err
}

// sendCalls sends calls of earlier processes, by period as [hits.byTime] does.
func (e *exporter) sendCalls(all []pastCall, hashes [][16]byte) (count int, err error) {
	now := e.p.now()
	byPeriod := func(a, b pastCall) int { return cmp.Compare(period(a.at/1000, now), period(b.at/1000, now)) }
	calls := slices.Clone(all)
	slices.SortStableFunc(calls, byPeriod)
	for len(calls) > 0 {
		n, start := 0, int64(0)
		for ; n < len(calls) && byPeriod(calls[0], calls[n]) == 0; n++ {
			start = max(start, calls[n].at)
		}
		common := e.common(e.fingerprint, unixMillis(now))
		for part := range slices.Chunk(calls[:n], max((e.limit-len(common))/hitSize-1, 1)) {
			message := newInvocations(start, common, len(part))
			for _, c := range part {
				message = appendHit(message, hashes[c.function])
			}
			if err := e.publish(methodInvocations, message); err != nil {
				e.invocation.failed(now)
				e.shrink(err)
				return count, err
			}
			count += len(part)
		}
		calls = calls[n:]
	}
	return count, nil
}

// functions calls each with the functions of the codebase that o names, in order. The
// codebase may also belong to users that the caller believes.
func (o *orphan) functions(each func(f *datafile.Function, hash [16]byte) error, believed ...int) error {
	file, err := datafile.OpenCodebase(filepath.Dir(o.path), o.id.Fingerprint, o.id.UID, believed...)
	if err != nil {
		return err
	}
	defer file.Close()
	n := 0
	_, err = datafile.ReadCodebase(file, o.id.Fingerprint, func(f *datafile.Function) error {
		n++
		hash, err := f.HashBytes()
		if err != nil {
			return err
		}
		return each(f, hash)
	})
	if err == nil && n != o.id.Functions {
		err = fmt.Errorf("%d functions, want %d", n, o.id.Functions)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(file.Name()), err)
	}
	return nil
}

// hashes returns the signature hashes of the functions in the codebase that o names.
func (o *orphan) hashes() (hashes [][16]byte, err error) {
	err = o.functions(func(_ *datafile.Function, hash [16]byte) error {
		hashes = append(hashes, hash)
		return nil
	})
	return hashes, err
}
