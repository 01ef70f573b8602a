// Hits files: what one process called, and when last.
//
//	0   "SCAVHIT1"
//	8   uint32 length of the header
//	12  uint32 CRC-32 (IEEE) of the header
//	16  header, JSON, zero padded up to S
//	S   one stamp of 8 bytes for each function, in the order of the codebase file
//
// and, in format 2, the marks themselves; see marks.go.
//
// All numbers are little endian. A stamp is 1 before the first call, and after
// it the time of the last one in Unix milliseconds. Neither 0 nor a time before
// 2017 is ever written, so that a block that the disk lost is noticed.

package report

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"strings"
)

const (
	hitsMagic     = "SCAVHIT1"
	hitsMagicName = "SCAVHIT" // what follows is the format
	preambleSize  = 16
	stampSize     = 8

	// maxHeader is the longest header that is read. Its longest field is a
	// fingerprint of 200 characters.
	maxHeader = 1 << 20

	neverCalled = 1               // the stamp of a function that was not called
	minStamp    = 1490000000000   // 2017-03-20, earliest time in a stamp
	maxStamp    = 253402300799999 // the last that RFC 3339 knows, in the year 9999
)

// A process is what a hits file says about the process that wrote it.
type process struct {
	id      string
	app     string
	main    string // import path of its main package, "" if unknown
	module  string // and of its main module
	host    string
	started int64 // Unix milliseconds, as the process's clock had it
	end     int64 // the latest time known of it, likewise
}

// A hitsHeader is the header of a hits file, as far as it is of use.
type hitsHeader struct {
	Format      int    `json:"format"`
	Fingerprint string `json:"fingerprint"`
	Functions   int64  `json:"functions"`
	Stamps      int64  `json:"stamps"` // S
	Places      int64  `json:"places"` // P, this and what follows only in format 2
	PlacesCRC   uint32 `json:"placesCrc"`
	Marks       int64  `json:"marks"` // M
	Size        int64  `json:"size"`
	Main        string `json:"main"`
	Module      string `json:"module"`
	AppName     string `json:"appName"`
	Hostname    string `json:"hostname"`
	Process     string `json:"process"`
	StartedAt   int64  `json:"startedAt"`
}

// addProcess adds the hits of one process to its codebase.
func (d *data) addProcess(name string) {
	f, size, err := d.open(name)
	if err != nil {
		d.problem(name, err)
		return
	}
	defer f.Close()
	h, err := readHitsHeader(f, size)
	if err != nil {
		d.problem(name, err)
		return
	}
	c := d.codebase(h.Fingerprint)
	if c.err != nil {
		d.problem(name, fmt.Errorf("its calls do not count: %s, which lists its functions, %s", codebaseName(h.Fingerprint), c.remedy()))
		return
	}
	if h.Functions != int64(len(c.entries)) {
		d.problem(name, fmt.Errorf("damaged: %d functions, but %s lists %d", h.Functions, codebaseName(h.Fingerprint), len(c.entries)))
		return
	}
	latest, err := readCalls(f, h, size, c.last)
	if err != nil {
		d.problem(name, err)
	}
	// Even if some of its stamps are lost, it is a process that was observed.
	c.processes = append(c.processes, process{
		id: h.Process, app: h.AppName, main: h.Main, module: h.Module, host: h.Hostname,
		started: h.StartedAt, end: max(latest, h.StartedAt),
	})
}

// A hitsFile is what readCalls needs of an [os.File].
type hitsFile interface {
	io.ReaderAt
	Stat() (fs.FileInfo, error)
}

// readCalls raises each element of last to the time of the process's last call of
// it, and returns the latest of them, 0 if there is none.
//
// The marks are read first. The process may live, and clears a mark once it has
// written the stamp; a call that it stamps between the two readings would be in
// neither the other way round.
func readCalls(f hitsFile, h hitsHeader, size int64, last []int64) (latest int64, err error) {
	if h.Format < 2 {
		return readStamps(f, h, size, last)
	}
	marked, markErr := readMarks(f, h, len(last))
	latest, err = readStamps(f, h, size, last)
	info, statErr := f.Stat()
	if len(marked) > 0 {
		now := max(latest, minStamp)
		if statErr == nil && isTime(uint64(max(info.ModTime().UnixMilli(), 0))) {
			now = max(latest, info.ModTime().UnixMilli())
		}
		for _, i := range marked {
			last[i] = max(last[i], now)
		}
		latest = now
	}
	return latest, errors.Join(err, markErr, statErr)
}

