// The marks file, which lies under the mark arrays: what a process that is killed leaves.
//
// It lies on tmpfs, which is memory: a store into it waits for no disk, and cannot fail
// once its pages are there, which is seen to when the file is made. It is in dataDir if
// that is on tmpfs, and otherwise in a directory of the user's own in /dev/shm, whose
// name others can guess but not use. The setting mapping chooses another place: "disk" a
// file in dataDir, on a file system that does not fail stores into blocks that are
// there, and "none" no file.

package hitrt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"unsafe"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// A marksFile is the marks file of this process. It is nil if the process has its cells in
// its own memory.
type marksFile struct {
	header   datafile.MarksHeader
	path     string
	info     os.FileInfo // identifies the file
	root     os.FileInfo // the root directory when it was made
	lock     keptLock
	content  []byte      // the whole file, mapped
	why      error       // why not all cells are in it: it has only what was taken from them
	pages    []pageRange // of the mark arrays
	first    []int       // where the cells of each package begin on them
	attached int         // number of ranges, from the first on, that are in it
}

// take notes that a call was taken from its cell.
func (m *marksFile) take(i int) {
	if m != nil {
		m.content[m.header.Taken+int64(i)] = 1
	}
}

// forget notes that a call is in the hits file.
func (m *marksFile) forget(i int) {
	if m != nil {
		m.content[m.header.Taken+int64(i)] = 0
	}
}

// wrote notes how many times the process has written to its hits file.
func (m *marksFile) wrote(times uint64) {
	if m != nil {
		m.set(datafile.WritesAt, times)
	}
}

// swept notes when the cells were last read.
func (m *marksFile) swept(at int64) {
	if m != nil {
		m.set(datafile.SweptAt, uint64(at))
	}
}

// unread notes whether nobody is about to read the cells. Then the publisher does something
// else than wait for its next turn, and a disk may keep it for ever, or it has ended before the
// process.
func (m *marksFile) unread(is bool) {
	defer func() { _ = recover() }() // of a file that was cut off: keep makes another one
	switch {
	case m == nil:
	case is:
		m.set(datafile.UnreadAt, 1)
	default:
		m.set(datafile.UnreadAt, 0)
	}
}

// set sets a number in the state. Where files are mapped, numbers are little endian.
func (m *marksFile) set(at int64, n uint64) {
	atomic.StoreUint64((*uint64)(unsafe.Pointer(&m.content[m.header.State+at])), n)
}

// end notes that all calls so far are in the hits file.
func (m *marksFile) end() {
	if m != nil {
		m.set(datafile.SavedAt, datafile.EndedState)
	}
}

// remove removes the file. It is still mapped.
func (m *marksFile) remove() {
	if m.isThere() {
		_ = os.Remove(m.path)
	}
}

// follow gives the file the name by which processes find it that have a new directory of
// the name of dataDir.
func (m *marksFile) follow(dataDir string) {
	if m == nil {
		return
	}
	info, err := os.Stat(dataDir)
	if err != nil {
		return
	}
	name, _ := datafile.MarksName(info, m.header.Process)
	if path := filepath.Join(filepath.Dir(m.path), name); path != m.path && os.Rename(m.path, path) == nil {
		m.path = path
	}
}

// isThere reports whether the name is that of the file, and the file as long as it was:
// a store behind the end of a file that was cut off ends the program. A file whose calls
// were recovered is of no use, as nobody looks into it again. That happens to a process that
// lives if its lock is lost.
func (m *marksFile) isThere() bool {
	if m == nil {
		return false
	}
	info, err := os.Lstat(m.path)
	if err != nil {
		// The program may have another root directory, or other rights, than at its start.
		return !errors.Is(err, os.ErrNotExist) || isElsewhere(m.root)
	}
	return os.SameFile(info, m.info) && info.Size() >= m.header.Size && m.content[m.header.State+datafile.SavedAt] != datafile.SavedState
}

