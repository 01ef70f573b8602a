// Creating files: complete or not at all, under a temporary name until then.

package datafile

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

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

// give gives a new file its owner, and its mode, whatever the umask.
func (s *Store) give(file *os.File) error {
	s.own(file)
	if s.Mode == 0 {
		return nil
	}
	return file.Chmod(s.Mode)
}

// own gives a new file to the user whose calls it has, if this process is root's.
func (s *Store) own(file *os.File) {
	if !s.Mine && s.Identity.UID > 0 && os.Geteuid() == 0 {
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
	for _, name := range Names(dir) {
		if !isTemporary(name) {
			continue
		}
		path := filepath.Join(dir, name)
		if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > staleAge {
			_ = os.Remove(path)
		}
	}
}

// isTemporary reports whether a name is that of a file of ours that is not whole.
func isTemporary(name string) bool {
	for _, pattern := range []string{"hits-*.hits.*.tmp", "process-*.hits.*.tmp", "codebase-*.json.*.tmp", directoryFile + ".*.tmp", "*-*-*-*-*-*.marks.tmp"} {
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
		if never = AppendUint64(never, salt.stamp(i, 0, Unsent)); len(never) == pageSize {
			_, _ = out.Write(never)
			never = never[:0]
		}
	}
	_, _ = out.Write(newTable().b)
	return out.Flush()
}

// layOut sets the offsets, and returns the header that has them.
func (h *Header) layOut() ([]byte, error) {
	if h.Functions < 0 || h.Functions > maxFunctions {
		return nil, fmt.Errorf("%d functions are too many", h.Functions)
	}
	stamps := roundUp(int64(h.Functions) * stampSize)
	for h.Stamps = pageSize; ; h.Stamps += pageSize {
		h.Records = h.Stamps + stamps
		head := appendObject(nil, h.fields())
		if len(head) > maxHeader {
			return nil, fmt.Errorf("a header of %d bytes is too long", len(head))
		}
		if int64(preamble+len(head)) < h.Stamps {
			return head, nil
		}
	}
}

// putPreamble writes what a file begins with.
func putPreamble(b []byte, magic string, head []byte) {
	copy(b, magic)
	PutUint32(b[8:], uint32(len(head)))
	PutUint32(b[12:], crc32.ChecksumIEEE(head))
	copy(b[preamble:], head)
}

func roundUp(n int64) int64 { return (n + pageSize - 1) &^ (pageSize - 1) }