// readHitsHeader reads everything before the stamps.
func readHitsHeader(r io.ReaderAt, size int64) (hitsHeader, error) {
	var h hitsHeader
	var preamble [preambleSize]byte
	n, err := r.ReadAt(preamble[:], 0)
	if err != nil && err != io.EOF {
		return h, withoutPath(err)
	}
	if n == 0 {
		return h, errors.New("damaged: empty")
	}
	if n < preambleSize {
		return h, fmt.Errorf("damaged: cut off after %d bytes", n)
	}
	magic := string(preamble[:len(hitsMagic)])
	if format, ok := strings.CutPrefix(magic, hitsMagicName); ok && magic != hitsMagic {
		return h, formatError{fmt.Sprintf("%q", format), hitsFormat}
	} else if !ok {
		return h, fmt.Errorf("damaged: it does not begin with %q", hitsMagicName)
	}
	length := binary.LittleEndian.Uint32(preamble[8:])
	if length > maxHeader || int64(length) > size-preambleSize {
		return h, fmt.Errorf("damaged: cut off in the header, or a wrong length of the header (%d)", length)
	}
	header := make([]byte, length)
	if n, err := r.ReadAt(header, preambleSize); n < len(header) {
		return h, fmt.Errorf("damaged: reading the header: %w", withoutPath(err))
	}
	if crc32.ChecksumIEEE(header) != binary.LittleEndian.Uint32(preamble[12:]) {
		return h, errors.New("damaged: the header does not match its checksum")
	}
	if err := json.Unmarshal(header, &h); err != nil {
		return h, fmt.Errorf("damaged: header: %w", err)
	}
	if err := checkFormat(h.Format, hitsFormat); err != nil {
		return h, err
	}
	if h.Stamps < preambleSize+int64(length) {
		return h, fmt.Errorf("damaged: stamps at byte %d, inside the header", h.Stamps)
	}
	if h.Format >= 2 && h.Size != size {
		return h, fmt.Errorf("damaged: %d bytes, but the header says %d", size, h.Size)
	}
	return h, nil
}

// readStamps raises each element of last to the file's stamp for it, and returns
// the latest stamp of the file, 0 if there is none. There are as many stamps as
// last has elements. An error says what is wrong with some of them: the good
// ones count all the same, as each of them is a call that happened.
func readStamps(r io.ReaderAt, h hitsHeader, size int64, last []int64) (latest int64, err error) {
	var bad, missing int
	var firstBad int64
	buf := make([]byte, 64<<10)
	for i := 0; i < len(last) && missing == 0; {
		offset := h.Stamps + int64(i)*stampSize
		chunk := buf[:min(len(buf), (len(last)-i)*stampSize)]
		n, readErr := r.ReadAt(chunk, offset)
		n /= stampSize
		for j := range n {
			stamp := binary.LittleEndian.Uint64(chunk[j*stampSize:])
			if stamp == neverCalled {
				continue
			}
			at := offset + int64(j)*stampSize
			if !isTime(stamp) {
				stamp = readAgain(r, at)
			}
			switch {
			case isTime(stamp):
				last[i+j] = max(last[i+j], int64(stamp))
				latest = max(latest, int64(stamp))
			case stamp != neverCalled:
				if bad++; bad == 1 {
					firstBad = at
				}
			}
		}
		i += n
		switch {
		case readErr == io.EOF || n*stampSize < len(chunk) && readErr == nil:
			missing = len(last) - i
		case readErr != nil:
			return latest, fmt.Errorf("the last %d of %d stamps are lost: %w", len(last)-i, len(last), withoutPath(readErr))
		}
	}
	tail := size - h.Stamps
	if h.Format >= 2 {
		tail = int64(len(last)) * stampSize // the marks follow; the size was checked
	}
	return latest, stampsError(len(last), bad, missing, firstBad, tail)
}

// isTime reports whether a stamp is the time of a call.
func isTime(stamp uint64) bool {
	return minStamp <= stamp && stamp <= maxStamp
}

// readAgain reads one stamp that made no sense. A process may have been writing
// it at that moment, and reading a page of a file is not atomic everywhere. What
// makes no sense twice is damage.
func readAgain(r io.ReaderAt, offset int64) uint64 {
	var b [stampSize]byte
	if n, _ := r.ReadAt(b[:], offset); n < len(b) {
		return 0
	}
	return binary.LittleEndian.Uint64(b[:])
}

// stampsError says what is wrong with the stamps of a file, if anything is.
// tail is how many bytes the file has for them.
func stampsError(count, bad, missing int, firstBad, tail int64) error {
	var wrong []string
	if missing > 0 {
		wrong = append(wrong, fmt.Sprintf("cut off, the last %d of %d stamps are lost", missing, count))
	}
	if extra := tail - int64(count)*stampSize; missing == 0 && extra != 0 {
		wrong = append(wrong, fmt.Sprintf("%d bytes too long", extra))
	}
	if bad > 0 {
		wrong = append(wrong, fmt.Sprintf("%d of %d stamps make no sense, the first at byte %d", bad, count, firstBad))
	}
	if wrong == nil {
		return nil
	}
	return errors.New("damaged: " + strings.Join(wrong, "; "))
}
