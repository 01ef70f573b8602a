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
}

// Path returns the name of the file.
func (s *Store) Path() string {
	name := hitsPrefix + s.Identity.key()
	if s.Process != "" {
		name += "-" + s.Process
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

	// State marks the stamps of Calls as sent, as far as they are not later than the
	// times there, which do not raise them. It is Unsent for calls.
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

// Update writes to the file, and creates it if it is not there. Calls are in the file
// when it returns, or the error says why not; then an update may be repeated.
func (s *Store) Update(u *Update) (Result, error) {
	var r Result
	file, h, created, err := s.open()
	if err != nil {
		return r, err
	}
	defer file.Close()
	records, err := readTable(file, h)
	if err != nil {
		return r, err
	}
	calls := u.Calls
	var own Process
	if u.Process != nil {
		own = *u.Process
		own.Writes++
		written, known := records.update(&own)
		r.Replaced = u.Process.Writes > 0 && (created || !known || written < u.Process.Writes)
		if (r.Replaced || created) && u.All != nil {
			calls = u.All
		}
		if r.Replaced && own.State == Recovered {
			own.State = Lossy // what it wrote before is in a file that is not here
			records.update(&own)
		}
	}
	records.add(u)
	r.Damaged = records.damaged
	damaged, err := raise(file, h, calls, u.State)
	r.Damaged += damaged
	if err != nil || u.State != Unsent {
		return r, err
	}
	// The records come last: they say that the calls are written.
	if _, err = file.WriteAt(records.b, h.Records); err == nil && u.Process != nil {
		u.Process.Writes = own.Writes
	}
	return r, err
}

// open opens and locks the file, and reads its header.
func (s *Store) open() (file *os.File, h *Header, created bool, err error) {
	path := s.Path()
	for range 10 { // another process may create or remove it meanwhile
		file, err = Open(path, os.O_RDWR, 0)
		if errors.Is(err, fs.ErrNotExist) {
			if err = s.create(path); err != nil && !errors.Is(err, fs.ErrExist) {
				return nil, nil, false, err
			}
			created = err == nil
			continue
		}
		if err != nil {
			return nil, nil, false, err
		}
		if s.Process == "" {
			err = Lock(file, s.Wait)
		}
		if err == nil && !isAt(file, path) {
			_ = file.Close()
			continue
		}
		if err == nil {
			if h, err = ReadHeader(file); err == nil {
				err = s.check(h)
			}
			if err == nil {
				return file, h, created, nil
			}
			if s.Process == "" { // under the lock
				s.setAside(path)
				_ = file.Close()
				continue
			}
		}
		_ = file.Close()
		return nil, nil, false, err
	}
	return nil, nil, false, fmt.Errorf("%s: it does not last: %w", path, err)
}

// check checks that a header is what this store writes.
func (s *Store) check(h *Header) error {
	if h.Format != format || h.Identity != s.Identity || h.Process != s.Process {
		return errors.New("damaged: the header is of another file")
	}
	return nil
}

// setAside renames a damaged file, so that a new one takes its place. What is sound in
// it still counts, as it keeps the name of a hits file.
func (s *Store) setAside(path string) {
	aside := fmt.Sprintf("%s-damaged-%x%s", path[:len(path)-len(hitsSuffix)], time.Now().UnixNano(), hitsSuffix)
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
	err = s.writeNew(file)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	s.giveTo(temp)
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

// giveTo gives a new file to the user that it is of, if this process may do that.
func (s *Store) giveTo(path string) {
	if os.Geteuid() == 0 && s.Identity.UID > 0 {
		_ = os.Lchown(path, s.Identity.UID, -1)
	}
}

// writeNew writes a file without calls.
func (s *Store) writeNew(w io.Writer) error {
	h := Header{Format: format, Identity: s.Identity, Process: s.Process, CreatedAt: millis(time.Now())}
	head, err := h.layOut()
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 64<<10) // keeps its first error for Flush
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
	stamps := roundUp(int64(h.Functions) * stampSize)
	for h.Stamps = pageSize; ; h.Stamps += pageSize {
		h.Records = h.Stamps + stamps
		head, err := json.Marshal(h)
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

// raise raises the stamps of calls, or marks them as sent. It returns the number of
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

// readTable reads the records of a file.
func readTable(file *os.File, h *Header) (*table, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	size := info.Size() - h.Records
	const most = 1 << 20 // 4,096 processes
	if size < pageSize || size > most {
		return newTable(), nil
	}
	t := &table{b: make([]byte, size/pageSize*pageSize)}
	if n, err := file.ReadAt(t.b, h.Records); n < len(t.b) {
		return nil, fmt.Errorf("reading records: %w", err)
	}
	return t, nil
}
