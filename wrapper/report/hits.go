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
	f := hitsFile{path: path, c: c, id: r.Identity, created: r.CreatedAt, format: r.Format}
	// Records come before calls: a process writes its record last, so that what a record says
	// was written is among the calls that are read after it.
	recordsErr := f.readProcesses(r)
	if f.latest, err = d.addCalls(c, r); err != nil {
		d.problem(path, Damaged, err)
	}
	if r.Old() { // its stamps say how its process ended
		recordsErr = f.readProcesses(r)
	}
	if recordsErr != nil {
		f.supposeProcess()
		d.problem(path, Damaged, recordsErr)
	}
	if r.Joined {
		d.joined = append(d.joined, f)
		return
	}
	d.files = append(d.files, f)
}

// addCalls raises the times of a codebase to those of a file. It returns the latest of
// them that is not in the future, 0 if there is none.
func (d *data) addCalls(c *codebase, r *datafile.Reader) (latest int64, err error) {
	err = r.Stamps(func(i int, at int64, state datafile.State) {
		if state == datafile.Damaged {
			c.nothingKnown(i)
			return
		}
		c.called(i, at, r.Environment)
		if at <= d.future {
			latest = max(latest, at)
		}
	})
	return latest, err
}

// A hitsFile is what a hits file says of processes.
type hitsFile struct {
	path    string
	c       *codebase
	id      datafile.Identity
	format  int
	created int64
	latest  int64
	sums    datafile.Totals
	list    []datafile.Process
}

// readProcesses reads the records of a file.
func (f *hitsFile) readProcesses(r *datafile.Reader) (err error) {
	f.sums, f.list, err = r.Processes()
	return err
}

// supposeProcess gives a file without a sound record one: somebody was observed, whoever
// that was.
func (f *hitsFile) supposeProcess() {
	if f.sums.Processes == 0 && len(f.list) == 0 {
		f.list = []datafile.Process{{StartedAt: f.created, SeenAt: max(f.latest, f.created), State: datafile.Lossy}}
	}
}
