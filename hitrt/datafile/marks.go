// Marks files: what lies under the marks of a living process.
//
// The pages of a program's cells are mapped over a file on tmpfs, which is memory that
// outlives the process. So a call is known from the moment that the function stores its
// byte, whatever becomes of the process, and no disk can hold up or fail that store.
//
//	0   "SCAVMRK3"
//	8   length L of the header, 4 bytes; CRC-32 (IEEE) of the header, 4 bytes
//	16  header, JSON, L bytes; then the ranges, 12 bytes each: where the cells of
//	    functions with successive numbers lie, counted from C, the number of the first,
//	    and how many there are; zeros up to W, a multiple of 4096
//	W   how many times the process wrote to its hits file, 8 bytes; when it last read its
//	    cells, 8 bytes; 1 = its calls were recovered, 2 = it wrote them all and ended
//	T   one byte for each function: 1 = its call was taken from its cell and is not in the
//	    hits file yet; a multiple of 4096
//	C   the pages of the cells: a byte that is not 0 is a call
//
// The process holds the lock on its file as long as it lives. Whoever gets the lock
// knows that the process has ended.

package datafile

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	marksMagic = "SCAVMRK3"
	rangeSize  = 12

	// Offsets from W.
	WritesAt = 0
	SweptAt  = 8
	SavedAt  = 16

	// What stands at SavedAt.
	SavedState = 1 // another process wrote the calls to the hits file
	EndedState = 2 // the process did, before it ended
)

// A MarksHeader is the header of a marks file.
type MarksHeader struct {
	Format int `json:"format"`
	Identity
	Process   string `json:"process"` // UUID
	PID       int    `json:"pid"`
	Boot      string `json:"boot,omitempty"`
	StartedAt int64  `json:"startedAt"`
	Kept      Kept   `json:"kept"`
	DataDir   string `json:"dataDir"`
	Ranges    int    `json:"ranges"` // how many
	RangesCRC uint32 `json:"rangesCrc"`
	State     int64  `json:"state"` // W
	Taken     int64  `json:"taken"` // T
	Cells     int64  `json:"cells"` // C
	Size      int64  `json:"size"`
}

// A Range is where the cells of successive functions lie.
type Range struct {
	At    uint32 // offset from C
	First uint32 // number of the first function
	Count uint32
}

// Encode lays the file out, for cells that take a number of bytes, and returns what it
// begins with, up to W.
func (h *MarksHeader) Encode(ranges []Range, cells int64) ([]byte, error) {
	table := make([]byte, 0, len(ranges)*rangeSize)
	for _, r := range ranges {
		table = binary.LittleEndian.AppendUint32(table, r.At)
		table = binary.LittleEndian.AppendUint32(table, r.First)
		table = binary.LittleEndian.AppendUint32(table, r.Count)
	}
	h.Format, h.Ranges, h.RangesCRC = format, len(ranges), crc32.ChecksumIEEE(table)
	for h.State = pageSize; ; h.State += pageSize {
		h.Taken = h.State + pageSize
		h.Cells = h.Taken + roundUp(int64(h.Functions))
		h.Size = h.Cells + cells
		head, err := json.Marshal(h)
		if err != nil {
			return nil, err
		}
		if int64(preamble+len(head)+len(table)) > h.State {
			continue
		}
		b := make([]byte, h.State)
		putPreamble(b, marksMagic, head)
		copy(b[preamble+len(head):], table)
		return b, nil
	}
}

// MarksName returns the name of a process's marks file, and the part of it that all
// processes with the same dataDir have in front.
func MarksName(dataDir os.FileInfo, process string) (name, prefix string) {
	device, inode := identify(dataDir)
	sum := sha256.Sum256(binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, device), inode))
	prefix = hex.EncodeToString(sum[:6]) + "-"
	return prefix + process + marksSuffix, prefix
}

// IsMarks reports whether a name is that of a marks file of processes with a prefix.
func IsMarks(name, prefix string) bool {
	return strings.HasPrefix(name, prefix) && strings.HasSuffix(name, marksSuffix)
}

// Marks are what a marks file says.
type Marks struct {
	MarksHeader
	Writes uint64 // to the hits file
	Saved  bool   // Calls are in the hits file
	Ended  bool   // the process wrote all that it had called; Calls came after that
	Calls  []int  // functions whose calls may not be in the hits file, in ascending order
	At     int64  // the earliest time at which Calls cannot have been written yet
}

// ReadMarks reads a marks file. The error says what is damaged; Calls has what is sound.
func ReadMarks(file *os.File) (*Marks, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	magic, head, err := readPreamble(file, info.Size())
	if err != nil {
		return nil, err
	}
	if magic != marksMagic {
		return nil, errors.New(`damaged, or of another version: it does not begin with "` + marksMagic + `"`)
	}
	m := &Marks{}
	h := &m.MarksHeader
	if err := json.Unmarshal(head, h); err != nil {
		return nil, fmt.Errorf("damaged: header: %w", err)
	}
	end := int64(preamble + len(head) + h.Ranges*rangeSize)
	if h.Format != format || h.Functions < 0 || h.Functions > MaxFunctions || h.Ranges < 0 || h.Ranges > MaxFunctions ||
		h.Size != info.Size() || h.State < end || h.State > end+pageSize || h.Taken != h.State+pageSize ||
		h.Cells != h.Taken+roundUp(int64(h.Functions)) || h.Cells > h.Size {
		return nil, errors.New("damaged: a header that makes no sense, or a wrong size")
	}
	return m, m.read(file, int64(preamble+len(head)))
}

