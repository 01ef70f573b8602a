//go:build !nonetwork

// Unsent files: calls of processes without dataDir that no collector has yet.
//
// Such a file is not in dataDir but in a directory of the user's own, one for each
// application, environment, collector and api key. It outlives builds: a function is named
// by the hash by which the collector knows it, so that a later build can send the calls of
// an earlier one, and nobody needs a codebase file.
//
//	0         "SCAVUNS1"
//	8 + 24*i  hash of a function, 16 bytes; its stamp, 8 bytes
//
// All processes share the file. Each raises stamps in place and adds records at the end,
// under the file's lock, so it holds each function once, however many processes end. A
// process that is killed meanwhile, or a full disk, costs no record that was there before.
// The file is removed when the collector has accepted all of its calls twice.

package datafile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math/bits"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	unsentMagic  = "SCAVUNS1"
	unsentSuffix = ".unsent"
	unsentSize   = 16 + stampSize

	// maxUnsentCalls is the largest number of functions in a file, five times what
	// maxMethodsCount allows a program.
	maxUnsentCalls = 1 << 19

	// Of the files in one directory those that were written the longest time ago are
	// removed: all after unsentFor, and so many that no more than these are left.
	unsentFor      = 365 * 24 * time.Hour
	maxUnsentFiles = 64
	maxUnsentBytes = 64 << 20
)

// An UnsentCall is one call of an unsent file.
type UnsentCall struct {
	Hash  [16]byte
	At    int64 // Unix milliseconds
	State State
}

// An UnsentFile is the place of an unsent file.
type UnsentFile struct {
	Path string
	Wait time.Duration // for the lock
}

// UnsentName returns the name of the unsent file of processes that have in common what
// the parts say.
func UnsentName(parts ...string) string {
	h := NewSHA256()
	for _, s := range parts {
		fmt.Fprintf(h, "%q\n", s)
	}
	return Hex(h.Sum(nil)[:8]) + unsentSuffix
}