// release moves the cells back to memory, range by range from the last one on: if the
// system has no memory for one, the next attempt goes on with the ranges that are left,
// and not with cells that are in memory already.
func (m *marksFile) release() bool {
	offset := m.header.Size
	for i, r := range slices.Backward(m.pages) {
		offset -= int64(r.size)
		if i >= m.attached {
			continue
		}
		if !m.takeBack(r, offset) {
			return false
		}
		m.attached = i
	}
	unmapFile(m.content)
	m.lock.release(m.info)
	return true
}

// takeBack moves the cells of r back to memory, and reports whether they are there.
func (m *marksFile) takeBack(r pageRange, offset int64) (ok bool) {
	defer func() {
		// There is nothing to read behind the end of a file that was cut off.
		if recover() != nil {
			ok = true
		}
	}()
	return detach(r, m.content[offset:offset+int64(r.size)]) == nil
}

// newMarksFile makes the file and maps it over the mark arrays. If it cannot, it returns nil
// and why.
func newMarksFile(d *dataFile) (m *marksFile, kept datafile.Kept, why string) {
	pages, first, ok := arrayPages(d.p.codebase.packages)
	if !ok {
		return nil, datafile.OnceASecond, "something else lies on the pages of the mark arrays"
	}
	dir, kept, err := marksDir(d.p.set)
	if err != nil {
		return nil, datafile.OnceASecond, err.Error()
	}
	m = &marksFile{pages: pages, first: first, header: datafile.MarksHeader{
		Identity: d.store.Identity, Process: d.process.UUID, PID: d.process.PID, Boot: d.process.Boot,
		StartedAt: d.process.StartedAt, Kept: kept, DataDir: d.store.Dir,
		Directory: d.store.Directory(),
	}}
	if err := m.create(d, dir); err != nil {
		return nil, datafile.OnceASecond, err.Error()
	}
	m.wrote(d.process.Writes)
	if m.why != nil {
		return m, datafile.OnceASecond, m.why.Error()
	}
	return m, kept, ""
}

