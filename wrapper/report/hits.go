// Hits files: what processes called, and when last.

package report

import (
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// addFile adds what a hits file says to its codebase.
func (d *data) addFile(name string) {
	path := filepath.Join(d.dir, name)
	r, err := datafile.OpenHits(path)
	if errors.Is(err, fs.ErrNotExist) {
		return // joined long enough ago: the shared file, which is read after that, has it
	}
	if err != nil {
		d.problem(path, kindOf(err), withoutPath(err))
		return
	}
	defer r.Close()
	if !d.wants(&r.Identity) {
		return
	}
	key := codebaseKey{r.Fingerprint, r.Owner(), r.UID}
	c := d.codebase(key)
	if kind, err := c.check(&r.Header); err != nil {
		if c.err == nil {
			for i := range c.entries {
				c.nothingKnown(i) // who knows which of them were called
			}
		}
		d.problem(path, kind, err)
		return
	}
	f := newHitsFile(path, r, c)
	recordsErr, err := f.read(r, d.future, func(i int, at int64, state datafile.State) {
		if state == datafile.Damaged {
			c.nothingKnown(i)
		} else {
			c.called(i, at, r.Environment)
		}
	})
	for _, err := range []error{err, recordsErr} {
		if err != nil {
			d.problem(path, Damaged, err)
		}
	}
	d.addHits(f, r.Joined, recordsErr)
}

// addHits adds the processes of a hits file, to be counted later. Without a sound record
// somebody was observed, whoever that was: one whose record is damaged, or that was killed as it
// wrote for the first time. Whoever has a marks file counts by that.
func (d *data) addHits(f *hitsFile, joined bool, recordsErr error) {
	if !f.hasProcess() && (recordsErr != nil || f.called && !d.hasMarks(f.id)) {
		f.list = append(f.list, datafile.Process{StartedAt: f.created, SeenAt: max(f.latest, f.created), State: datafile.Lossy})
	}
	if joined {
		d.joined = append(d.joined, *f)
	} else {
		d.files = append(d.files, *f)
	}
}

// A hitsFile is what a hits file says of processes.
type hitsFile struct {
	path    string
	c       *codebase
	id      datafile.Identity
	format  int
	created int64
	latest  int64 // call that is not in the future, 0 if there is none
	called  bool  // it had calls when it had no record
	sums    datafile.Totals
	list    []datafile.Process
}

func newHitsFile(path string, r *datafile.Reader, c *codebase) *hitsFile {
	return &hitsFile{path: path, c: c, id: r.Identity, created: r.CreatedAt, format: r.Format}
}

// read reads the records of a file, and then its calls, which it hands to each as
// [datafile.Reader.Stamps] does. A process writes its record last, so that what a record says
// was written is among the calls that are read after it.
func (f *hitsFile) read(r *datafile.Reader, future int64, each func(i int, at int64, state datafile.State)) (recordsErr, err error) {
	recordsErr = f.readProcesses(r)
	if recordsErr == nil && !f.hasProcess() { // the first may be writing: calls, then its record
		_ = r.Stamps(func(_ int, _ int64, state datafile.State) { f.called = f.called || state != datafile.Damaged })
		recordsErr = f.readProcesses(r)
	}
	err = r.Stamps(func(i int, at int64, state datafile.State) {
		each(i, at, state)
		if at <= future {
			f.latest = max(f.latest, at)
		}
	})
	if r.Old() { // its stamps say how its process ended
		recordsErr = f.readProcesses(r)
	}
	return recordsErr, err
}

// readProcesses reads the records of a file.
func (f *hitsFile) readProcesses(r *datafile.Reader) (err error) {
	f.sums, f.list, err = r.Processes()
	return err
}

// hasProcess reports whether the file has the record of a process, or a sum of some.
func (f *hitsFile) hasProcess() bool { return f.sums.Processes > 0 || len(f.list) > 0 }
