// Writing local files: one file for this process, and one for its codebase that all
// processes of a build share. dataformat.go describes both, codebasefile.go writes the
// latter.

package hitrt

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
	"unsafe"
)

// dataRetry is the time to wait after local files could not be written.
const dataRetry = 15 * time.Second

// A dataFile writes local files. It belongs to the publisher's goroutine.
type dataFile struct {
	p           *publisher
	fingerprint string
	functions   int
	packages    []packageStamps

	stamps  []byte      // the content of the file from S on, once written
	filled  bitset      // pages of stamps that are filled in; on the others no function was hit
	never   []byte      // the content of a page on which no function was hit
	dirty   bitset      // pages that differ from the file
	held    *heldFile   // nil until it is written; opened for each use
	root    os.FileInfo // the root directory when it was written
	retryAt time.Time   // after an error: when to try again

	layout   layout
	shared   []byte     // the whole file, mapped; nil if it is written to instead
	spare    mappedFile // if it is written to: used when its name is out of reach
	attached int        // number of packages, from the first on, whose marks are in it
	listed   bool       // the codebase file is there
	verified bool       // the codebase file was read and is whole
}

func newDataFile(p *publisher) *dataFile {
	d := &dataFile{p: p, packages: make([]packageStamps, len(p.codebase.packages))}
	for i := range d.packages {
		s := newPackageStamps(&p.codebase.packages[i], d.functions)
		d.packages[i] = s
		d.functions += s.functions
	}
	d.fingerprint = dataFingerprint(p.fingerprint, p.codebase, p.set.environment)
	d.never = make([]byte, pageSize)
	for i := 0; i < pageSize; i += stampSize {
		binary.LittleEndian.PutUint64(d.never[i:], neverHit)
	}
	// The system allocates memory when it is first written to: a program that starts
	// does not pay for all of it.
	d.stamps = make([]byte, d.functions*stampSize)
	d.filled = newBitset(len(d.stamps)/pageSize + 1)
	d.dirty = newBitset(len(d.stamps)/pageSize + 1)
	return d
}

// hit stamps a function. The mark is cleared when hit returns, so the stamp must be in
// the file by then if it is mapped.
func (d *dataFile) hit(pkg, mark int, stamp int64) {
	i := d.packages[pkg].stampOf(mark)
	if i < 0 {
		return
	}
	page := i * stampSize / pageSize
	if !d.filled.has(page) {
		copy(d.stamps[page*pageSize:], d.never)
		d.filled.add(page)
	}
	binary.LittleEndian.PutUint64(d.stamps[i*stampSize:], uint64(stamp))
	if d.shared == nil {
		d.dirty.add(page)
		return
	}
	// One atomic store: a 32-bit machine would make two, and the process may end in
	// between. Systems on which files are mapped are little endian.
	at := d.layout.stamps + int64(i)*stampSize
	atomic.StoreUint64((*uint64)(unsafe.Pointer(&d.shared[at])), uint64(stamp))
}

// write brings the files up to date. After an error it tries again later, and loses
// nothing: the stamps are in memory.
func (d *dataFile) write(now time.Time) {
	if d.held == nil {
		if now.Before(d.retryAt) && !d.p.isExiting() {
			return
		}
		if err := d.create(); err != nil {
			d.retryAt = now.Add(dataRetry)
			d.p.log.WarnHourly("create", "creating the files in dataDir: %v", err)
		}
		return // a new file contains all stamps
	}
	if err := d.update(); err != nil {
		d.p.log.WarnHourly("write", "writing to dataDir: %v", err)
	}
}

// update writes the pages whose stamps changed, adjacent ones in one write.
func (d *dataFile) update() error {
	if d.dirty.empty() {
		return nil
	}
	file, err := d.held.open(os.O_WRONLY)
	if err != nil {
		if d.spare != nil && d.elsewhere() {
			return d.updateFile(d.spare)
		}
		return err
	}
	err = d.updateFile(file)
	return errors.Join(err, file.Close())
}

func (d *dataFile) updateFile(file io.WriterAt) error {
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
		if _, err := file.WriteAt(d.stamps[from:to], d.layout.stamps+int64(from)); err != nil {
			return err
		}
		for ; i < j; i++ {
			d.dirty[i/64] &^= 1 << (i % 64)
		}
	}
	return nil
}

