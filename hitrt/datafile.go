// Local files of this process: which of its calls are written when. Package datafile
// has their format, dataopen.go makes the directory, marksfile.go the file under the marks,
// and codebasefile.go lists the functions.
//
// A call goes through four places, and is removed from one only when it is in the next:
// the function's cell; once a second, when cells are read, a byte of the marks file that
// says it was taken; the memory of this process; the hits file. So a process that is
// killed leaves each call in its marks file or in the hits file.
//
// Nothing but the goroutine of the publisher touches a disk, and when that has ended, those
// of leave.go. A file system that is slow, full, frozen or gone holds up or fails these
// goroutines alone, and their calls wait.

package hitrt

import (
	"errors"
	"io/fs"
	"iter"
	"os"
	"sync/atomic"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

const (
	// dataRetry is the time to wait after local files could not be written.
	dataRetry = 15 * time.Second

	// refreshInterval is the time after which later calls of functions are written. The
	// first call of a function is written within a second.
	refreshInterval = time.Minute

	// seenInterval is the longest time between two writes.
	seenInterval = 10 * time.Minute

	// lockPatience is how long another process may hold the lock of a hits file before
	// this one writes a file of its own.
	lockPatience = 10 * time.Second

	// lockWait is how long one write waits for that lock, and exitWait how long the last
	// one does, and that of Flush.
	lockWait = 100 * time.Millisecond
	exitWait = time.Second
)

// A dataFile writes local files. It belongs to the publisher's goroutine, and when that has
// ended, to the one that ends the program.
type dataFile struct {
	p         *publisher
	functions int
	packages  []packageStamps

	last  []int64 // when each function was last called, in Unix milliseconds; 0 = never
	first bitset  // called for the first time, and not written
	again bitset  // called again, and not written

	store   datafile.Store
	process datafile.Process // its record in the hits file
	marks   *marksFile       // nil if cells are in memory of the process

	fleeting bool // shared memory may go with the process

	root      os.FileInfo   // the root directory at the start
	missing   bool          // dataDir is not there and cannot be made, and a line says so
	ended     bool          // its record says that it wrote all
	alone     bool          // when the program ended, no goroutine of it was left
	leaving   atomic.Bool   // leave was called
	left      chan struct{} // closed when leave has done its work
	wroteAt   time.Time     // when everything was written
	written   os.FileInfo   // the hits file after the last write, or the last look into it
	lookedAt  time.Time
	busySince time.Time // when the lock was first held by another process
	retryAt   time.Time // after an error: when to try again
	marksAt   time.Time // without a marks file: when to make one

	listed   bool // the codebase file is there
	verified bool // it was read and is whole

	// sent are the functions that the collector accepted once, and twice, and whose stamps
	// do not say so. Calls up to sentTo are meant.
	sent   [2]bitset
	sentTo [2]int64

	others others
}

func newDataFile(p *publisher) *dataFile {
	d := &dataFile{p: p, packages: make([]packageStamps, len(p.codebase.packages)), left: make(chan struct{})}
	for i := range d.packages {
		s := newPackageStamps(&p.codebase.packages[i], d.functions)
		d.packages[i] = s
		d.functions += s.functions
	}
	// The system allocates memory when it is first written to: a program that starts
	// does not pay for all of it.
	d.last = make([]int64, d.functions)
	d.first, d.again = newBitset(d.functions), newBitset(d.functions)
	d.presume()
	set := p.set
	d.store = datafile.Store{
		Dir: set.dataDir, Mode: set.dataMode, Wait: lockWait,
		Identity: datafile.Identity{
			Fingerprint: dataFingerprint(p.program, set.environment), Functions: d.functions,
			Main: p.program.Main, Module: p.program.Module, AppName: set.appName, AppVersion: set.appVersion,
			Environment: set.environment, Hostname: set.hostname, UID: os.Geteuid(),
		},
	}
	d.process = datafile.Process{
		UUID: p.process, Boot: datafile.BootID(), StartedAt: unixMillis(p.started), PID: os.Getpid(), State: datafile.Running,
		Kept: datafile.OnceASecond,
	}
	d.fleeting = set.flushAsked || inContainer()
	d.others.joiner = datafile.Joiner{Dir: set.dataDir, Mode: set.dataMode, Wanted: func(id *datafile.Identity) bool {
		return id.AppName == set.appName && id.Environment == set.environment && id.UID == d.store.Identity.UID
	}}
	return d
}

// presume notes the calls of functions without marks, to be written with the first others.
// What was never in a cell cannot be recovered from it.
func (d *dataFile) presume() {
	for _, f := range d.p.program.Presumed {
		if i := d.packages[f.Package].stampOf(int(f.Cell)); i >= 0 {
			d.last[i] = f.At
			d.again.add(i)
		}
	}
}

// hit notes a call. The function's cell is cleared when hit returns.
func (d *dataFile) hit(pkg, cell int, at int64) {
	i := d.packages[pkg].stampOf(cell)
	if i < 0 {
		return
	}
	if d.last[i] == 0 || d.first.has(i) {
		d.first.add(i)
	} else {
		d.again.add(i)
	}
	d.marks.take(i) // a later call, too: nobody knows when it can be written
	d.last[i] = max(d.last[i], at)
}

// write brings the hits file up to date, if there is a reason. After an error it tries
// again later, and loses nothing: the calls are in memory, and in the marks file.
func (d *dataFile) write(now time.Time) {
	exiting := d.p.isExiting()
	ends := exiting && !d.p.mayGoOn
	age := elapsed(d.wroteAt, now)
	refresh := exiting || age >= refreshInterval
	due := d.wroteAt.IsZero() || !d.first.empty() || refresh && !d.again.empty() || exiting && !d.ended || age >= seenInterval
	if !due {
		due = d.isReplaced(now)
	}
	if !due || now.Before(d.retryAt) && !exiting {
		return
	}
	if isElsewhere(d.root) {
		if d.marks == nil {
			d.p.log.WarnHourly("root", "the program has another root directory than at its start: its calls cannot be written to %s", d.store.Dir)
		}
		return
	}
	calls := d.first
	if refresh {
		calls = newBitset(d.functions)
		calls.or(d.first)
		calls.or(d.again)
	}
	d.process.SeenAt = unixMillis(now)
	if ends {
		d.process.State = datafile.Ended
	}
	if err := d.update(calls, now); err != nil {
		d.failed(err, now)
		return
	}
	d.retryAt, d.busySince, d.ended = time.Time{}, time.Time{}, ends
	for i := range calls.members() {
		d.marks.forget(i)
	}
	clear(d.first)
	if refresh {
		clear(d.again)
		d.wroteAt = now
		// Somebody may have cleaned up.
		d.listed = d.listed && (exiting || d.hasCodebase(datafile.IsSealed))
	}
	d.marks.wrote(d.process.Writes)
	d.written, _ = os.Lstat(d.store.Path())
}

// lookInterval is the time between two looks into a hits file that others wrote to.
const lookInterval = 10 * time.Second

// isReplaced reports whether the hits file has not what this process wrote: it was
// removed, or an older copy took its place.
func (d *dataFile) isReplaced(now time.Time) bool {
	// The record of a process that has ended may be part of the sums by now.
	if d.written == nil || d.ended || isElsewhere(d.root) {
		return false
	}
	info, err := os.Lstat(d.store.Path())
	switch {
	case err != nil:
		return errors.Is(err, fs.ErrNotExist)
	case !os.SameFile(info, d.written):
		return true
	case info.ModTime().Equal(d.written.ModTime()) || elapsed(d.lookedAt, now) < lookInterval:
		return false
	}
	d.lookedAt, d.written = now, info
	return !d.store.Has(&d.process)
}

// failed notes that an update failed.
func (d *dataFile) failed(err error, now time.Time) {
	if errors.Is(err, datafile.ErrBusy) {
		d.p.log.Debug("writing to dataDir: %v", err)
		return
	}
	d.retryAt = now.Add(dataRetry)
	// A daemon that gave up its rights:
	if d.marks != nil && d.process.Writes > 0 && errors.Is(err, fs.ErrPermission) {
		d.p.log.InfoHourly("write", "writing to dataDir: %v; calls stay in %s, from where the next process writes them", err, d.marks.path)
		return
	}
	d.warn("write", "writing to dataDir", err)
}

// warn logs what could not be done, and why, unless a line about dataDir itself says that.
func (d *dataFile) warn(kind, what string, err error) {
	if !d.missing || !errors.Is(err, fs.ErrNotExist) {
		d.p.log.WarnHourly(kind, "%s: %v", what, err)
	}
}

// update writes calls to the hits file that the processes of this build share, or, where
// that is impossible, to one of this process alone.
func (d *dataFile) update(calls bitset, now time.Time) error {
	if d.p.isExiting() {
		d.store.Wait = min(exitWait, d.p.left()/2)
	}
	u := datafile.Update{Calls: d.times(calls.members()), All: d.times(d.called()), Process: &d.process}
	result, err := d.store.Update(&u)
	if errors.Is(err, fs.ErrNotExist) { // the directory was removed
		d.makeDir()
		result, err = d.store.Update(&u)
	}
	if err != nil && d.store.Process == "" && d.mustBeAlone(err, now) {
		alone, process := d.store, d.process
		alone.Process = d.p.process
		process.Writes = 0 // to that file
		u.Process = &process
		if result, err = alone.Update(&u); err == nil {
			d.p.log.Debug("writing %s", alone.Path())
			d.store, d.process = alone, process
		}
	}
	if err == nil && result.Replaced {
		d.p.log.WarnHourly("gone", "%s was removed or replaced: all calls of this process are in it again, and those of others as far as they write", d.store.Path())
		d.listed, d.verified = false, false
		d.marks.follow(d.store.Dir)
	}
	if result.Damaged > 0 {
		d.p.log.WarnHourly("damaged", "%s: %d damaged stamps and records were written anew", d.store.Path(), result.Damaged)
	}
	return err
}

// mustBeAlone reports whether this process cannot have a part in the shared file.
func (d *dataFile) mustBeAlone(err error, now time.Time) bool {
	if errors.Is(err, datafile.ErrBusy) {
		if d.busySince.IsZero() {
			d.busySince = now
		}
		return d.p.isExiting() || elapsed(d.busySince, now) > lockPatience
	}
	return errors.Is(err, datafile.ErrNoLocks) || errors.Is(err, datafile.ErrNoLinks) || errors.Is(err, datafile.ErrNotRegular) ||
		errors.Is(err, fs.ErrPermission)
}

// times yields functions with the times of their last calls.
func (d *dataFile) times(functions iter.Seq[int]) iter.Seq2[int, int64] {
	return func(yield func(int, int64) bool) {
		for i := range functions {
			if !yield(i, d.last[i]) {
				return
			}
		}
	}
}

// called yields the functions that this process has called.
func (d *dataFile) called() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i, at := range d.last {
			if at != 0 && !yield(i) {
				return
			}
		}
	}
}

