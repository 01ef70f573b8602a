// Records of processes in a hits file: who wrote it, when, and whether anything of what
// they called may be missing. They are evidence for those who read the file; no hit
// depends on them.
//
//	0    UUID of the process, 16 bytes
//	16   boot ID of its machine, 16 bytes; zeros if unknown
//	32   when it started, and when it last wrote (Unix milliseconds)
//	48   how many times it wrote
//	56   process ID, 4 bytes
//	60   1 = in use; state; how its calls are kept
//	64   path of its marks file, up to 120 bytes; zeros
//	184  why they are kept so, up to 68 bytes; zeros
//	252  CRC-32 (IEEE) of the bytes before it
//
// The first record is the sum of those that have made room for others:
//
//	0    "SUM "
//	8    eight numbers of 8 bytes: see [Totals]
//	252  CRC-32

package datafile

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"strings"
)

const (
	recordSize    = 256
	recordsInPage = pageSize / recordSize

	// checkpoint is the time in which a process writes what it called, in milliseconds.
	checkpoint = 1000

	// keptRecords is the number of ended processes that keep their records.
	keptRecords = 8
)

// A ProcessState is how far a process has come.
type ProcessState uint8

const (
	Running   ProcessState = iota + 1 // it lives, or was killed and nobody noticed so far
	Ended                             // it wrote all that it called
	Recovered                         // it was killed, and a later process wrote what it had not
	Lossy                             // it was killed, and what it called last may be missing
)

// Kept is how the calls of a process outlive it.
type Kept uint8

const (
	OnceASecond Kept = iota + 1 // they are written once a second
	InMemory                    // in memory that outlives the process
	OnDisk                      // in a file on a disk
)

func (k Kept) String() string {
	switch k {
	case InMemory:
		return "in memory"
	case OnDisk:
		return "on disk"
	}
	return "once a second"
}

// A Process is the record of one process.
type Process struct {
	UUID      string // as 8-4-4-4-12 hexadecimal digits
	Boot      string // boot ID of the machine in the same form, "" if unknown
	StartedAt int64  // Unix milliseconds
	SeenAt    int64  // when it last wrote
	Writes    uint64 // how many times it wrote
	PID       int
	State     ProcessState
	Kept      Kept
	Marks     string // path of its marks file, "" if it has none
	Why       string // why Kept is not InMemory
}

// Totals sums up processes without records of their own.
type Totals struct {
	Processes   uint64 // all of them
	Recovered   uint64 // those that were killed, and lost nothing
	Lossy       uint64 // those of whose last calls some may be missing
	FirstStart  int64  // Unix milliseconds; 0 if none is known
	LastStart   int64
	LastSeen    int64
	Lived       uint64 // milliseconds from start to last write, of all together, as far as known
	OnceASecond uint64 // those whose calls were kept once a second
}

// add adds a process.
func (t *Totals) add(p *Process) {
	t.Processes++
	switch p.State {
	case Recovered:
		t.Recovered++
	case Lossy, Running:
		t.Lossy++
	}
	t.LastStart, t.LastSeen = max(t.LastStart, p.StartedAt), max(t.LastSeen, p.SeenAt)
	lived := max(p.SeenAt-p.StartedAt, 0)
	if p.StartedAt > MinTime {
		t.startedAt(p.StartedAt)
	} else { // its clock was not set: nobody knows more than that it wrote again
		lived = min(lived, checkpoint)
	}
	t.Lived += uint64(lived)
	if p.Kept == OnceASecond {
		t.OnceASecond++
	}
}

// startedAt notes a first start, 0 for none that is known.
func (t *Totals) startedAt(at int64) {
	if at != 0 && (t.FirstStart == 0 || at < t.FirstStart) {
		t.FirstStart = at
	}
}

// merge adds the sums of another file.
func (t *Totals) merge(o *Totals) {
	if o.Processes == 0 {
		return
	}
	t.startedAt(o.FirstStart)
	t.Processes += o.Processes
	t.Recovered += o.Recovered
	t.Lossy += o.Lossy
	t.LastStart, t.LastSeen = max(t.LastStart, o.LastStart), max(t.LastSeen, o.LastSeen)
	t.Lived += o.Lived
	t.OnceASecond += o.OnceASecond
}

