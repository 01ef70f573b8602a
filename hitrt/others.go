// What other processes left: marks files of killed ones, and hits files that only one
// process wrote.

package hitrt

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

const (
	// othersInterval is the time between two searches.
	othersInterval = 10 * time.Minute

	// moreOthers and lastOthers are how many files are dealt with once a second while the
	// program runs, and when it ends.
	moreOthers = 64
	lastOthers = 8

	// exitMarks is how many names are read at the end: whatever others left there must not
	// hold it up.
	exitMarks = 256
)

// others are the files of other processes that were found and not dealt with.
type others struct {
	searched time.Time
	marks    []string
	joiner   datafile.Joiner
	joining  bool
}

// adopt deals with some files of other processes.
func (d *dataFile) adopt(now time.Time) {
	o, n := &d.others, moreOthers
	if isElsewhere(d.root) {
		return
	}
	exiting := d.p.isExiting()
	if exiting {
		n = lastOthers
	}
	switch {
	case !o.searched.IsZero() && elapsed(o.searched, now) < othersInterval:
	case exiting:
		// Not in dataDir: what others keep there must not hold up an exit.
		if d.marks != nil {
			o.marks = d.findMarks([]string{filepath.Dir(d.marks.path)})
		}
	default:
		o.searched = now
		o.marks = d.findMarks(datafile.MarksDirs(d.store.Identity.UID, d.store.Dir))
		o.joiner.Search()
		o.joining = true
	}
	for ; n > 0 && len(o.marks) > 0; n-- {
		path := o.marks[0]
		o.marks = o.marks[1:]
		calls, err := datafile.Recover(path, d.store.Dir, d.store.Mode)
		switch {
		case errors.Is(err, datafile.ErrElsewhere):
			datafile.Settle(path, d.store.Mode, false)
		case err == nil:
			d.p.log.Debug("%d calls of a process that was killed recovered from %s", calls, path)
		case !errors.Is(err, datafile.ErrBusy) && !errors.Is(err, fs.ErrNotExist):
			d.p.log.WarnHourly("recover", "%s, left by an earlier process: %v", path, err)
		}
	}
	if o.joining && n > 0 && !exiting {
		o.joining = o.joiner.Join(n, func(path string, err error) {
			d.p.log.Warn("%s, left by an earlier process: %v", path, err)
		})
	}
}

// findMarks returns the marks files of other processes with the same dataDir in
// directories, and settles those with another one.
func (d *dataFile) findMarks(dirs []string) (paths []string) {
	if !canMap {
		return nil
	}
	info, err := os.Stat(d.store.Dir)
	if err != nil {
		return nil
	}
	_, prefix := datafile.MarksName(info, "")
	for _, dir := range dirs {
		var found []string
		if d.p.isExiting() {
			found = datafile.SomeMarksIn(dir, exitMarks)
		} else {
			found = datafile.MarksIn(dir, "")
		}
		settled := 0
		crowded := len(found) >= exitMarks
		for _, path := range found {
			switch {
			case d.marks != nil && path == d.marks.path:
			case dir == d.store.Dir || datafile.IsMarks(filepath.Base(path), prefix):
				// In dataDir itself whatever the name is: the device may have another number.
				paths = append(paths, path)
			case !d.p.isExiting() || crowded && settled < lastOthers:
				datafile.Settle(path, d.store.Mode, crowded)
				settled++
			}
		}
		if dir != d.store.Dir && !d.p.isExiting() {
			datafile.RemoveStale(dir)
		}
	}
	return paths
}