// accepted notes that the collector accepted calls up to a time, for the first or the
// second time, so that their stamps say it.
func (d *dataFile) accepted(numbers bitset, times int, upTo int64) {
	if d.sent[times-1] == nil {
		d.sent[times-1], d.sentTo[times-1] = newBitset(d.functions), upTo
	}
	// What could not be written so far may have been called since.
	d.sentTo[times-1] = min(d.sentTo[times-1], upTo)
	for pkg := range d.packages {
		base := d.p.codebase.base[pkg]
		for cell := range d.p.codebase.packages[pkg].Marks {
			if numbers.has(base + cell) {
				if i := d.packages[pkg].stampOf(cell); i >= 0 {
					d.sent[times-1].add(i)
				}
			}
		}
	}
}

// writeSent writes what accepted noted. If that fails, the calls are sent once more by a
// later process, which changes nothing. A stamp that is later than the last call here is that
// of another process, of which the collector heard nothing from this one.
func (d *dataFile) writeSent() {
	if isElsewhere(d.root) || d.p.now().Before(d.retryAt) {
		return
	}
	for n, state := range []datafile.State{datafile.Once, datafile.Sent} {
		if d.sent[n].empty() {
			continue
		}
		at := d.sentTo[n]
		_, err := d.store.Update(&datafile.Update{State: state, Calls: func(yield func(int, int64) bool) {
			for i := range d.sent[n].members() {
				if !yield(i, min(at, d.last[i])) {
					return
				}
			}
		}})
		if err != nil {
			return
		}
		d.sent[n] = nil
	}
}