// read reads what follows the header. The process may live: it takes a call from its
// cell after it has noted it under T, and removes it there after it is in the hits file.
// So the cells come first, and the caller reads the hits file after that.
func (m *Marks) read(file *os.File, ranges int64) error {
	table := make([]byte, m.Ranges*rangeSize)
	if n, err := file.ReadAt(table, ranges); n < len(table) {
		return fmt.Errorf("damaged: reading ranges: %w", withoutPath(err))
	}
	if crc32.ChecksumIEEE(table) != m.RangesCRC {
		return errors.New("damaged: the ranges do not match their checksum")
	}
	cells := make([]byte, m.Size-m.Cells+int64(m.Functions))
	cells, taken := cells[:m.Size-m.Cells], cells[m.Size-m.Cells:]
	n, err := file.ReadAt(cells, m.Cells)
	if n < len(cells) {
		return fmt.Errorf("damaged: reading cells: %w", withoutPath(err))
	}
	if n, err = file.ReadAt(taken, m.Taken); n < len(taken) {
		return fmt.Errorf("damaged: reading calls: %w", withoutPath(err))
	}
	var state [24]byte
	if n, err = file.ReadAt(state[:], m.State); n < len(state) {
		return fmt.Errorf("damaged: %w", withoutPath(err))
	}
	m.Writes = binary.LittleEndian.Uint64(state[WritesAt:])
	m.Saved, m.Ended = state[SavedAt] == SavedState, state[SavedAt] == EndedState
	const checkpoint = 1000
	m.At = min(max(int64(binary.LittleEndian.Uint64(state[SweptAt:])), m.StartedAt, MinTime)+checkpoint, MaxTime)
	bad := 0
	for i := 0; i < len(table); i += rangeSize {
		at, first, count := binary.LittleEndian.Uint32(table[i:]), binary.LittleEndian.Uint32(table[i+4:]), binary.LittleEndian.Uint32(table[i+8:])
		if int64(at)+int64(count) > int64(len(cells)) || int64(first)+int64(count) > int64(len(taken)) {
			bad++
			continue
		}
		for k, c := range cells[at:][:count] {
			taken[int(first)+k] |= c
		}
	}
	for i, t := range taken {
		if t != 0 {
			m.Calls = append(m.Calls, i)
		}
	}
	if bad > 0 {
		return fmt.Errorf("damaged: %d of %d ranges make no sense", bad, m.Ranges)
	}
	return nil
}

// process returns the record of the process, which has ended.
func (m *Marks) process() *Process {
	state := Recovered
	if m.Ended {
		state = Ended
	}
	return &Process{UUID: m.Process, Boot: m.Boot, StartedAt: m.StartedAt, SeenAt: m.At, Writes: m.Writes, PID: m.PID, State: state, Kept: m.Kept}
}

// MarksIn returns the paths of the marks files in a directory whose names have a prefix.
func MarksIn(dir, prefix string) []string {
	var paths []string
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if IsMarks(e.Name(), prefix) {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	return paths
}

// sharedMemory is where tmpfs is mounted for everybody's use.
const sharedMemory = "/dev/shm"

// MarksDir returns the n-th name of the directory for a user's marks files in memory.
// There are several, as somebody else may have taken the first.
func MarksDir(user, n int) string {
	dir := filepath.Join(sharedMemory, "scavenger-wrap-"+strconv.Itoa(user))
	if n > 0 {
		dir += "-" + strconv.Itoa(n)
	}
	return dir
}

// MarksNames is the number of names for that directory.
const MarksNames = 4

// IsOwn reports whether a name is that of a directory which nobody but a user can write
// to or read.
func IsOwn(dir string, user int) bool {
	info, err := os.Lstat(dir)
	return err == nil && info.IsDir() && info.Mode().Perm()&0o077 == 0 && Owner(info) == user
}

// MarksDirs returns the directories in which marks files of a user's processes with a
// dataDir may be.
func MarksDirs(user int, dataDir string) []string {
	dirs := []string{dataDir}
	for n := range MarksNames {
		if dir := MarksDir(user, n); IsOwn(dir, user) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// Forget removes a marks file whose process has ended and called nothing for a time. It
// takes memory, and no process with its dataDir has come.
func Forget(path string, after time.Duration) {
	file, err := Open(path, os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer file.Close()
	if Lock(file, 0) != nil || !isAt(file, path) {
		return
	}
	m, err := ReadMarks(file)
	if err == nil && time.Since(time.UnixMilli(m.At)) > after {
		_ = os.Remove(path)
	}
}
