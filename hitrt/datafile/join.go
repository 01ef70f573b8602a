// Joining: what ended processes left in files of their own moves to the shared one.
//
// Whoever copies dataDir meanwhile may have read the shared file before the move, and
// the other after it. So a file in dataDir that was joined is not removed at once: it
// is marked as joined, in its first bytes, and stays for [JoinedFor]. Until then its
// calls are in both, which changes nothing.

package datafile

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// JoinedFor is the time that a file stays after it was joined.
	JoinedFor = 10 * time.Minute

	// aloneFor is the time after which the file of one process alone is joined although
	// nothing says that its process has ended. If it lives, it writes another one.
	aloneFor = time.Hour
)

// Recover writes what a process left in its marks file to the hits file in dir, and
// removes the marks file. It returns [ErrBusy] if the process lives.
func Recover(path, dir string, mode os.FileMode) (calls int, err error) {
	file, err := Open(path, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	if err := Lock(file, 0); err != nil {
		return 0, err
	}
	if !isAt(file, path) {
		return 0, fs.ErrNotExist // another process recovered it
	}
	m, err := ReadMarks(file)
	if err != nil {
		return 0, err
	}
	if m.Saved {
		return 0, removeLater(path, file)
	}
	if m.Ended && len(m.Calls) == 0 {
		return 0, os.Remove(path) // nothing moves
	}
	store := Store{Dir: dir, Identity: m.Identity, Mode: mode, Wait: 100 * time.Millisecond}
	u := Update{Calls: sequence(m.Calls, m.At), Process: m.process()}
	if _, err := store.Update(&u); errors.Is(err, ErrNoLocks) || errors.Is(err, ErrNoLinks) {
		store.Process = m.Process
		_, err = store.Update(&u)
		if err != nil {
			return 0, err
		}
	} else if err != nil {
		return 0, err
	}
	if filepath.Clean(filepath.Dir(path)) != filepath.Clean(dir) {
		return len(m.Calls), os.Remove(path)
	}
	_, err = file.WriteAt([]byte{SavedState}, m.State+SavedAt)
	return len(m.Calls), err
}

// sequence yields functions with one time.
func sequence(functions []int, at int64) iter.Seq2[int, int64] {
	return func(yield func(int, int64) bool) {
		for _, i := range functions {
			if !yield(i, at) {
				return
			}
		}
	}
}

// removeLater removes a file that was joined long enough ago.
func removeLater(path string, file *os.File) error {
	info, err := file.Stat()
	if err != nil || time.Since(info.ModTime()) < JoinedFor {
		return err
	}
	return os.Remove(path)
}

// A Joiner joins the files of ended processes in a directory.
type Joiner struct {
	Dir    string
	Mode   os.FileMode
	Wanted func(*Identity) bool // which to join

	paths  []string // found and not tried
	failed map[string]bool
}

// Search looks for files that may be joined.
func (j *Joiner) Search() {
	entries, _ := os.ReadDir(j.Dir)
	j.paths = j.paths[:0]
	for _, e := range entries {
		path := filepath.Join(j.Dir, e.Name())
		if IsHits(e.Name()) && !isShared(e.Name()) && !j.failed[path] {
			j.paths = append(j.paths, path)
		}
	}
}

// isShared reports whether a name is that of a shared file.
func isShared(name string) bool {
	return strings.HasPrefix(name, hitsPrefix) && !strings.Contains(strings.TrimPrefix(name, hitsPrefix), "-")
}

// Join joins at most n of the files that Search found, and reports whether there are
// more. failed is called, once for each file, with why one cannot be joined.
func (j *Joiner) Join(n int, failed func(path string, err error)) (more bool) {
	for ; n > 0 && len(j.paths) > 0; n-- {
		path := j.paths[0]
		j.paths = j.paths[1:]
		err := j.join(path)
		if err == nil || errors.Is(err, ErrBusy) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			continue
		}
		if j.failed == nil {
			j.failed = map[string]bool{}
		}
		j.failed[path] = true
		failed(path, err)
	}
	return len(j.paths) > 0
}

// join joins one file.
func (j *Joiner) join(path string) error {
	file, err := Open(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	r, err := newReader(file)
	if err != nil {
		_ = file.Close()
		return err
	}
	defer r.Close()
	if !j.Wanted(&r.Identity) {
		return nil
	}
	if r.Joined {
		return removeLater(path, file)
	}
	if err := r.claim(); err != nil {
		return err
	}
	if !isAt(file, path) {
		return fs.ErrNotExist
	}
	store := Store{Dir: j.Dir, Identity: r.Identity, Mode: j.Mode, Wait: 100 * time.Millisecond}
	if err := r.copyTo(&store); err != nil {
		return err
	}
	magic := joinedMagic
	if r.old != nil {
		magic = oldJoinedMagic
	}
	_, err = file.WriteAt([]byte(magic), 0)
	return err
}

// claim makes sure that the process of a file has ended. It returns [ErrBusy] if it may
// live.
func (r *Reader) claim() error {
	if r.old != nil {
		if !r.old.Locked {
			return ErrBusy // who knows
		}
		return Lock(r.file, 0)
	}
	info, err := r.file.Stat()
	if err != nil {
		return err
	}
	_, processes, _ := r.Processes()
	if len(processes) == 1 && processes[0].State != Running || time.Since(info.ModTime()) > aloneFor {
		return nil
	}
	return ErrBusy
}

// copyTo raises the stamps of a store to those of the file. A file of which a part is
// damaged is copied, and stays as it is: it alone says of which functions nothing is
// known.
func (r *Reader) copyTo(store *Store) error {
	byState := [3][]int{}
	times := make([]int64, r.Functions)
	damaged := r.Stamps(func(i int, at int64, state State) {
		if state != Damaged {
			times[i] = max(times[i], at)
			byState[state] = append(byState[state], i)
		}
	})
	all := slices.Concat(byState[:]...)
	slices.Sort(all)
	calls := func(functions []int) iter.Seq2[int, int64] {
		return func(yield func(int, int64) bool) {
			for _, i := range functions {
				if !yield(i, times[i]) {
					return
				}
			}
		}
	}
	sums, processes, _ := r.Processes()
	if r.Joined {
		sums, processes = Totals{}, nil // they are counted in the shared file
	}
	u := Update{Calls: calls(slices.Compact(all)), Sums: sums, Others: processes}
	if _, err := store.Update(&u); err != nil {
		return err
	}
	for _, state := range []State{Once, Sent} {
		if len(byState[state]) == 0 {
			continue
		}
		if _, err := store.Update(&Update{Calls: calls(byState[state]), State: state}); err != nil {
			return err
		}
	}
	return damaged
}

// Merge adds the calls of a hits file to the files in another directory, and leaves it as
// it is. The error says what is damaged; the rest is added.
func Merge(path, dir string, mode os.FileMode) error {
	r, err := OpenHits(path)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := r.copyTo(&Store{Dir: dir, Identity: r.Identity, Mode: mode, Wait: time.Second}); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
