// Marks files of this machine: what processes called and have not written yet.

package report

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// marks are what the marks file of one process says.
type marks struct {
	path     string
	alive    bool
	damaged  bool
	recorded bool // its process is in a hits file
	*datafile.Marks
}

// readMarks reads the marks files of processes with this directory. Those of processes
// that were killed it first tries to recover: then they are read only once. It comes
// before the hits files: a process that lives removes a call from its marks file once it is in
// its hits file.
func (d *data) readMarks(users []int) {
	for _, path := range d.findMarks(users) {
		m, err := readMarks(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the hits file has it
		}
		if m != nil && filepath.Dir(path) != filepath.Clean(d.dir) && !m.IsOf(d.dir) {
			continue
		}
		if err != nil {
			d.problem(path, kindOf(err), withoutPath(err))
		}
		if m == nil || m.Saved {
			continue
		}
		if err == nil && !m.alive {
			if _, err := datafile.Recover(path, d.dir, 0); err == nil || errors.Is(err, fs.ErrNotExist) {
				continue
			}
		}
		d.marks[m.Process] = m
	}
}

// hasMarks reports whether there is a marks file of a process with an identity.
func (d *data) hasMarks(identity datafile.Identity) bool {
	for _, m := range d.marks {
		if m.Identity == identity {
			return true
		}
	}
	return false
}

// findMarks returns the paths of marks files of processes with this directory, of some
// users.
func (d *data) findMarks(users []int) (paths []string) {
	info, err := os.Stat(d.dir)
	if err != nil {
		return nil
	}
	_, prefix := datafile.MarksName(info, "")
	for _, user := range users {
		for _, dir := range datafile.MarksDirs(user, d.dir) {
			list, err := os.ReadDir(dir)
			if err != nil {
				d.unreachable[user] = true
			}
			for _, e := range list {
				path := filepath.Join(dir, e.Name())
				// The device may have another number by now.
				ours := dir == d.dir && datafile.IsMarks(e.Name(), "")
				if (ours || datafile.IsMarks(e.Name(), prefix)) && !slices.Contains(paths, path) {
					paths = append(paths, path)
				}
			}
		}
	}
	return paths
}

// readMarks reads a marks file. Of one that is damaged it returns an error and what is
// sound.
func readMarks(path string) (*marks, error) {
	file, err := datafile.Open(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	alive := errors.Is(datafile.Lock(file, 0), datafile.ErrBusy)
	read, err := datafile.ReadMarks(file)
	if read == nil {
		return nil, err
	}
	if info, statErr := file.Stat(); statErr == nil && datafile.Owner(info) != read.UID && datafile.Owner(info) > 0 {
		return nil, fmt.Errorf("it belongs to user %d, and says to be of user %d: %w", datafile.Owner(info), read.UID, datafile.ErrNotBelieved)
	}
	return &marks{path: path, alive: alive, damaged: err != nil, Marks: read}, err
}

// addMarks adds the calls of marks files to their codebases, and processes that are in no
// hits file yet.
func (d *data) addMarks() {
	maps.DeleteFunc(d.marks, func(_ string, m *marks) bool { return !d.wants(&m.Identity) })
	for _, m := range d.marks {
		c := d.codebase(codebaseKey{m.Fingerprint, m.UID, m.UID})
		if kind, err := c.check(&datafile.Header{Identity: m.Identity}); err != nil {
			d.problem(m.path, kind, err)
			continue
		}
		for _, i := range m.Calls {
			c.called(i, m.At, m.Environment)
		}
	}
}

// addMarked adds processes that are in no hits file.
func (d *data) addMarked() {
	for _, m := range d.marks {
		c := d.codebase(codebaseKey{m.Fingerprint, m.UID, m.UID})
		if _, err := c.check(&datafile.Header{Identity: m.Identity}); err != nil || m.recorded {
			continue
		}
		f := &hitsFile{path: m.path, c: c, id: m.Identity, format: m.Format}
		f.list = []datafile.Process{{
			UUID: m.Process, Boot: m.Boot, StartedAt: m.StartedAt, SeenAt: m.SeenAt, Writes: m.Writes, State: datafile.Running, Kept: m.Kept,
		}}
		if m.Writes > 0 {
			f.list[0].State = datafile.Lossy // what it wrote is in a file that is gone
		}
		d.addProcesses(f)
	}
}
