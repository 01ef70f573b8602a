// What other processes left: marks files of killed ones, and hits files that only one
// process wrote.

package hitrt

import (
	"errors"
	"io/fs"
	"math/rand/v2"
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
	allNames  = -1

	// settledAtOnce is how many marks files of processes with another dataDir one search
	// opens.
	settledAtOnce = 8
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
// directories, and settles some of those with another one.
func (d *dataFile) findMarks(dirs []string) (paths []string) {
	if !canMap {
		return nil
	}
	info, err := os.Stat(d.store.Dir)
	if err != nil {
		return nil
	}
	_, prefix := datafile.MarksName(info, "")
	exiting := d.p.isExiting()
	for _, dir := range dirs {
		most := allNames
		if exiting {
			most = exitMarks
		}
		names, unfinished := datafile.MarksNamesIn(dir, most)
		var elsewhere []string
		for _, name := range names {
			switch {
			case d.marks != nil && name == filepath.Base(d.marks.path):
			case dir == d.store.Dir || datafile.IsMarks(name, prefix):
				// In dataDir itself whatever the name is: the device may have another number.
				paths = append(paths, filepath.Join(dir, name))
			default:
				elsewhere = append(elsewhere, name)
			}
		}
		if crowded := len(names) >= exitMarks; !exiting || crowded {
			d.settle(dir, elsewhere, crowded)
		}
		if unfinished && dir != d.store.Dir && !exiting {
			datafile.RemoveStale(dir)
		}
	}
	return paths
}

// settle settles a few marks files of processes with another dataDir: many services may
// share the directory, and each would pay for what all the others left. It begins
// anywhere, so that each file has its turn, whatever stands before it.
func (d *dataFile) settle(dir string, names []string, crowded bool) {
	if len(names) == 0 {
		return
	}
	first := rand.IntN(len(names))
	for i := range min(len(names), settledAtOnce) {
		datafile.Settle(filepath.Join(dir, names[(first+i)%len(names)]), d.store.Mode, crowded)
	}
}