// create creates the file in a directory and maps it.
func (m *marksFile) create(d *dataFile, dir string) error {
	kept := m.header.Kept
	dataDir, err := os.Stat(d.store.Dir)
	if err != nil {
		return err
	}
	cells := int64(0)
	for _, r := range m.pages {
		cells += int64(r.size)
	}
	head, err := m.header.Encode(m.ranges(d), cells)
	if err != nil {
		return err
	}
	// It may be small, and the program's own use of it comes first.
	if m.header.Kept == datafile.InMemory && m.needs() > free(dir)/8 {
		return fmt.Errorf("too little room on %s", dir)
	}
	name, _ := datafile.MarksName(dataDir, d.process.UUID)
	m.path = filepath.Join(dir, name)
	temp := m.path + ".tmp"
	file, err := datafile.Open(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(temp) // unless it has its name
	if err := m.fill(file, head); err != nil {
		_ = file.Close()
		return err
	}
	// Locked before it has its name: nobody must take it for that of a process that has
	// ended.
	if err := datafile.Lock(file, 0); err != nil {
		_ = file.Close()
		return err
	}
	if m.content, err = mapFile(file, int(m.header.Size)); err != nil {
		_ = file.Close()
		return err
	}
	// It may have calls from the start: it may not be the first.
	m.swept(unixMillis(d.p.now()))
	m.unread(true)
	if m.why = m.attach(file); m.why != nil {
		if err := m.admit(file, m.ranges(d), cells); err != nil {
			_ = m.release()
			_ = file.Close()
			return err
		}
	}
	if kept == datafile.InMemory {
		_ = file.Close() // the mapping keeps the lock
	} else {
		m.lock = keepLock(file, temp, m.info)
	}
	if err = os.Rename(temp, m.path); err != nil {
		_ = m.release()
	}
	return err
}

// admit writes into the header that not all cells are in the file.
func (m *marksFile) admit(file *os.File, ranges []datafile.Range, cells int64) error {
	m.header.Kept = datafile.OnceASecond
	head, err := m.header.Encode(ranges, cells)
	if err == nil {
		_, err = file.WriteAt(head, 0)
	}
	return err
}

// needs returns the number of bytes that the file takes: padding takes none.
func (m *marksFile) needs() int64 {
	size := m.header.Cells
	for _, r := range m.pages {
		for i := range r.parts {
			from, to := r.parts[i].pages()
			size += int64(to - from)
		}
	}
	return size
}

// fill gives the file its size, with all of its pages, and what it begins with.
func (m *marksFile) fill(file *os.File, head []byte) error {
	// Pages of padding stay holes: nothing is written to them.
	zeros := make([]byte, max(int(m.header.Cells-m.header.State), 16*mappedPage))
	if _, err := file.WriteAt(zeros[:m.header.Cells-m.header.State], m.header.State); err != nil {
		return err
	}
	offset := m.header.Cells
	for _, r := range m.pages {
		for i := range r.parts {
			from, to := r.parts[i].pages()
			for ; from < to; from += len(zeros) {
				if _, err := file.WriteAt(zeros[:min(to-from, len(zeros))], offset+int64(from)); err != nil {
					return err
				}
			}
		}
		offset += int64(r.size)
	}
	if err := file.Truncate(m.header.Size); err != nil {
		return err
	}
	if _, err := file.WriteAt(head, 0); err != nil {
		return err
	}
	var err error
	m.info, err = file.Stat()
	m.root, _ = os.Stat("/")
	return err
}

// attach maps the pages of the file over those of the mark arrays, and brings into the file
// what the cells had.
func (m *marksFile) attach(file *os.File) error {
	pipe, err := newPagePipe(int(m.header.Size - m.header.Cells))
	if err != nil {
		return err
	}
	defer pipe.close()
	offset := m.header.Cells
	for _, r := range m.pages {
		if err := pipe.attach(r, file, offset); err != nil {
			return err
		}
		m.attached++
		offset += int64(r.size)
	}
	return nil
}

// ranges returns where the cells of which functions lie.
func (m *marksFile) ranges(d *dataFile) []datafile.Range {
	var ranges []datafile.Range
	for i := range d.packages {
		s, cells := &d.packages[i], uint32(m.first[i])
		if s.stamps == nil {
			if s.functions > 0 {
				ranges = append(ranges, datafile.Range{At: cells, First: uint32(s.first), Count: uint32(s.functions)})
			}
			continue
		}
		for k, stamp := range s.stamps {
			n := len(ranges)
			switch {
			case stamp < 0:
			case k > 0 && s.stamps[k-1] == stamp-1 && n > 0:
				ranges[n-1].Count++
			default:
				ranges = append(ranges, datafile.Range{At: cells + uint32(k), First: uint32(stamp), Count: 1})
			}
		}
	}
	return ranges
}

// marksDir returns the directory for the marks files of processes with these settings.
func marksDir(set *settings) (dir string, kept datafile.Kept, err error) {
	shared := filepath.Dir(datafile.MarksDir(0, 0))
	switch {
	case !canMap:
		return "", 0, errors.New("this system cannot map mark arrays")
	case os.Getpagesize() != mappedPage:
		return "", 0, fmt.Errorf("pages have %d bytes", os.Getpagesize())
	case set.mapping == "none":
		return "", 0, errors.New("mapping is none")
	case isMemory(set.dataDir):
		return set.dataDir, datafile.InMemory, nil
	case set.mapping == "disk":
		if !isSteady(set.dataDir) {
			return "", 0, errors.New("the file system of dataDir may fail stores")
		}
		return set.dataDir, datafile.OnDisk, nil
	case !isMemory(shared):
		return "", 0, fmt.Errorf("no tmpfs at %s", shared)
	}
	for n := range datafile.MarksNames {
		dir = datafile.MarksDir(os.Geteuid(), n)
		if err = os.Mkdir(dir, 0o700); err == nil || datafile.IsOwn(dir, os.Geteuid()) {
			return dir, datafile.InMemory, os.Chmod(dir, 0o700) // whatever the umask is
		}
	}
	return "", 0, fmt.Errorf("no directory of this user's own: %w", err)
}

// isElsewhere reports whether the program has another root directory than it had
// (chroot). Then names of files are of no use any more, and there is no way back, but
// the files are where they were.
func isElsewhere(root os.FileInfo) bool {
	now, err := os.Stat("/")
	return err == nil && root != nil && !os.SameFile(now, root)
}