// list writes the codebase file of a program with many functions. The process's file,
// which names it, comes first: its hits can be read as soon as any process of the build
// has written the codebase file.
func (d *dataFile) list(now time.Time) {
	if d.listed || d.held == nil || now.Before(d.retryAt) && !d.p.isExiting() {
		return
	}
	if err := d.listFunctions(); err != nil {
		d.retryAt = now.Add(dataRetry)
		d.p.log.WarnHourly("list", "listing the functions in dataDir: %v", err)
	}
}

// listFunctions writes the codebase file, unless another process of this build did.
func (d *dataFile) listFunctions() error {
	if path := d.codebasePath(); !completeCodebase(path) {
		if err := d.replace(path, d.writeCodebase); err != nil {
			return err
		}
	}
	d.listed = true
	return nil
}

// create writes the process's file. In a program with few functions it writes the
// codebase file first.
func (d *dataFile) create() error {
	dir := d.p.set.dataDir
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	d.listed = false
	if d.functions <= fewFunctions {
		if err := d.listFunctions(); err != nil {
			return err
		}
	}
	path := filepath.Join(dir, "process-"+d.p.process+".hits")
	d.layout = layout{}
	if pages, ok := markPages(d.p.codebase.packages); ok && canMap(dir) {
		d.layout.pages = pages
	}
	held, err := d.writeHeld(path)
	if err != nil {
		return err
	}
	d.held = held
	d.root, _ = os.Stat(rootOf(path))
	clear(d.dirty)
	d.share()
	return nil
}

// share maps the file, and the marks of all packages to it. If that fails, the file is
// written to at every checkpoint instead.
func (d *dataFile) share() {
	file, err := d.held.open(os.O_RDWR)
	if err != nil {
		d.p.log.Debug("mapping the file: %v", err)
		return
	}
	defer file.Close() // the mapping stays
	if d.layout.pages == nil {
		d.spare, _ = mapFile(file, int(d.held.info.Size()))
		return
	}
	shared, err := mapFile(file, int(d.layout.size))
	if err != nil {
		d.p.log.Debug("mapping %s: %v", d.held.path, err)
		return
	}
	d.shared, d.attached = shared, 0
	pipe, err := newPagePipe()
	if err != nil {
		d.p.log.Debug("mapping the marks: %v", err)
		return
	}
	defer pipe.close()
	offset := d.layout.marks
	for _, r := range d.layout.pages {
		if r.size > 0 {
			if err := pipe.attach(r, file, offset); err != nil {
				d.p.log.Debug("mapping the marks: %v", err)
				return
			}
		}
		d.attached++
		offset += int64(r.size)
	}
}

// outlives reports whether every mark is in the file, so that no end of the process
// loses a hit.
func (d *dataFile) outlives() bool {
	return d.shared != nil && d.attached == len(d.packages)
}

// inspect checks whether the file is still there. If it was removed, it is written
// again, so that hits do not go where nobody finds them. If it was truncated, that must
// be quick, because a store behind the end of a mapped file ends the program.
func (d *dataFile) inspect() {
	if d.held == nil {
		return
	}
	info, err := os.Stat(d.held.path)
	gone := err == nil && !os.SameFile(info, d.held.info) || os.IsNotExist(err) && !d.elsewhere()
	if !gone && (err != nil || info.Size() >= d.layout.size) {
		return
	}
	d.p.log.WarnHourly("gone", "%s was removed, replaced or cut off: it is written again", d.held.path)
	d.release()
}

// elsewhere reports whether the program has another root directory than when the file
// was written (chroot). Then its name is of no use any more, and there is no way back,
// but the file is where it was.
func (d *dataFile) elsewhere() bool {
	root, err := os.Stat(rootOf(d.held.path))
	return err == nil && d.root != nil && !os.SameFile(root, d.root)
}

// rootOf returns the root directory of an absolute path.
func rootOf(path string) string {
	return filepath.VolumeName(path) + string(filepath.Separator)
}