// keep sees to it that the cells outlive the process, as far as that is possible here.
func (d *dataFile) keep(now time.Time) {
	if d.marks.isThere() || d.marks == nil && now.Before(d.marksAt) {
		return
	}
	if d.marks != nil {
		d.p.log.WarnHourly("marks", "%s was removed, replaced or cut off, or taken for one of a process that had ended: the mark arrays get another file", d.marks.path)
		if !d.marks.release() {
			return // without memory for the cells
		}
		d.marks = nil
	}
	d.marksAt = now.Add(dataRetry)
	marks, kept, why := newMarksFile(d)
	d.marks, d.process.Kept, d.process.Why, d.process.Marks = marks, kept, why, ""
	if marks != nil {
		d.process.Marks = marks.path
		for i := range d.unwritten().members() {
			d.marks.take(i)
		}
	}
	if kept == datafile.OnceASecond {
		d.p.log.InfoHourly("kept", "calls are written to %s once a second, later ones of a function once a minute: a process that is killed loses first calls of its last second and later calls of its last minute (%s)", d.store.Dir, why)
		return
	}
	d.p.log.InfoHourly("kept", "calls are kept %s (%s) from the moment they happen, and written to %s once a second, later ones of a function once a minute", kept, marks.path, d.store.Dir)
}

// unwritten returns the functions whose calls were taken from cells and are not written.
func (d *dataFile) unwritten() bitset {
	calls := newBitset(d.functions)
	calls.or(d.again)
	for _, f := range d.p.program.Presumed {
		if i := d.packages[f.Package].stampOf(int(f.Cell)); i >= 0 {
			calls[i/64] &^= 1 << (i % 64) // it has no mark
		}
	}
	calls.or(d.first)
	return calls
}

// refresh makes the next write one of everything.
func (d *dataFile) refresh() { d.wroteAt, d.retryAt = time.Time{}, time.Time{} }
