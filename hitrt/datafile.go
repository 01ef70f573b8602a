package hitrt

// Local files. In dataDir, "codebase-<fingerprint>.json" lists the functions of
// a program, once for all of its processes, and "process-<uuid>.hits" has what
// one process called:
//
//	0        "SCAVHIT1"
//	8        length L of the header, 4 bytes
//	12       CRC-32 (IEEE) of the header, 4 bytes
//	16       header, JSON, L bytes; zeros up to S, a multiple of 4096
//	S + 8*i  stamp of function i: 1 = never called so far, or the Unix
//	         milliseconds of the last time that a hit was seen
//
// and in format 2, that is, if the marks are mapped (mapping.go), also
//
//	P + 4*i  place of the mark of function i: its offset in the file, 0 if the
//	         function is not observable; their CRC-32 is in the header
//	M        marks and what is around them, a multiple of 4096: a byte that is
//	         not 0 is a hit whose stamp has not been written yet
//
// S, P, M and the size of the file are in the header. Numbers are little endian.
// A file appears complete or not at all, and is then written in place, whole
// stamps at a time, so that whatever instant the process ends at leaves a valid
// file. All of its blocks are written at first: a store into a mapped hole of a
// full disk would end the program.
//
// The process holds a lock on its file for as long as it lives. So whoever gets
// the lock knows that the process is no more, whatever became of its number.

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"
	"unsafe"
)

const (
	pageSize  = 4096
	stampSize = 8
	placeSize = 4
	neverHit  = 1

	codebaseFormat = 1
	stampsFormat   = 1 // of a process's file that has no marks
	marksFormat    = 2

	// dataRetry is how long to wait after local files could not be written.
	dataRetry = 15 * time.Second
)

// A dataFile is the outlet to local files. It belongs to the publisher's
// goroutine.
type dataFile struct {
	p           *publisher
	fingerprint string
	functions   int
	stampOf     []int32 // place of a function's stamp, by number; -1 = padding

	stamps  []byte // what the file has from S on, once written
	dirty   bitset // pages of stamps that the file does not have yet
	file    *os.File
	path    string
	retryAt time.Time // not before that, after an error

	layout   layout
	shared   []byte // the whole file, mapped; nil if it is written to instead
	attached int    // of the packages, from the first on, how many have their marks in it
	verified bool   // the codebase file was read and found whole
}

// A layout says what is where in the process's file.
type layout struct {
	pages  []pageRange // of the marks, by package; nil if there are none in the file
	stamps int64       // S
	places int64       // P
	marks  int64       // M
	size   int64
}

// processHeader is the header of a process's file.
type processHeader struct {
	Format      int    `json:"format"`
	Fingerprint string `json:"fingerprint"`
	Functions   int    `json:"functions"`
	Stamps      int64  `json:"stamps"`
	Places      int64  `json:"places,omitempty"`
	PlacesCRC   uint32 `json:"placesCrc,omitempty"`
	Marks       int64  `json:"marks,omitempty"`
	Size        int64  `json:"size"`
	Locked      bool   `json:"locked"`
	AppName     string `json:"appName"`
	AppVersion  string `json:"appVersion"`
	Environment string `json:"environment"`
	Hostname    string `json:"hostname"`
	Process     string `json:"process"`
	PID         int    `json:"pid"`
	StartedAt   int64  `json:"startedAt"`
}

// codebaseHeader is the first line of a codebase file.
type codebaseHeader struct {
	Format      int    `json:"format"`
	Fingerprint string `json:"fingerprint"`
	Functions   int    `json:"functions"`
}

// codebaseFunction is a function's line in a codebase file.
type codebaseFunction struct {
	Package   string `json:"package"`
	Receiver  string `json:"receiver,omitempty"`
	Name      string `json:"name"`
	Signature string `json:"signature"`
	Hash      string `json:"hash"`
	File      string `json:"file"`
	Line      int    `json:"line"`
	Reason    string `json:"reason,omitempty"`
}

