// Writing hits files.

package datafile

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	hitsMagic = "SCAVHIT3"
	preamble  = 16
	format    = 3

	// maxHeader is the longest header that is read. Names in it are clamped to a few
	// hundred bytes.
	maxHeader = 64 << 10
)

// A Header is the header of a hits file.
type Header struct {
	Format int `json:"format"`
	Identity
	Process   string `json:"process,omitempty"` // of a file of one process alone: its UUID
	Stamps    int64  `json:"stamps"`            // S
	Records   int64  `json:"records"`           // R
	CreatedAt int64  `json:"createdAt"`
}

// A Store is the place of the hits file of processes with one identity.
type Store struct {
	Dir      string
	Identity Identity
	Process  string        // if not empty, the file is of this process alone
	Mode     os.FileMode   // of new files
	Wait     time.Duration // for the lock
	Mine     bool          // new files belong to this process's user, whoever they are of

	// File is the path of the file, if it is not the one that the other fields give: a file
	// that came from another directory.
	File string

	joined    int    // files of the process that others have joined meanwhile
	directory string // ID of the directory, once it is known
	unnamed   bool   // it has none, and can get none
}

// Path returns the name of the file.
func (s *Store) Path() string {
	if s.File != "" {
		return s.File
	}
	if s.directory == "" {
		s.directory = directoryID(s.Dir)
	}
	name := hitsPrefix + s.Identity.key(s.directory)
	if s.Process != "" {
		name += "-" + s.Process
	}
	if s.joined > 0 {
		name += "-" + strconv.Itoa(s.joined)
	}
	return filepath.Join(s.Dir, name+hitsSuffix)
}

// An Update is what one process writes at a time.
type Update struct {
	// Calls are the functions whose stamps are raised, in ascending order, and the times
	// of their calls in Unix milliseconds.
	Calls iter.Seq2[int, int64]

	// All are the same for everything that the process called so far. They are written
	// if the file is new, or another one than that of the process's last update.
	All iter.Seq2[int, int64]

	// State is Unsent for calls. Once and Sent mark the stamps of Calls as sent, as far
	// as they are not later than the times there, which do not raise them. Damaged makes
	// those unknown that say never called.
	State State

	Process *Process // its record

	// Sums and Others are processes whose calls are in Calls as well, when files are
	// joined.
	Sums   Totals
	Others []Process
}

// A Result is what an update found.
type Result struct {
	Replaced bool // the file was not there, or had not this process's last update
	Damaged  int  // damaged stamps and records that were written anew
}

// Update writes to the file. It creates one that is not there, if State is Unsent. Calls
// are in the file when it returns, or the error says why not; then an update may be
// repeated.
func (s *Store) Update(u *Update) (Result, error) {
	var r Result
	f, err := s.open(u.State == Unsent)
	if err != nil {
		return r, err
	}
	defer f.release()
	records, err := readTable(f.File, f.h)
	if err != nil {
		return r, err
	}
	calls := u.Calls
	var own Process
	if u.Process != nil && u.State == Unsent {
		own = *u.Process
		own.Writes++
		written, known := records.update(&own)
		r.Replaced = u.Process.Writes > 0 && (f.created || f.mended || !known || written < u.Process.Writes)
		if (r.Replaced || f.created) && u.All != nil {
			calls = u.All
		}
		if r.Replaced && own.State == Recovered {
			own.State = Lossy // what it wrote before is in a file that is not here
			records.update(&own)
		}
	}
	records.add(u)
	damaged, err := raise(f.File, f.h, calls, u.State)
	if r.Damaged = records.damaged + damaged; f.mended {
		r.Damaged++
	}
	if err != nil || u.State != Unsent {
		return r, err
	}
	// The records come last: they say that the calls are written.
	if err = records.writeTo(f.File, f.h.Records); err == nil && u.Process != nil {
		u.Process.Writes = own.Writes
	}
	return r, err
}

// An opened file is open, locked, whole and in its place.
type opened struct {
	*os.File
	h       *Header
	created bool // it was not there
	mended  bool // its header was damaged, or its end was missing
}

// release unlocks and closes the file. A program that forks without exec leaves the
// descriptor open in the child, which must not keep the lock.
func (f *opened) release() {
	unlock(f.File)
	_ = f.Close()
}

// errAgain says that a file is not where it was, or that another one is to be used.
var errAgain = errors.New("another file took its place")