// Read returns the calls that the collector has not accepted twice. It does not wait for
// the lock: a record that is being written makes no sense yet, and is read the next time.
func (o *UnsentFile) Read() (calls []UnsentCall, err error) {
	file, err := Open(o.Path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b, err := readUnsent(file)
	for r := range records(b) {
		if c := r.call(); c.isPending() {
			calls = append(calls, c)
		}
	}
	return calls, err
}

// Add adds calls. They are in the file when it returns, or the error says why not all of
// them are.
func (o *UnsentFile) Add(calls []UnsentCall) error {
	_, err := os.Lstat(o.Path)
	isNew := errors.Is(err, fs.ErrNotExist)
	if isNew {
		makeRoom(filepath.Dir(o.Path))
	}
	file, err := o.open(os.O_CREATE)
	if err != nil {
		return err
	}
	defer release(file)
	if isNew {
		_ = file.Chmod(0o600) // whatever the umask is
	}
	b, err := readUnsent(file)
	if err != nil {
		return err
	}
	at := map[[16]byte]int{} // of records
	for r, offset := range records(b) {
		at[r.call().Hash] = offset
	}
	full := 0
	for _, c := range calls {
		offset, ok := at[c.Hash]
		switch {
		case ok:
			record(b[offset:][:unsentSize]).raise(c)
		case len(at) >= maxUnsentCalls:
			full++
		default:
			at[c.Hash] = len(b)
			b = append(b, make([]byte, unsentSize)...)
			record(b[at[c.Hash]:]).put(c)
		}
	}
	// If the disk is full, what did not fit is no whole record.
	if _, err := file.WriteAt(b, 0); err != nil {
		removeEmpty(file, o.Path)
		return withoutPath(err)
	}
	if full > 0 {
		return fmt.Errorf("%d functions are more than a file may hold", maxUnsentCalls+full)
	}
	return nil
}

// Accepted notes that the collector accepted calls, as Read returned them, once more. It
// removes a file that nobody needs any more.
func (o *UnsentFile) Accepted(calls []UnsentCall) error {
	file, err := o.open(0)
	if err != nil {
		return err
	}
	defer release(file)
	b, err := readUnsent(file)
	if err != nil {
		return err
	}
	sent := make(map[[16]byte]UnsentCall, len(calls))
	for _, c := range calls {
		sent[c.Hash] = c
	}
	left := false
	for r := range records(b) {
		now := r.call()
		if c, ok := sent[now.Hash]; ok && now.At == c.At && now.State <= c.State {
			now.State = c.State + 1
			r.put(now)
		}
		left = left || now.isPending()
	}
	if !left {
		return os.Remove(o.Path)
	}
	_, err = file.WriteAt(b, 0)
	return withoutPath(err)
}

// isPending reports whether the call is to be sent.
func (c *UnsentCall) isPending() bool { return c.State < Sent && c.At != 0 }

// A record is the part of a file that holds one call.
type record []byte

// records yields the whole records of a file and where they are.
func records(b []byte) iter.Seq2[record, int] {
	return func(yield func(record, int) bool) {
		for at := len(unsentMagic); at+unsentSize <= len(b); at += unsentSize {
			if !yield(b[at:][:unsentSize], at) {
				return
			}
		}
	}
}

// saltOf makes the checksum of a stamp one of the hash before it too, which is as good as
// random.
func saltOf(hash [16]byte) salt {
	return salt(Uint64(hash[:]) ^ bits.RotateLeft64(Uint64(hash[8:]), 32))
}

// call returns the call. Its state is Damaged if the record makes no sense.
func (r record) call() (c UnsentCall) {
	copy(c.Hash[:], r)
	c.At, c.State = saltOf(c.Hash).read(0, Uint64(r[16:]))
	return c
}

func (r record) put(c UnsentCall) {
	copy(r, c.Hash[:])
	PutUint64(r[16:], saltOf(c.Hash).stamp(0, c.At, c.State))
}

// raise takes in another call of the same function: the later one counts, and of two at
// the same time the one that was accepted fewer times.
func (r record) raise(c UnsentCall) {
	old := r.call()
	c.At = min(max(c.At, MinTime), MaxTime)
	if old.State == Damaged || c.At > old.At || c.At == old.At && c.State < old.State {
		r.put(c)
	}
}

// open opens and locks the file. flag is O_CREATE or 0.
func (o *UnsentFile) open(flag int) (*os.File, error) {
	for range 10 { // another process may remove it meanwhile
		file, err := Open(o.Path, os.O_RDWR|flag, 0o600)
		if err != nil {
			return nil, err
		}
		if err := Lock(file, o.Wait); err != nil {
			if errors.Is(err, ErrNoLocks) { // nobody can use it
				removeEmpty(file, o.Path)
			}
			_ = file.Close()
			return nil, err
		}
		if isAt(file, o.Path) {
			return file, nil
		}
		release(file)
	}
	return nil, errors.New("it does not last")
}

// release unlocks and closes a file: a child that was forked without exec must not keep
// the lock.
func release(file *os.File) {
	unlock(file)
	_ = file.Close()
}

// removeEmpty removes a file if it is empty.
func removeEmpty(file *os.File, path string) {
	if info, err := file.Stat(); err == nil && info.Size() == 0 {
		_ = os.Remove(path)
	}
}

// readUnsent returns what a file begins with, and its whole records.
func readUnsent(file *os.File) ([]byte, error) {
	const most = int64(len(unsentMagic) + maxUnsentCalls*unsentSize)
	b, err := io.ReadAll(io.LimitReader(file, most))
	if err != nil {
		return nil, withoutPath(err)
	}
	if len(b) < len(unsentMagic) {
		return []byte(unsentMagic), nil // new, or all of it is lost
	}
	copy(b, unsentMagic) // each record tells by itself whether it is sound
	return b[:len(b)-(len(b)-len(unsentMagic))%unsentSize], nil
}

// makeRoom removes the files of applications that do not run any more, before another one
// is made.
func makeRoom(dir string) {
	for range maxUnsentFiles {
		oldest, at, files, size := "", time.Now(), 0, int64(0)
		for _, name := range Names(dir) {
			path := filepath.Join(dir, name)
			info, err := os.Lstat(path)
			if err != nil || !info.Mode().IsRegular() || !strings.HasSuffix(path, unsentSuffix) {
				continue
			}
			files, size = files+1, size+info.Size()
			if info.ModTime().Before(at) {
				oldest, at = path, info.ModTime()
			}
		}
		if oldest == "" || files < maxUnsentFiles && size < maxUnsentBytes && time.Since(at) < unsentFor {
			return
		}
		removeLocked(oldest)
	}
}

// removeLocked removes a file that no process is writing to.
func removeLocked(path string) {
	file, err := (&UnsentFile{Path: path}).open(0)
	if err != nil {
		return
	}
	defer release(file)
	_ = os.Remove(path)
}
