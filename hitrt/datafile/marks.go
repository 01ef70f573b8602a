// Marks files: what lies under the mark arrays of a living process.
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
//	    cells, 8 bytes; 1 = its calls were recovered, 2 = it wrote them all and ended, 8
//	    bytes; 1 = nobody reads its cells at present
//	T   one byte for each function: 1 = its call was taken from its cell and is not in the
//	    hits file yet; a multiple of 4096
//	C   the pages of the cells: a byte that is not 0 is a call
//
// The process holds the lock on its file as long as it lives. Whoever gets the lock
// knows that the process has ended.

package datafile

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
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
	UnreadAt = 24

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
	Kept      Kept   `json:"kept"` // OnceASecond if not all cells are in the file
	DataDir   string `json:"dataDir"`
	Directory string `json:"directory,omitempty"` // its ID, if it has one
	Ranges    int    `json:"ranges"`              // how many
	RangesCRC uint32 `json:"rangesCrc"`
	State     int64  `json:"state"` // W
	Taken     int64  `json:"taken"` // T
	Cells     int64  `json:"cells"` // C
	Size      int64  `json:"size"`
}

func (h *MarksHeader) fields() []field {
	return slices.Concat([]field{{key: "format", value: &h.Format}}, h.Identity.fields(), []field{
		{key: "process", value: &h.Process},
		{key: "pid", value: &h.PID},
		{key: "boot", value: &h.Boot, optional: true},
		{key: "startedAt", value: &h.StartedAt},
		{key: "kept", value: &h.Kept},
		{key: "dataDir", value: &h.DataDir},
		{key: "directory", value: &h.Directory, optional: true},
		{key: "ranges", value: &h.Ranges},
		{key: "rangesCrc", value: &h.RangesCRC},
		{key: "state", value: &h.State},
		{key: "taken", value: &h.Taken},
		{key: "cells", value: &h.Cells},
		{key: "size", value: &h.Size},
	})
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
		table = AppendUint32(table, r.At)
		table = AppendUint32(table, r.First)
		table = AppendUint32(table, r.Count)
	}
	h.Format, h.Ranges, h.RangesCRC = format, len(ranges), crc32.ChecksumIEEE(table)
	for h.State = pageSize; ; h.State += pageSize {
		h.Taken = h.State + pageSize
		h.Cells = h.Taken + roundUp(int64(h.Functions))
		h.Size = h.Cells + cells
		head := appendObject(nil, h.fields())
		if len(head) > maxHeader {
			return nil, fmt.Errorf("a header of %d bytes is too long", len(head))
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
	sum := sum256(AppendUint64(AppendUint64(nil, device), inode))
	prefix = Hex(sum[:6]) + "-"
	return prefix + process + marksSuffix, prefix
}

// IsOf reports whether the calls belong in dir. The name of the file does not tell: the
// number that MarksName has of a directory is given to another one when that is removed.
func (h *MarksHeader) IsOf(dir string) bool {
	return h.Directory == directoryID(dir) || isSame(h.DataDir, dir)
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
	SeenAt int64  // the earliest time at which Calls cannot have been written yet

	// At is the time of Calls: SeenAt, but now if nobody was about to read the cells, so that
	// they may have been set at any time.
	At int64
}

// ReadMarks reads a marks file. The error says what is damaged; Calls has what is sound.
// Without a sound header there are no Marks.
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
	if err := readObject(head, h.fields()); err != nil {
		return nil, fmt.Errorf("damaged: header: %w", err)
	}
	end := int64(preamble+len(head)) + int64(h.Ranges)*rangeSize
	if h.Format != format || h.Functions < 0 || h.Functions > maxFunctions || h.Ranges < 0 || h.Ranges > h.Functions ||
		h.Size != info.Size() || h.State < end || h.State > end+pageSize || h.Taken != h.State+pageSize ||
		h.Cells != h.Taken+roundUp(int64(h.Functions)) || h.Cells > h.Size {
		return nil, errors.New("damaged: a header that makes no sense, or a wrong size")
	}
	if uuidBytes(h.Process) == nil {
		return nil, fmt.Errorf("damaged: process %q", h.Process) // it becomes part of a name
	}
	return m, m.read(file, int64(preamble+len(head)))
}

// read reads what follows the header. The process may live: it takes a call from its
// cell after it has noted it under T, and removes it there after it is in the hits file.
// So the cells come first, and the caller reads the hits file after that.
func (m *Marks) read(file *os.File, ranges int64) error {
	called := make([]uint64, (m.Functions+63)/64)
	note := func(i int64) { called[i/64] |= 1 << (i % 64) }
	cellsErr := m.readCells(file, ranges, note)
	takenErr := readBytes(file, m.Taken, int64(m.Functions), make([]byte, window), note)
	for w, word := range called {
		for ; word != 0; word &= word - 1 {
			m.Calls = append(m.Calls, w*64+bits.TrailingZeros64(word))
		}
	}
	var state [32]byte
	n, err := file.ReadAt(state[:], m.State)
	if n < len(state) {
		return fmt.Errorf("damaged: %w", withoutPath(err))
	}
	m.Writes = Uint64(state[WritesAt:])
	m.Saved, m.Ended = state[SavedAt] == SavedState, state[SavedAt] == EndedState
	swept := int64(min(Uint64(state[SweptAt:]), MaxTime))
	now := millis(time.Now())
	m.SeenAt = min(max(swept, m.StartedAt, MinTime)+checkpoint, now)
	if m.At = m.SeenAt; state[UnreadAt] != 0 {
		m.At = now
	}
	return errors.Join(cellsErr, takenErr)
}

