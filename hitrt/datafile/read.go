// Reading hits files.

package datafile

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strings"
)

// A FormatError is a file of a later format than ours.
type FormatError struct{ Format string }

func (e FormatError) Error() string {
	return "written in format " + e.Format + ", which this version does not read: use a newer scavenger-wrap"
}

// A Reader reads a hits file, of any version.
type Reader struct {
	Header
	Joined bool // its calls are in a shared file as well, and so are its processes

	file *os.File
	size int64
	old  *oldHeader // nil in the present format
}

// OpenHits opens a hits file and reads its header. Processes may write to the file
// meanwhile.
func OpenHits(path string) (*Reader, error) {
	file, err := Open(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	r, err := newReader(file)
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return r, nil
}

// Old reports whether the file is of an earlier version, whatever its name is.
func (r *Reader) Old() bool { return r.old != nil }

// Owner returns the user that the file belongs to, -1 where there is none.
func (r *Reader) Owner() int {
	info, err := r.file.Stat()
	if err != nil {
		return -1
	}
	return Owner(info)
}

// Close closes the file.
func (r *Reader) Close() error { return r.file.Close() }

func newReader(file *os.File) (*Reader, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	r := &Reader{file: file, size: info.Size()}
	magic, head, err := readPreamble(file, r.size)
	if err != nil {
		return nil, err
	}
	switch magic {
	case hitsMagic, joinedMagic:
		r.Joined = magic == joinedMagic
		err = r.parse(head)
	case oldMagic, oldJoinedMagic:
		r.Joined = magic == oldJoinedMagic
		err = r.parseOld(head)
	default:
		if n, ok := strings.CutPrefix(magic, "SCAVHIT"); ok && n > hitsMagic[7:] {
			return nil, FormatError{fmt.Sprintf("%q", n)}
		}
		err = errors.New(`damaged: it does not begin with "SCAVHIT"`)
	}
	return r, err
}

// readPreamble returns what a file begins with, and its header.
func readPreamble(file io.ReaderAt, size int64) (magic string, head []byte, err error) {
	var start [preamble]byte
	n, err := file.ReadAt(start[:], 0)
	switch {
	case err != nil && err != io.EOF:
		return "", nil, withoutPath(err)
	case n == 0:
		return "", nil, errors.New("damaged: empty")
	case n < preamble:
		return "", nil, fmt.Errorf("damaged: cut off after %d bytes", n)
	}
	magic = string(start[:8])
	if !strings.HasPrefix(magic, "SCAV") {
		return magic, nil, nil
	}
	length := Uint32(start[8:])
	if length > maxHeader || int64(length) > size-preamble {
		return magic, nil, fmt.Errorf("damaged: cut off in the header, or a wrong length of the header (%d)", length)
	}
	head = make([]byte, length)
	if n, err := file.ReadAt(head, preamble); n < len(head) {
		return magic, nil, fmt.Errorf("damaged: reading the header: %w", withoutPath(err))
	}
	if crc32.ChecksumIEEE(head) != Uint32(start[12:]) {
		return magic, nil, errors.New("damaged: the header does not match its checksum")
	}
	return magic, head, nil
}

func (r *Reader) parse(head []byte) error {
	if err := readObject(head, r.Header.fields()); err != nil {
		return fmt.Errorf("damaged: header: %w", err)
	}
	h := &r.Header
	switch {
	case h.Format > format:
		return FormatError{fmt.Sprint(h.Format)}
	case h.Format != format:
		return errors.New("damaged: no format 3 or later in the header")
	case h.Functions < 0 || h.Functions > maxFunctions || h.Stamps < int64(preamble+len(head)) || h.Stamps > maxHeader+pageSize ||
		h.Stamps%pageSize != 0 || h.Records != h.Stamps+roundUp(int64(h.Functions)*stampSize):
		return fmt.Errorf("damaged: %d functions, stamps at byte %d, records at byte %d", h.Functions, h.Stamps, h.Records)
	}
	return nil
}

// Stamps calls each with every function that was called, and with every function that
// nothing is known about because its stamp is damaged. Compare Functions with the number
// of functions in the codebase before: that is how often each may be called. The error
// says what is damaged. A function of a file of an earlier version may come twice: a
// call counts more than damage, and a later call more than an earlier one.
func (r *Reader) Stamps(each func(i int, at int64, state State)) error {
	if r.old != nil {
		return r.oldStamps(each)
	}
	salt := newSalt(r.Fingerprint)
	return r.stamps(func(i int, stamp uint64) (int64, State) { return salt.read(i, stamp) }, each)
}

// stamps reads stamps as read understands them.
func (r *Reader) stamps(read func(i int, stamp uint64) (int64, State), each func(i int, at int64, state State)) error {
	return readStamps(r.file, &r.Header, read, each)
}

// readStamps reads a stamp that makes no sense a second time. A process may have been
// writing it at that moment, and reading a page of a file is not atomic everywhere. What
// makes no sense twice is damage. With the stamp it reads all that it has read at once: if
// a disk lost a block, each stamp of it makes no sense.
func readStamps(file io.ReaderAt, h *Header, read func(i int, stamp uint64) (int64, State), each func(i int, at int64, state State)) error {
	d := damage{stamps: h.Functions}
	buf := make([]byte, min(window, h.Functions*stampSize))
	var again []byte
	for i := 0; i < h.Functions; {
		from := h.Stamps + int64(i)*stampSize
		part := buf[:min(len(buf), (h.Functions-i)*stampSize)]
		n, err := file.ReadAt(part, from)
		n /= stampSize
		again = again[:0]
		for j := range n {
			at, state := read(i+j, Uint64(part[j*stampSize:]))
			if state == Damaged {
				if len(again) == 0 {
					again = append(again, part[:n*stampSize]...)
					_, _ = file.ReadAt(again, from)
				}
				at, state = read(i+j, Uint64(again[j*stampSize:]))
			}
			switch {
			case state == Damaged:
				d.note(from + int64(j)*stampSize)
				each(i+j, 0, Damaged)
			case at != 0:
				each(i+j, at, state)
			}
		}
		if i += n; n*stampSize < len(part) {
			d.missing = h.Functions - i
			if err != nil && err != io.EOF {
				d.cause = withoutPath(err)
			}
			for ; i < h.Functions; i++ {
				each(i, 0, Damaged)
			}
		}
	}
	return d.err()
}

// damage is what is wrong with the stamps of a file.
type damage struct {
	stamps, bad, missing int
	first                int64 // offset of the first bad one
	cause                error // why some are missing
}

func (d *damage) note(offset int64) {
	if d.bad++; d.bad == 1 {
		d.first = offset
	}
}

func (d *damage) err() error {
	var wrong []string
	if d.missing > 0 {
		wrong = append(wrong, fmt.Sprintf("cut off, the last %d of %d stamps are lost", d.missing, d.stamps))
	}
	if d.bad > 0 {
		wrong = append(wrong, fmt.Sprintf("%d of %d stamps make no sense, the first at byte %d", d.bad, d.stamps, d.first))
	}
	if wrong == nil {
		return nil
	}
	text := "damaged: " + strings.Join(wrong, "; ")
	if d.cause != nil {
		return fmt.Errorf("%s: %w", text, d.cause)
	}
	return errors.New(text)
}

// Processes returns the processes whose calls are in the file: those that have records
// of their own, and the sums of the others. The error says what is damaged.
func (r *Reader) Processes() (sums Totals, processes []Process, err error) {
	if r.old != nil {
		return sums, []Process{r.old.process()}, nil
	}
	bad := true
	for try := 0; try < 3 && bad; try++ { // a process may write to them at this moment
		t, err := readTable(r.file, &r.Header)
		if err != nil {
			return sums, nil, err
		}
		sums, processes, bad = t.all()
	}
	if bad || r.size-r.Records < pageSize {
		err = errors.New("damaged: records of processes are missing or make no sense; calls do not depend on them")
	}
	return sums, processes, err
}

// all returns what the records say. bad is true if any is damaged.
func (t *table) all() (sums Totals, processes []Process, bad bool) {
	sums, ok := decodeTotals(t.b)
	bad = !ok
	for i := 1; i*recordSize < len(t.b); i++ {
		p, used, ok := decodeProcess(t.b[i*recordSize:][:recordSize])
		if used {
			processes = append(processes, p)
		}
		bad = bad || !ok
	}
	return sums, processes, bad
}

// withoutPath strips operation and path from err: whoever reports it names the file.
func withoutPath(err error) error {
	for e := err; e != nil; e = errors.Unwrap(e) {
		if pathErr, ok := e.(*os.PathError); ok { //nolint:errorlint // errors.As takes 20 KiB
			return pathErr.Err
		}
	}
	return err
}

// copyPart writes the part of a file from an offset on to w. (io.Copy would make programs
// 40 KiB larger: with it come all the ways that the system has to copy files.)
func copyPart(w io.Writer, file io.ReaderAt, from, size int64) error {
	buf := make([]byte, min(window, size))
	for size > 0 {
		n, err := file.ReadAt(buf[:min(int64(len(buf)), size)], from)
		_, _ = w.Write(buf[:n]) // a hash takes all
		from, size = from+int64(n), size-int64(n)
		switch {
		case size == 0:
		case err == io.EOF:
			return io.ErrUnexpectedEOF
		case err != nil:
			return withoutPath(err)
		}
	}
	return nil
}