func (t *Totals) encode(b []byte) {
	clear(b[:recordSize])
	copy(b, "SUM ")
	for i, n := range []uint64{t.Processes, t.Recovered, t.Lossy, uint64(t.FirstStart), uint64(t.LastStart), uint64(t.LastSeen), t.Lived, t.OnceASecond} {
		PutUint64(b[8+8*i:], n)
	}
	sealRecord(b)
}

// decodeTotals returns the sums in the first record. ok is false if it is damaged.
func decodeTotals(b []byte) (t Totals, ok bool) {
	if !soundRecord(b) || string(b[:4]) != "SUM " {
		return t, false
	}
	n := func(i int) uint64 { return Uint64(b[8+8*i:]) }
	return Totals{n(0), n(1), n(2), int64(n(3)), int64(n(4)), int64(n(5)), n(6), n(7)}, true
}

func (p *Process) encode(b []byte) {
	clear(b[:recordSize])
	copy(b, uuidBytes(p.UUID))
	copy(b[16:], uuidBytes(p.Boot))
	PutUint64(b[32:], uint64(p.StartedAt))
	PutUint64(b[40:], uint64(p.SeenAt))
	PutUint64(b[48:], p.Writes)
	PutUint32(b[56:], uint32(p.PID))
	b[60], b[61], b[62] = 1, byte(p.State), byte(p.Kept)
	if len(p.Marks) <= 120 {
		copy(b[64:184], p.Marks)
	}
	copy(b[184:252], p.Why)
	sealRecord(b)
}

// emptyRecord makes b the record of no process.
func emptyRecord(b []byte) {
	clear(b[:recordSize])
	sealRecord(b)
}

// decodeProcess returns the process of a record. used is false if there is none, ok is
// false if the record is damaged.
func decodeProcess(b []byte) (p Process, used, ok bool) {
	if !soundRecord(b) {
		return p, false, false
	}
	if b[60] == 0 {
		return p, false, true
	}
	return Process{
		UUID: uuidString(b[:16]), Boot: uuidString(b[16:32]),
		StartedAt: int64(Uint64(b[32:])), SeenAt: int64(Uint64(b[40:])),
		Writes: Uint64(b[48:]), PID: int(Uint32(b[56:])),
		State: ProcessState(b[61]), Kept: Kept(b[62]), Marks: text(b[64:184]), Why: text(b[184:252]),
	}, true, true
}

func sealRecord(b []byte) {
	PutUint32(b[252:], crc32.ChecksumIEEE(b[:252]))
}

func soundRecord(b []byte) bool {
	return Uint32(b[252:]) == crc32.ChecksumIEEE(b[:252])
}

// text returns the text that a field begins with.
func text(b []byte) string {
	if n := bytes.IndexByte(b, 0); n >= 0 {
		b = b[:n]
	}
	return string(b)
}

// uuidBytes returns the 16 bytes of a UUID, nil if it is none.
func uuidBytes(s string) []byte {
	b := make([]byte, 16)
	if s = strings.ReplaceAll(s, "-", ""); len(s) != 2*len(b) || !decodeHex(b, s) {
		return nil
	}
	return b
}