// readCells calls note with the function of each cell that is set.
func (m *Marks) readCells(file *os.File, ranges int64, note func(i int64)) error {
	// The checksum comes first: no range is believed before it.
	crc, functions := crc32.NewIEEE(), int64(0)
	err := m.eachRange(file, ranges, func(b []byte, r Range) {
		_, _ = crc.Write(b)
		functions += int64(r.Count)
	})
	if err != nil {
		return err
	}
	if crc.Sum32() != m.RangesCRC {
		return errors.New("damaged: the ranges do not match their checksum")
	}
	if functions > int64(m.Functions) {
		return fmt.Errorf("damaged: %d cells of %d functions", functions, m.Functions)
	}
	bad, buf := 0, make([]byte, window)
	err = m.eachRange(file, ranges, func(_ []byte, r Range) {
		at, first, count := int64(r.At), int64(r.First), int64(r.Count)
		if at+count > m.Size-m.Cells || first+count > int64(m.Functions) {
			bad++
			return
		}
		if readBytes(file, m.Cells+at, count, buf, func(i int64) { note(first + i) }) != nil {
			bad++
		}
	})
	if bad > 0 {
		return fmt.Errorf("damaged: %d of %d ranges make no sense", bad, m.Ranges)
	}
	return err
}

// eachRange calls each with the ranges and their bytes.
func (m *Marks) eachRange(file *os.File, at int64, each func(b []byte, r Range)) error {
	table := bufio.NewReader(io.NewSectionReader(file, at, int64(m.Ranges)*rangeSize))
	var b [rangeSize]byte
	for range m.Ranges {
		if _, err := io.ReadFull(table, b[:]); err != nil {
			return fmt.Errorf("damaged: reading ranges: %w", withoutPath(err))
		}
		each(b[:], Range{Uint32(b[:]), Uint32(b[4:]), Uint32(b[8:])})
	}
	return nil
}

// readBytes calls set with the places of those of n bytes that are not 0.
func readBytes(file *os.File, at, n int64, buf []byte, set func(i int64)) error {
	for i := int64(0); i < n; {
		part := buf[:min(int64(len(buf)), n-i)]
		got, err := file.ReadAt(part, at+i)
		for k, b := range part[:got] {
			if b != 0 {
				set(i + int64(k))
			}
		}
		if i += int64(got); got < len(part) {
			return fmt.Errorf("damaged: reading calls: %w", withoutPath(err))
		}
	}
	return nil
}

// Record returns the record of the process, if it has ended.
func (m *Marks) Record() *Process {
	state := Recovered
	switch {
	case m.Ended:
		state = Ended
	case m.Kept == OnceASecond:
		state = Lossy
	}
	return &Process{UUID: m.Process, Boot: m.Boot, StartedAt: m.StartedAt, SeenAt: m.SeenAt, Writes: m.Writes, PID: m.PID, State: state, Kept: m.Kept}
}

// MarksIn returns the paths of the marks files in a directory whose names have a prefix.
func MarksIn(dir, prefix string) []string {
	var paths []string
	for _, name := range Names(dir) {
		if IsMarks(name, prefix) {
			paths = append(paths, filepath.Join(dir, name))
		}
	}
	return paths
}

// MarksNamesIn returns the names of marks files among the first names in a directory, as
// it has them, and whether files that are not whole are among those. It looks at all
// names if most is below 0.
func MarksNamesIn(dir string, most int) (names []string, unfinished bool) {
	for _, name := range someNames(dir, most) {
		switch {
		case IsMarks(name, ""):
			names = append(names, name)
		case strings.HasSuffix(name, tempSuffix):
			unfinished = true
		}
	}
	return names, unfinished
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

// MarksUsers returns the users who have a directory for marks files in memory.
func MarksUsers() (users []int) {
	prefix := filepath.Base(MarksDir(0, 0))
	prefix = prefix[:len(prefix)-1]
	for _, name := range Names(sharedMemory) {
		rest, ok := strings.CutPrefix(name, prefix)
		number, _, _ := strings.Cut(rest, "-")
		if user, err := strconv.Atoi(number); ok && err == nil && !slices.Contains(users, user) {
			users = append(users, user)
		}
	}
	return users
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

// BootID returns what the system calls its present run, "" if it has no name for it.
func BootID() string {
	file, err := Open("/proc/sys/kernel/random/boot_id", os.O_RDONLY, 0)
	if err != nil {
		return ""
	}
	defer file.Close()
	var id [36]byte
	if n, _ := file.ReadAt(id[:], 0); n < len(id) {
		return ""
	}
	return strings.ToLower(string(id[:]))
}