func newDataFile(p *publisher) *dataFile {
	d := &dataFile{p: p, stampOf: make([]int32, p.codebase.size)}
	for i := range d.stampOf {
		d.stampOf[i] = -1
	}
	for i := range p.codebase.packages {
		for _, e := range p.codebase.packages[i].entries() {
			if e.index >= 0 {
				d.stampOf[p.codebase.base[i]+e.index] = int32(d.functions)
			}
			d.functions++
		}
	}
	d.fingerprint = dataFingerprint(p.codebase, p.set.environment)
	d.stamps = make([]byte, d.functions*stampSize)
	for i := range d.functions {
		binary.LittleEndian.PutUint64(d.stamps[i*stampSize:], neverHit)
	}
	d.dirty = newBitset(len(d.stamps)/pageSize + 1)
	return d
}

// dataFingerprint names a codebase file. Stamps are found by their place, so
// the order of functions is in it, unlike in what the collector gets; and so are
// lines, which the report shows.
func dataFingerprint(c *codebase, environment string) string {
	h := sha256.New()
	fmt.Fprintf(h, "scavenger-wrap data %d\n%q\n", codebaseFormat, environment)
	for i := range c.packages {
		p := &c.packages[i]
		fmt.Fprintf(h, "%q %d\n", p.Path, len(p.Entries))
		_, _ = io.WriteString(h, p.Entries)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// hit stamps a function. A mark is cleared after that, so if the file is mapped
// its stamp must be in there when hit returns.
func (d *dataFile) hit(number int, stamp int64) {
	i := int(d.stampOf[number])
	if i < 0 {
		return
	}
	binary.LittleEndian.PutUint64(d.stamps[i*stampSize:], uint64(stamp))
	if d.shared == nil {
		d.dirty.add(i * stampSize / pageSize)
		return
	}
	// Whole or not at all, which two stores on a 32-bit machine would not be.
	// Systems on which files are mapped are little endian.
	at := d.layout.stamps + int64(i)*stampSize
	atomic.StoreUint64((*uint64)(unsafe.Pointer(&d.shared[at])), uint64(stamp))
}

// write brings the files up to date. What cannot be written now is tried again;
// the stamps in memory lose nothing by it.
func (d *dataFile) write(now time.Time) {
	if d.file == nil {
		if now.Before(d.retryAt) && !d.p.isExiting() {
			return
		}
		if err := d.create(); err != nil {
			d.retryAt = now.Add(dataRetry)
			d.p.rep.say("create", "creating the files in dataDir: %v", err)
		}
		return // a new file has all stamps
	}
	if err := d.update(); err != nil {
		d.p.rep.say("write", "writing to dataDir: %v", err)
	}
}

// update writes the pages whose stamps changed, neighbours in one go.
func (d *dataFile) update() error {
	pages := len(d.dirty) * 64
	for i := 0; i < pages; i++ {
		if !d.dirty.has(i) {
			continue
		}
		j := i + 1
		for j < pages && d.dirty.has(j) {
			j++
		}
		from, to := i*pageSize, min(j*pageSize, len(d.stamps))
		if _, err := d.file.WriteAt(d.stamps[from:to], d.layout.stamps+int64(from)); err != nil {
			return err
		}
		for ; i < j; i++ {
			d.dirty[i/64] &^= 1 << (i % 64)
		}
	}
	return nil
}

// create writes both files, the codebase first: a process's file never names a
// codebase that is not there.
func (d *dataFile) create() error {
	dir := d.p.set.dataDir
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	path := filepath.Join(dir, "codebase-"+d.fingerprint+".json")
	if !completeCodebase(path) {
		if err := d.replace(path, d.writeCodebase); err != nil {
			return err
		}
	}
	path = filepath.Join(dir, "process-"+d.p.process+".hits")
	d.layout = layout{}
	if pages, ok := markPages(d.p.codebase.packages); ok && canMap(dir) {
		d.layout.pages = pages
	}
	if err := d.replace(path, d.writeProcess); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := lockFile(file); err != nil || !isAt(file, path) {
		_ = file.Close()
		return fmt.Errorf("%s: taken away just after it was made (%v)", path, err)
	}
	d.file, d.path = file, path
	clear(d.dirty)
	d.share()
	return nil
}

// isAt reports whether path is (still) the name of the file.
func isAt(file *os.File, path string) bool {
	info, err := file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(path)
	return err == nil && os.SameFile(info, named)
}

// share maps the file, and the marks of all packages to it. If anything is in
// the way the file is written to instead, at every checkpoint.
func (d *dataFile) share() {
	if d.layout.pages == nil {
		return
	}
	shared, err := mapFile(d.file, int(d.layout.size))
	if err != nil {
		d.p.rep.trace("mapping %s: %v", d.path, err)
		return
	}
	d.shared, d.attached = shared, 0
	offset := d.layout.marks
	for _, r := range d.layout.pages {
		if r.size > 0 {
			if err := attach(r, d.file, offset); err != nil {
				d.p.rep.trace("mapping the marks: %v", err)
				return
			}
		}
		d.attached++
		offset += int64(r.size)
	}
}

// inspect looks whether the file is still there. One that somebody removed is
// made again, so that hits do not go where nobody finds them; so is one that
// somebody cut off, and then quickly, because a store behind the end of a mapped
// file ends the program.
func (d *dataFile) inspect() {
	if d.file == nil {
		return
	}
	info, err := os.Stat(d.path)
	own, ownErr := d.file.Stat()
	switch {
	case ownErr != nil || err != nil && !os.IsNotExist(err):
		return // nothing is known
	case err == nil && os.SameFile(info, own) && own.Size() >= d.layout.size:
		return
	}
	d.p.rep.say("gone", "%s was removed, replaced or cut off: it is written again", d.path)
	d.release()
}

// release lets go of the file. The marks move back to memory.
func (d *dataFile) release() {
	offset := d.layout.marks
	for i, r := range d.layout.pages {
		if d.shared == nil || i >= d.attached {
			break
		}
		if r.size > 0 && !d.takeBack(r, offset) {
			return
		}
		offset += int64(r.size)
	}
	if d.shared != nil {
		unmapFile(d.shared)
	}
	_ = d.file.Close() // nothing is waiting to be written
	d.shared, d.file, d.attached = nil, nil, 0
}

// takeBack reports whether the marks of r are in memory again.
func (d *dataFile) takeBack(r pageRange, offset int64) (ok bool) {
	defer func() {
		// Behind the end of a file there is nothing to read.
		if recover() != nil {
			ok = true
		}
	}()
	return detach(r, d.shared[offset:offset+int64(r.size)]) == nil
}

// replace writes a file under a temporary name of this process's own and then
// gives it its name.
func (d *dataFile) replace(path string, write func(io.Writer) error) (err error) {
	tmp := path + "." + d.p.process + ".tmp"
	file, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp)
		}
	}()
	w := bufio.NewWriterSize(file, 64<<10)
	if err = write(w); err == nil {
		err = w.Flush()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// completeCodebase reports whether a codebase file is there and has its last
// line. That is quick, and what a crash of the machine leaves mostly fails it.
// Whether the content is right is seen later, see verify.
func completeCodebase(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	info, err := file.Stat()
	last := make([]byte, len(checksumLine(nil)))
	if err != nil || info.Size() <= int64(len(last)) {
		return false
	}
	if _, err := file.ReadAt(last, info.Size()-int64(len(last))); err != nil {
		return false
	}
	return bytes.HasPrefix(last, []byte(`{"sha256":"`)) && bytes.HasSuffix(last, []byte("\"}\n"))
}

// verify reads the codebase file once, which takes too long for the start of a
// program, and writes it anew if it is damaged.
func (d *dataFile) verify() {
	if d.verified || d.file == nil {
		return
	}
	d.verified = true
	path := filepath.Join(d.p.set.dataDir, "codebase-"+d.fingerprint+".json")
	if soundCodebase(path) {
		return
	}
	if err := d.replace(path, d.writeCodebase); err != nil {
		d.verified = false
		d.p.rep.say("write", "writing to dataDir: %v", err)
	}
}

// soundCodebase reports whether the last line of a codebase file has the
// checksum of all lines before it.
func soundCodebase(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	info, err := file.Stat()
	size := int64(len(checksumLine(nil)))
	if err != nil || info.Size() <= size {
		return false
	}
	h := sha256.New()
	if _, err := io.CopyN(h, file, info.Size()-size); err != nil {
		return false
	}
	last, err := io.ReadAll(io.LimitReader(file, size+1))
	return err == nil && bytes.Equal(last, checksumLine(h.Sum(nil)))
}

// checksumLine is the last line of a codebase file.
func checksumLine(sum []byte) []byte {
	var hash [sha256.Size]byte
	copy(hash[:], sum)
	return []byte(`{"sha256":"` + hex.EncodeToString(hash[:]) + "\"}\n")
}

func (d *dataFile) writeCodebase(w io.Writer) error {
	h := sha256.New()
	lines := json.NewEncoder(io.MultiWriter(h, w))
	lines.SetEscapeHTML(false)
	if err := lines.Encode(codebaseHeader{codebaseFormat, d.fingerprint, d.functions}); err != nil {
		return err
	}
	for i := range d.p.codebase.packages {
		p := &d.p.codebase.packages[i]
		path, file := packagePart(p.Path), ""
		for _, e := range p.entries() {
			file = orElse(e.file, file)
			hash := signatureHash(p.Path, e.receiver, e.name)
			line, _ := strconv.Atoi(e.line)
			err := lines.Encode(codebaseFunction{
				Package:   p.Path,
				Receiver:  e.receiver,
				Name:      e.name,
				Signature: signature(declaringType(path, classPart(e.receiver)), e.name, e.params),
				Hash:      hex.EncodeToString(hash[:]),
				File:      file,
				Line:      line,
				Reason:    e.reason,
			})
			if err != nil {
				return err
			}
		}
	}
	_, err := w.Write(checksumLine(h.Sum(nil)))
	return err
}

func (d *dataFile) writeProcess(w io.Writer) error {
	head, places, err := d.header()
	if err != nil {
		return err
	}
	start := make([]byte, d.layout.stamps)
	copy(start, "SCAVHIT1")
	binary.LittleEndian.PutUint32(start[8:], uint32(len(head)))
	binary.LittleEndian.PutUint32(start[12:], crc32.ChecksumIEEE(head))
	copy(start[16:], head)
	rest := make([]byte, d.layout.size-d.layout.places)
	copy(rest, places)
	for _, part := range [][]byte{start, d.stamps, rest} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// header returns the header and the places, and completes the layout, which is
// part of both.
func (d *dataFile) header() (head, places []byte, err error) {
	set := d.p.set
	h := processHeader{
		Format: stampsFormat, Fingerprint: d.fingerprint, Functions: d.functions, Locked: canLock,
		AppName: set.appName, AppVersion: set.appVersion, Environment: set.environment, Hostname: set.hostname,
		Process: d.p.process, PID: os.Getpid(), StartedAt: unixMillis(d.p.started),
	}
	l := &d.layout
	for l.stamps = pageSize; ; l.stamps += pageSize {
		l.places = l.stamps + int64(len(d.stamps))
		l.size = l.places
		if l.pages != nil {
			l.marks = (l.places + int64(placeSize*d.functions) + pageSize - 1) &^ (pageSize - 1)
			l.size = l.marks
			for _, r := range l.pages {
				l.size += int64(r.size)
			}
			places = d.places()
			h.Format, h.Places, h.PlacesCRC, h.Marks = marksFormat, l.places, crc32.ChecksumIEEE(places), l.marks
		}
		h.Stamps, h.Size = l.stamps, l.size
		head, err = json.Marshal(h)
		if err != nil || int64(16+len(head)) < l.stamps {
			return head, places, err
		}
	}
}

// places returns where in the file each function's mark is.
func (d *dataFile) places() []byte {
	places := make([]byte, placeSize*d.functions)
	offset := d.layout.marks
	for i, r := range d.layout.pages {
		base := d.p.codebase.base[i]
		for m := range r.marks {
			if at := d.stampOf[base+m]; at >= 0 {
				binary.LittleEndian.PutUint32(places[placeSize*int(at):], uint32(offset+int64(r.at+m)))
			}
		}
		offset += int64(r.size)
	}
	return places
}

// close ends the use of the file; what could not be written is lost, and said.
// A mapped file stays as it is, for what other goroutines still call, and so
// does the lock, until the process is no more.
func (d *dataFile) close() {
	if d.file == nil || d.shared != nil {
		return
	}
	if err := d.file.Close(); err != nil {
		d.p.rep.say("write", "writing to dataDir: %v", err)
	}
	d.file = nil
}