// uuidString returns the UUID of 16 bytes, "" for zeros.
func uuidString(b []byte) string {
	if len(bytes.Trim(b, "\x00")) == 0 {
		return ""
	}
	h := Hex(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// abandonedAfter is how long a process may be silent before it counts as gone, in
// milliseconds: one that lives writes at least once in ten minutes.
const abandonedAfter = 26 * 3600 * 1000

// maxTable is the size of the records that are read: 4,095 processes.
const maxTable = 1 << 20

// A table is the records of a file while they are changed.
type table struct {
	b       []byte // whole pages
	was     []byte // what the file has
	damaged int    // records that were, and are dropped
}

// readTable reads the records of a file.
func readTable(file *os.File, h *Header) (*table, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	size := min(info.Size()-h.Records, maxTable)
	if size < pageSize {
		return newTable(), nil
	}
	t := &table{was: make([]byte, size/pageSize*pageSize)}
	if n, err := file.ReadAt(t.was, h.Records); n < len(t.was) {
		return nil, fmt.Errorf("reading records: %w", withoutPath(err))
	}
	t.b = slices.Clone(t.was)
	return t, nil
}

// writeTo writes the pages that were changed.
func (t *table) writeTo(file io.WriterAt, at int64) error {
	for i := 0; i < len(t.b); i += pageSize {
		page := t.b[i:][:pageSize]
		if i < len(t.was) && bytes.Equal(page, t.was[i:][:pageSize]) {
			continue
		}
		if _, err := file.WriteAt(page, at+int64(i)); err != nil {
			return err
		}
	}
	return nil
}

// update puts the record of a process in place of its earlier one, or in a free place. To
// make room, it adds a process that has ended to the sums. It returns the number of writes
// that the earlier record had; known is false if there was none.
func (t *table) update(p *Process) (writes uint64, known bool) {
	free, ended := -1, 0
	var oldest, oldestEnded candidate
	for i := len(t.b)/recordSize - 1; i > 0; i-- { // the first free one is taken
		b := t.b[i*recordSize:][:recordSize]
		old, used, ok := decodeProcess(b)
		switch {
		case !ok:
			t.damaged++
			emptyRecord(b)
			free = i
		case !used:
			free = i
		case old.UUID == p.UUID && p.UUID != "": // without one, nobody knows that it is the same
			p.follow(&old)
			p.encode(b)
			return old.Writes, true
		default:
			oldest.take(i, old.SeenAt)
			if old.State != Running || p.SeenAt-old.SeenAt > abandonedAfter {
				ended++
				oldestEnded.take(i, old.SeenAt)
			}
		}
	}
	switch {
	case ended >= keptRecords || free < 0 && ended > 0:
		free = t.retire(oldestEnded.i)
	case free < 0 && len(t.b) >= maxTable:
		free = t.retire(oldest.i)
	case free < 0:
		free = len(t.b) / recordSize
		t.b = append(t.b, make([]byte, pageSize)...)
		for i := free; i*recordSize < len(t.b); i++ {
			emptyRecord(t.b[i*recordSize:][:recordSize])
		}
	}
	p.encode(t.b[free*recordSize:][:recordSize])
	return 0, false
}

// A candidate is the record that was written to the longest time ago.
type candidate struct {
	i  int // 0 if there is none
	at int64
}

func (c *candidate) take(i int, at int64) {
	if c.i == 0 || at < c.at {
		c.i, c.at = i, at
	}
}

// follow makes a record one that follows another of the same process. Records may come
// in any order, from several files: what one says of missing calls, the others do not
// take back.
func (p *Process) follow(old *Process) {
	p.Writes, p.State, p.SeenAt = max(p.Writes, old.Writes), max(p.State, old.State), max(p.SeenAt, old.SeenAt)
	if p.Why == "" {
		p.Why = old.Why
	}
}

// add brings in the processes of files that are joined.
func (t *table) add(u *Update) {
	if u.Sums.Processes > 0 {
		sums, ok := decodeTotals(t.b)
		if !ok {
			t.damaged++
		}
		sums.merge(&u.Sums)
		sums.encode(t.b)
	}
	for _, p := range u.Others {
		t.update(&p)
	}
}

// retire adds a process to the sums, and frees its record.
func (t *table) retire(i int) int {
	sums, ok := decodeTotals(t.b)
	if !ok {
		t.damaged++
	}
	b := t.b[i*recordSize:][:recordSize]
	if old, used, _ := decodeProcess(b); used {
		sums.add(&old)
	}
	sums.encode(t.b)
	emptyRecord(b)
	return i
}

// newTable returns the records of a new file.
func newTable() *table {
	t := &table{b: make([]byte, pageSize)}
	(&Totals{}).encode(t.b)
	for i := 1; i < recordsInPage; i++ {
		emptyRecord(t.b[i*recordSize:][:recordSize])
	}
	return t
}