// release gives up the file. The marks move back to memory, package by package from the
// last one on: if the system has no memory for one, the next attempt goes on with the
// packages that are left, and not with marks that are in memory already.
func (d *dataFile) release() {
	offset := d.layout.size
	for i := len(d.layout.pages) - 1; i >= 0 && d.shared != nil; i-- {
		r := d.layout.pages[i]
		offset -= int64(r.size)
		if i >= d.attached {
			continue
		}
		if r.size > 0 && !d.takeBack(r, offset) {
			return
		}
		d.attached = i
	}
	if d.shared != nil {
		unmapFile(d.shared)
	}
	d.letGo()
	d.shared, d.attached = nil, 0
}

// takeBack moves the marks of r back to memory, and reports whether they are there.
func (d *dataFile) takeBack(r pageRange, offset int64) (ok bool) {
	defer func() {
		// There is nothing to read behind the end of a truncated file.
		if recover() != nil {
			ok = true
		}
	}()
	return detach(r, d.shared[offset:offset+int64(r.size)]) == nil
}

// writeHeld writes the process's file. The file is locked before it is renamed into
// place: otherwise another process could claim it as an orphan.
func (d *dataFile) writeHeld(path string) (*heldFile, error) {
	locked := false
	file, err := d.writeTemporary(path, func(file *os.File, w io.Writer) error {
		locked = canLock && lockFile(file) == nil
		return d.writeProcess(w, locked)
	})
	if err != nil {
		return nil, err
	}
	held, err := hold(file, d.temporary(path), locked)
	if err == nil {
		held.path = path
		if err = d.rename(path); err == nil {
			return held, nil
		}
		held.release()
	}
	_ = os.Remove(d.temporary(path))
	return nil, err
}

// replace writes a file under its temporary name and then renames it.
func (d *dataFile) replace(path string, write func(io.Writer) error) error {
	file, err := d.writeTemporary(path, func(_ *os.File, w io.Writer) error { return write(w) })
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		_ = os.Remove(d.temporary(path))
		return err
	}
	return d.rename(path)
}

// temporary returns the name that a file has until it is whole. It contains the
// process's UUID.
func (d *dataFile) temporary(path string) string {
	return path + "." + d.p.process + ".tmp"
}

// writeTemporary writes a file under its temporary name.
func (d *dataFile) writeTemporary(path string, write func(*os.File, io.Writer) error) (*os.File, error) {
	file, err := openFile(d.temporary(path), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, err
	}
	w := bufio.NewWriterSize(file, 64<<10)
	if err = write(file, w); err == nil {
		err = w.Flush()
	}
	if err != nil {
		_ = file.Close()
		_ = os.Remove(d.temporary(path))
		return nil, err
	}
	return file, nil
}

// rename gives a file, which was written under its temporary name, its own name.
func (d *dataFile) rename(path string) error {
	err := os.Rename(d.temporary(path), path)
	if err != nil {
		_ = os.Remove(d.temporary(path))
	}
	return err
}

// close ends the use of the file. A mapped file stays mapped, for what other goroutines
// still call, and locked, until the process has ended.
func (d *dataFile) close() {
	if d.held == nil || d.shared != nil {
		return
	}
	d.letGo()
}

// letGo releases the file.
func (d *dataFile) letGo() {
	if d.spare != nil {
		unmapFile(d.spare)
	}
	d.held.release()
	d.held, d.spare = nil, nil
}

// staleAge is the age from which a temporary file is abandoned: a process writes one
// within seconds.
const staleAge = time.Hour

// removeStale removes the temporary files of processes that were killed while writing
// them.
func (d *dataFile) removeStale() {
	entries, _ := os.ReadDir(d.p.set.dataDir)
	for _, e := range entries {
		if !isTemporary(e.Name()) {
			continue
		}
		path := filepath.Join(d.p.set.dataDir, e.Name())
		if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > staleAge {
			_ = os.Remove(path)
		}
	}
}

// isTemporary reports whether a name is one that [dataFile.temporary] gives.
func isTemporary(name string) bool {
	for _, pattern := range []string{"process-*.hits.*.tmp", "codebase-*.json.*.tmp"} {
		if ok, _ := filepath.Match(pattern, name); ok {
			return true
		}
	}
	return false
}

// path returns the name of the process's file, "" while there is none.
func (d *dataFile) path() string {
	if d.held == nil {
		return ""
	}
	return d.held.path
}
