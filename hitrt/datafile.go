package hitrt

// Local files. In dataDir, "codebase-<fingerprint>.json" lists the functions of
// a program, once for all of its processes, and "process-<uuid>.hits" has one
// stamp per function for one process:
//
//	0        "SCAVHIT1"
//	8        length L of the header, 4 bytes
//	12       CRC-32 (IEEE) of the header, 4 bytes
//	16       header, JSON, L bytes; zeros up to S, the next multiple of 4096
//	S + 8*i  stamp of function i: 1 = never called so far, or the Unix
//	         milliseconds of the last time that a hit was seen
//
// Numbers are little endian. A file appears complete or not at all, and is then
// written in place, whole stamps at a time, so that whatever instant the process
// ends at leaves a valid file.

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
	"time"
)

const (
	pageSize   = 4096
	stampSize  = 8
	neverHit   = 1
	dataFormat = 1

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
	begin   int64     // S
	retryAt time.Time // not before that, after an error
}

// processHeader is the header of a process's file.
type processHeader struct {
	Format      int    `json:"format"`
	Fingerprint string `json:"fingerprint"`
	Functions   int    `json:"functions"`
	Stamps      int64  `json:"stamps"`
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
	fmt.Fprintf(h, "scavenger-wrap data %d\n%q\n", dataFormat, environment)
	for i := range c.packages {
		p := &c.packages[i]
		fmt.Fprintf(h, "%q %d\n", p.Path, len(p.Entries))
		_, _ = io.WriteString(h, p.Entries)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// hit stamps a function.
func (d *dataFile) hit(number int, stamp int64) {
	i := int(d.stampOf[number])
	if i < 0 {
		return
	}
	binary.LittleEndian.PutUint64(d.stamps[i*stampSize:], uint64(stamp))
	d.dirty.add(i * stampSize / pageSize)
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
		if _, err := d.file.WriteAt(d.stamps[from:to], d.begin+int64(from)); err != nil {
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
	if err := d.replace(path, d.writeProcess); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	d.file = file
	clear(d.dirty)
	return nil
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
// line. A file that lost its end in a crash of the machine is written anew.
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
	if err := lines.Encode(codebaseHeader{dataFormat, d.fingerprint, d.functions}); err != nil {
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
	head, err := d.header()
	if err != nil {
		return err
	}
	start := make([]byte, d.begin)
	copy(start, "SCAVHIT1")
	binary.LittleEndian.PutUint32(start[8:], uint32(len(head)))
	binary.LittleEndian.PutUint32(start[12:], crc32.ChecksumIEEE(head))
	copy(start[16:], head)
	if _, err := w.Write(start); err != nil {
		return err
	}
	_, err = w.Write(d.stamps)
	return err
}

// header returns the header and sets begin, which is part of it.
func (d *dataFile) header() ([]byte, error) {
	set := d.p.set
	for d.begin = pageSize; ; d.begin += pageSize {
		head, err := json.Marshal(processHeader{
			Format: dataFormat, Fingerprint: d.fingerprint, Functions: d.functions, Stamps: d.begin,
			AppName: set.appName, AppVersion: set.appVersion, Environment: set.environment, Hostname: set.hostname,
			Process: d.p.process, PID: os.Getpid(), StartedAt: unixMillis(d.p.started),
		})
		if err != nil || int64(16+len(head)) < d.begin {
			return head, err
		}
	}
}

// close ends the use of the file; what could not be written is lost, and said.
func (d *dataFile) close() {
	if d.file == nil {
		return
	}
	if err := d.file.Close(); err != nil {
		d.p.rep.say("write", "writing to dataDir: %v", err)
	}
	d.file = nil
}
