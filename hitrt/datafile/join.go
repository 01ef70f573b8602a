// Joining: what ended processes left in files of their own moves to the shared one.
//
// Whoever copies dataDir meanwhile may have read the shared file before the move, and
// the other after it. So a file in dataDir that was joined is not removed at once: it
// says so, in its first bytes, and stays for [JoinedFor]. Until then its
// calls are in both, which changes nothing.

package datafile

import (
	"errors"
	"fmt"
	"io"
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
// removes the marks file. It returns [ErrBusy] if the process lives, and [ErrElsewhere] if
// it wrote to another directory. Of a file that is damaged it writes what is sound, and
// returns what is not.
func Recover(path, dir string, mode os.FileMode) (calls int, err error) {
	file, err := Open(path, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	if err := Lock(file, 0); err != nil {
		return 0, err
	}
	defer unlock(file)
	if !isAt(file, path) {
		return 0, fs.ErrNotExist // another process recovered it
	}
	m, damage := ReadMarks(file)
	if m == nil {
		if isUnwritten(file) {
			return 0, removeLater(path, file) // its process was killed as it began
		}
		return 0, damage
	}
	if err := mayMove(file, m.UID); err != nil {
		return 0, err
	}
	inDir := isSame(filepath.Dir(path), dir)
	switch {
	case !inDir && !m.IsOf(dir):
		return 0, ErrElsewhere
	case m.Saved && inDir:
		return 0, removeLater(path, file)
	case m.Saved:
		return 0, os.Remove(path)
	}
	process := m.Record()
	if damage != nil {
		process.State = Lossy
	}
	if m.Ended && len(m.Calls) == 0 && damage == nil {
		return 0, os.Remove(path) // nothing moves
	}
	store := Store{Dir: dir, Identity: m.Identity, Mode: mode, Wait: 100 * time.Millisecond}
	err = store.updateFor(m.Process, &Update{Calls: sequence(m.Calls, m.At), Process: process})
	switch {
	case err != nil:
		return 0, err
	case inDir: // who copies dir may have read the hits file before
		_, err = file.WriteAt([]byte{SavedState}, m.State+SavedAt)
	default:
		err = os.Remove(path)
	}
	return len(m.Calls), errors.Join(err, damage)
}

// updateFor updates the file of a process alone, if that is where it wrote before or if
// there can be no shared one, and the shared file otherwise.
func (s Store) updateFor(process string, u *Update) error {
	alone := s
	alone.Process = process
	if _, err := os.Lstat(alone.Path()); err == nil {
		s = alone
	}
	_, err := s.Update(u)
	if errors.Is(err, ErrNoLocks) || errors.Is(err, ErrNoLinks) {
		_, err = alone.Update(u)
	}
	return err
}

const (
	// settledAfter is the time after which the marks file of a killed process is recovered
	// by processes with another dataDir.
	settledAfter = time.Hour

	// ForgottenAfter is the time after which it is removed if its dataDir is not there, and
	// crowdedAfter that if there are many.
	ForgottenAfter = 7 * 24 * time.Hour
	crowdedAfter   = 24 * time.Hour
)

// Settle deals with the marks file of a killed process that had another dataDir, or one
// of the same name that was removed: such a file takes memory.
//
// If such files are many, those without a dataDir go after a day.
func Settle(path string, mode os.FileMode, many bool) {
	file, err := Open(path, os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer file.Close()
	if Lock(file, 0) != nil {
		return
	}
	defer unlock(file)
	m, err := ReadMarks(file)
	if err != nil || !isAt(file, path) {
		return
	}
	age := time.Since(time.UnixMilli(m.SeenAt))
	info, err := os.Stat(m.DataDir)
	switch {
	case age < settledAfter:
	case err == nil && info.IsDir():
		unlock(file)
		_, _ = Recover(path, m.DataDir, mode)
	case age > ForgottenAfter || many && age > crowdedAfter:
		_ = os.Remove(path)
	}
}

// isUnwritten reports whether a file has nothing where its first bytes should be.
func isUnwritten(file *os.File) bool {
	var start [preamble]byte
	_, err := file.ReadAt(start[:], 0)
	return (err == nil || err == io.EOF) && start == [preamble]byte{}
}

// isSame reports whether two paths lead to one directory.
func isSame(a, b string) bool {
	infoA, err := os.Stat(a)
	if err != nil {
		return false
	}
	infoB, err := os.Stat(b)
	return err == nil && os.SameFile(infoA, infoB)
}

// mayMove returns an error if a user wrote the file in the name of another one, and this
// process, as root's, could move it into the other's files.
func mayMove(file *os.File, user int) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	// Asked for last: a sandbox may kill a program that asks for its user.
	if owner := Owner(info); owner > 0 && owner != user && os.Geteuid() == 0 {
		return fmt.Errorf("it belongs to user %d, and its calls to user %d", owner, user)
	}
	return nil
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

// removeLater removes a file that was joined long enough ago. The caller has its lock,
// if there are locks, so that it is this file that is removed, and not a later one with
// its name.
func removeLater(path string, file *os.File) error {
	info, err := file.Stat()
	if err != nil || time.Since(info.ModTime()) < JoinedFor || !isAt(file, path) {
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

// Search looks for files that may be joined, and removes temporary ones that were
// abandoned.
func (j *Joiner) Search() {
	RemoveStale(j.Dir)
	j.paths = j.paths[:0]
	for _, name := range Names(j.Dir) {
		path := filepath.Join(j.Dir, name)
		if IsHits(name) && !isShared(name) && !j.failed[path] {
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
		if err == nil || slices.ContainsFunc([]error{ErrBusy, ErrNoLocks, ErrNoLinks, fs.ErrNotExist, fs.ErrPermission},
			func(e error) bool { return errors.Is(err, e) }) {
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
	defer unlock(file) // claim may lock it and then refuse it
	if err := r.claim(); err != nil {
		return err
	}
	if !isAt(file, path) {
		return fs.ErrNotExist
	}
	if err := mayMove(file, r.UID); err != nil {
		return err
	}
	var magic [len(joinedMagic)]byte // another process may have joined it before the lock
	if _, err := file.ReadAt(magic[:], 0); err != nil {
		return err
	}
	if string(magic[:]) == joinedMagic || string(magic[:]) == oldJoinedMagic {
		return removeLater(path, file)
	}
	store := Store{Dir: j.Dir, Identity: r.Identity, Mode: j.Mode, Wait: 100 * time.Millisecond}
	damage, err := r.copyTo(&store, nil)
	if err != nil {
		return err
	}
	copy(magic[:], joinedMagic)
	if r.old != nil {
		copy(magic[:], oldJoinedMagic)
	}
	if _, err := file.WriteAt(magic[:], 0); err != nil {
		return err
	}
	return damage
}

// claim locks a file and makes sure that its process has ended. It returns [ErrBusy] if
// it may live.
func (r *Reader) claim() error {
	if r.old != nil {
		if !r.old.Locked {
			return ErrBusy // who knows
		}
		return Lock(r.file, 0)
	}
	if err := Lock(r.file, 0); err != nil && !errors.Is(err, ErrNoLocks) {
		return err
	}
	info, err := r.file.Stat()
	if err != nil {
		return err
	}
	_, processes, _ := r.Processes()
	if r.Joined || len(processes) == 1 && processes[0].State != Running || time.Since(info.ModTime()) > aloneFor {
		return nil
	}
	return ErrBusy
}

// Counted are the processes of a file that count: those that no other file has.
type Counted struct {
	Sums      Totals
	Processes []Process
}

// copyTo raises the stamps of a store to those of the file. What is damaged in the file
// is unknown in the store afterwards, unless the store knows of a call. damage says what
// it is. If counted is nil, all processes of the file count.
func (r *Reader) copyTo(store *Store, counted *Counted) (damage, err error) {
	var has [Damaged + 1]bool
	damage = r.Stamps(func(_ int, _ int64, state State) { has[state] = true })
	u := &Update{}
	switch {
	case counted != nil:
		u.Sums, u.Others = counted.Sums, counted.Processes
	case !r.Joined: // else they are counted in the shared file
		u.Sums, u.Others, _ = r.Processes()
	}
	if damage != nil && r.old != nil && len(u.Others) == 1 {
		u.Others[0].State = Lossy // its cells may be what is damaged
	}
	// The file is read anew for each state: to keep the stamps would take memory of the
	// program's, as much as a damaged header says.
	for _, state := range []State{Unsent, Once, Sent, Damaged} {
		if state != Unsent && !has[state] {
			continue
		}
		var again error
		u.State = state
		u.Calls = func(yield func(int, int64) bool) {
			more := true
			again = r.Stamps(func(i int, at int64, s State) {
				if more && (s == state || state == Unsent && s != Damaged) {
					more = yield(i, at)
				}
			})
		}
		if _, err := store.Update(u); err != nil {
			return damage, err
		}
		if again != nil && damage == nil {
			return nil, again // it was sound a moment ago
		}
		u = &Update{}
	}
	return damage, nil
}

// A DamageError says what is damaged in a file of which all else was taken.
type DamageError struct{ error }

// Merge adds the calls of a hits file to the files in another directory, which belong to
// this process's user, and leaves it as it is. What is damaged is unknown there; if that
// is all that is wrong, the error is a [DamageError]. If counted is nil, all of its processes
// count, unless it was joined.
func Merge(path, dir string, mode os.FileMode, counted *Counted) error {
	r, err := OpenHits(path)
	if err != nil {
		return err
	}
	defer r.Close()
	damage, err := r.copyTo(&Store{Dir: dir, Identity: r.Identity, Mode: mode, Wait: time.Second, Mine: true}, counted)
	if err == nil && damage != nil {
		return DamageError{damage}
	}
	return err
}