// open opens and locks the file. If it is not there, create says whether to create it.
func (s *Store) open(create bool) (*opened, error) {
	f := &opened{}
	var err error
	if s.Path(); s.directory == "" && s.File == "" && !s.unnamed && create {
		s.makeDirectoryID()
	}
	for range 10 { // another process may create or remove it meanwhile
		path := s.Path()
		f.File, err = Open(path, os.O_RDWR, 0)
		if create && errors.Is(err, fs.ErrNotExist) {
			if err = s.create(path); err != nil && !errors.Is(err, fs.ErrExist) {
				return nil, err
			}
			f.created = err == nil
			continue
		}
		if err != nil {
			return nil, err
		}
		err = Lock(f.File, s.Wait)
		if s.Process != "" && (errors.Is(err, ErrNoLocks) || errors.Is(err, ErrBusy)) {
			err = nil // nobody else writes to it
		}
		if err == nil {
			err = s.take(f, path)
		}
		if err == nil {
			return f, nil
		}
		f.release()
		if !errors.Is(err, errAgain) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s: it does not last: %w", s.Path(), err)
}

// take makes sure that a file is the one of this store, and whole.
//
// A damaged header is written again: whoever knows what it said need not lose what
// follows it. A new file in place of the damaged one would say of functions that the
// old one alone knows of that they were never called.
func (s *Store) take(f *opened, path string) error {
	if !isAt(f.File, path) {
		return errAgain
	}
	want := s.header()
	head, err := want.layOut()
	if err != nil {
		return err
	}
	r, err := newReader(f.File)
	switch {
	case err == nil && (r.old != nil || r.Identity != want.Identity || r.Header.Process != want.Process):
		s.setAside(path) // of others, who find it under its new name as well
		return errAgain
	case err == nil && r.Joined && s.Process != "":
		s.joined++ // it will be removed
		return errAgain
	case err == nil && !r.Joined:
		f.h = &r.Header
	default:
		var start [preamble]byte
		if _, err := f.ReadAt(start[:], 0); err != nil && err != io.EOF {
			return err // nobody knows whether it is damaged
		}
		b := make([]byte, want.Stamps)
		putPreamble(b, hitsMagic, head)
		if _, err := f.WriteAt(b, 0); err != nil {
			return err
		}
		f.h, f.mended = want, true
	}
	info, err := f.Stat()
	if err == nil && info.Size() < f.h.Records+pageSize {
		f.mended = true
		err = f.Truncate(f.h.Records + pageSize) // zeros are damage
	}
	return err
}

// setAside renames a file, so that a new one takes its place. It keeps the name of a
// hits file.
func (s *Store) setAside(path string) {
	aside := fmt.Sprintf("%s-other-%x%s", strings.TrimSuffix(path, hitsSuffix), time.Now().UnixNano(), hitsSuffix)
	_ = os.Rename(path, aside)
}

// create writes a file without calls, complete or not at all.
func (s *Store) create(path string) error {
	temp := fmt.Sprintf("%s.%d-%x%s", path, os.Getpid(), time.Now().UnixNano(), tempSuffix)
	file, err := Open(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, s.mode())
	if err != nil {
		return err
	}
	defer os.Remove(temp)
	if s.Process == "" {
		err = Lock(file, 0) // where that fails nobody could use the file
	}
	if err == nil {
		err = s.writeNew(file)
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if s.Process != "" { // nobody else creates it
		return os.Rename(temp, path)
	}
	err = os.Link(temp, path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return errors.Join(ErrNoLinks, err)
	}
	return err
}

func (s *Store) mode() os.FileMode {
	if s.Mode == 0 {
		return 0o600
	}
	return s.Mode
}

// give gives a new file the mode that the setting asks for, whatever the umask, and to
// the user that it is of, if this process may do that.
func (s *Store) give(file *os.File) error {
	s.own(file)
	if s.Mode == 0 {
		return nil
	}
	return file.Chmod(s.Mode)
}

// own gives a new file to the user that it is of, if this process may do that.
func (s *Store) own(file *os.File) {
	if !s.Mine && os.Geteuid() == 0 && s.Identity.UID > 0 {
		_ = file.Chown(s.Identity.UID, -1)
	}
}

// header returns the header of a new file.
func (s *Store) header() *Header {
	return &Header{Format: format, Identity: s.Identity.normal(), Process: s.Process, CreatedAt: millis(time.Now())}
}

// staleAge is the age from which a temporary file is abandoned: a process writes one
// within seconds.
const staleAge = time.Hour

// RemoveStale removes the temporary files of processes that were killed while writing
// them.
func RemoveStale(dir string) {
	entries, _ := ReadDir(dir)
	for _, e := range entries {
		if !isTemporary(e.Name()) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > staleAge {
			_ = os.Remove(path)
		}
	}
}

// isTemporary reports whether a name is that of a file of ours that is not whole.
func isTemporary(name string) bool {
	for _, pattern := range []string{"hits-*.hits.*.tmp", directoryFile + ".*.tmp", "process-*.hits.*.tmp", "codebase-*.json.*.tmp", "*-*-*-*-*-*.marks.tmp"} {
		if ok, _ := filepath.Match(pattern, name); ok {
			return true
		}
	}
	return false
}

// Replace writes a file of any name in the directory, complete or not at all, in place
// of what has the name. unique is part of its name until it is whole.
func (s *Store) Replace(path, unique string, write func(io.Writer) error) error {
	temp := path + "." + unique + tempSuffix
	file, err := Open(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, s.mode())
	if err != nil {
		return err
	}
	if err = s.give(file); err == nil {
		w := bufio.NewWriterSize(file, 64<<10)
		if err = write(w); err == nil {
			err = w.Flush()
		}
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		_ = os.Remove(temp)
	}
	return err
}

// writeNew writes a file without calls.
func (s *Store) writeNew(file *os.File) error {
	if err := s.give(file); err != nil {
		return err
	}
	h := s.header()
	head, err := h.layOut()
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(file, window) // keeps its first error for Flush
	start := make([]byte, h.Stamps)
	putPreamble(start, hitsMagic, head)
	_, _ = out.Write(start)
	salt, never := newSalt(h.Fingerprint), make([]byte, 0, pageSize)
	for i := range int((h.Records - h.Stamps) / stampSize) {
		if never = binary.LittleEndian.AppendUint64(never, salt.stamp(i, 0, Unsent)); len(never) == pageSize {
			_, _ = out.Write(never)
			never = never[:0]
		}
	}
	_, _ = out.Write(newTable().b)
	return out.Flush()
}

// layOut sets the offsets, and returns the header that has them.
func (h *Header) layOut() ([]byte, error) {
	if h.Functions < 0 || h.Functions > MaxFunctions {
		return nil, fmt.Errorf("%d functions are too many", h.Functions)
	}
	stamps := roundUp(int64(h.Functions) * stampSize)
	for h.Stamps = pageSize; ; h.Stamps += pageSize {
		h.Records = h.Stamps + stamps
		head, err := json.Marshal(h)
		if err == nil && len(head) > maxHeader {
			err = fmt.Errorf("a header of %d bytes is too long", len(head))
		}
		if err != nil || int64(preamble+len(head)) < h.Stamps {
			return head, err
		}
	}
}

// putPreamble writes what a file begins with.
func putPreamble(b []byte, magic string, head []byte) {
	copy(b, magic)
	binary.LittleEndian.PutUint32(b[8:], uint32(len(head)))
	binary.LittleEndian.PutUint32(b[12:], crc32.ChecksumIEEE(head))
	copy(b[preamble:], head)
}

func roundUp(n int64) int64 { return (n + pageSize - 1) &^ (pageSize - 1) }

// isAt reports whether path is the name of the file.
func isAt(file *os.File, path string) bool {
	own, err := file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(path)
	return err == nil && os.SameFile(own, named)
}

// window is the size of the part of a file that is read and written at once.
const window = 16 * pageSize

// A stampFile is what raise needs of an [os.File].
type stampFile interface {
	io.ReaderAt
	io.WriterAt
}

// raise raises the stamps of calls, or marks them as [Update.State] says. It returns the number of
// those that were damaged.
func raise(file stampFile, h *Header, calls iter.Seq2[int, int64], state State) (damaged int, err error) {
	if calls == nil {
		return 0, nil
	}
	salt, buf := newSalt(h.Fingerprint), make([]byte, 0, window)
	at, low, high := int64(-1), 0, 0 // the window, and what was changed in it
	flush := func() error {
		if low >= high {
			return nil
		}
		_, err := file.WriteAt(buf[low:high], at+int64(low))
		return err
	}
	for i, call := range calls {
		if i < 0 || i >= h.Functions {
			continue
		}
		offset := h.Stamps + int64(i)*stampSize
		if at < 0 || offset >= at+int64(len(buf)) || offset < at {
			if err := flush(); err != nil {
				return damaged, err
			}
			at = offset &^ (pageSize - 1)
			buf = buf[:min(window, h.Records-at)]
			if n, err := file.ReadAt(buf, at); n < len(buf) {
				return damaged, fmt.Errorf("reading stamps: %w", err)
			}
			low, high = len(buf), 0
		}
		b := buf[offset-at:][:stampSize]
		old := binary.LittleEndian.Uint64(b)
		last, was := salt.read(i, old)
		if was == Damaged {
			damaged++
		}
		// A clock that is wrong must not make a call look like none.
		call = min(max(call, MinTime), MaxTime)
		stamp := old
		switch {
		case was == Damaged && state != Unsent:
		case state == Damaged && last == 0:
			stamp = unknown
		case state == Damaged:
		case state == Unsent && (call > last || was == Damaged):
			stamp = salt.stamp(i, call, Unsent)
		case state != Unsent && last != 0 && last <= call && state > was:
			stamp = salt.stamp(i, last, state)
		}
		if stamp != old {
			binary.LittleEndian.PutUint64(b, stamp)
			low, high = min(low, int(offset-at)), max(high, int(offset-at)+stampSize)
		}
	}
	return damaged, flush()
}
