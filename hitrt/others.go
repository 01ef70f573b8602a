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

	// firstOthers and moreOthers are how many files are dealt with when the program has
	// started, and then once a second.
	firstOthers = 8
	moreOthers  = 64

	// forgottenAfter is the time after which the marks file of a killed process is
	// removed although no process with its dataDir has come: it takes memory.
	forgottenAfter = 7 * 24 * time.Hour
)

// others are the files of other processes that were found and not dealt with.
type others struct {
	searched time.Time
	marks    []string
	joiner   datafile.Joiner
	joining  bool
}

// adopt deals with at most n files of other processes.
func (d *dataFile) adopt(now time.Time, n int) {
	o := &d.others
	if isElsewhere(d.root) {
		return
	}
	if o.searched.IsZero() || elapsed(o.searched, now) >= othersInterval {
		o.searched = now
		o.marks = d.findMarks()
		o.joiner.Search()
		o.joining = true
		datafile.RemoveStale(d.store.Dir)
	}
	for ; n > 0 && len(o.marks) > 0; n-- {
		path := o.marks[0]
		o.marks = o.marks[1:]
		calls, err := datafile.Recover(path, d.store.Dir, d.store.Mode)
		switch {
		case err == nil:
			d.p.log.Debug("%d calls of a process that was killed recovered from %s", calls, path)
		case !errors.Is(err, datafile.ErrBusy) && !errors.Is(err, fs.ErrNotExist):
			d.p.log.WarnHourly("recover", "%s, left by an earlier process: %v", path, err)
		}
	}
	if o.joining && n > 0 {
		o.joining = o.joiner.Join(n, func(path string, err error) {
			d.p.log.Warn("%s, left by an earlier process: %v", path, err)
		})
	}
}

// findMarks returns the marks files of other processes with the same dataDir, and
// removes those of others that are forgotten.
func (d *dataFile) findMarks() (paths []string) {
	if !canMap {
		return nil
	}
	info, err := os.Stat(d.store.Dir)
	if err != nil {
		return nil
	}
	_, prefix := datafile.MarksName(info, "")
	for _, dir := range datafile.MarksDirs(os.Geteuid(), d.store.Dir) {
		for _, path := range datafile.MarksIn(dir, "") {
			switch {
			case d.marks != nil && path == d.marks.path:
			case datafile.IsMarks(filepath.Base(path), prefix):
				paths = append(paths, path)
			case dir != d.store.Dir:
				datafile.Forget(path, forgottenAfter)
			}
		}
		if dir != d.store.Dir {
			datafile.RemoveStale(dir)
		}
	}
	return paths
}
