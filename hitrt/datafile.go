package hitrt

// The outlet to local files: one file for this process, and one for its
// codebase that all processes of a build share. dataformat.go has what is in
// them, codebasefile.go the latter.

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

// dataRetry is how long to wait after local files could not be written.
const dataRetry = 15 * time.Second

// A dataFile is the outlet to local files. It belongs to the publisher's
// goroutine.
type dataFile struct {
	p           *publisher
	fingerprint string
	functions   int
	packages    []packageStamps

	stamps  []byte      // what the file has from S on, once written
	filled  bitset      // pages of stamps that are filled in; on the others no function was hit
	never   []byte      // what the file has for one of those
	dirty   bitset      // pages that the file does not have yet
	held    *heldFile   // nil until it is made; it is opened for each use
	root    os.FileInfo // what its path begins at
	retryAt time.Time   // not before that, after an error

	layout   layout
	shared   []byte     // the whole file, mapped; nil if it is written to instead
	spare    mappedFile // if it is written to: for when its name is out of reach
	attached int        // of the packages, from the first on, how many have their marks in it
	listed   bool       // the codebase file is there
	verified bool       // it was read and found whole
}

func newDataFile(p *publisher) *dataFile {
	d := &dataFile{p: p, packages: make([]packageStamps, len(p.codebase.packages))}
	for i := range d.packages {
		s := newPackageStamps(&p.codebase.packages[i], d.functions)
		d.packages[i] = s
		d.functions += s.functions
	}
	d.fingerprint = dataFingerprint(p.identity, p.codebase, p.set.environment)
	d.never = make([]byte, pageSize)
	for i := 0; i < pageSize; i += stampSize {
		binary.LittleEndian.PutUint64(d.never[i:], neverHit)
	}
	// The system gives memory when it is first written to: a program that starts
	// does not pay for all of it.
	d.stamps = make([]byte, d.functions*stampSize)
	d.filled = newBitset(len(d.stamps)/pageSize + 1)
	d.dirty = newBitset(len(d.stamps)/pageSize + 1)
	return d
}

// hit stamps a function. A mark is cleared after that, so if the file is mapped
// its stamp must be in there when hit returns.
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
	// Whole or not at all, which two stores on a 32-bit machine would not be.
	// Systems on which files are mapped are little endian.
	at := d.layout.stamps + int64(i)*stampSize
	atomic.StoreUint64((*uint64)(unsafe.Pointer(&d.shared[at])), uint64(stamp))
}

// write brings the files up to date. What cannot be written now is tried again;
// the stamps in memory lose nothing by it.
func (d *dataFile) write(now time.Time) {
	if d.held == nil {
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

// list writes the codebase file of a program with many functions. Its process's
// file comes first and names it: hits that are there can be read as soon as any
// process of the build has come this far.
func (d *dataFile) list(now time.Time) {
	if d.listed || d.held == nil || now.Before(d.retryAt) && !d.p.isExiting() {
		return
	}
	if err := d.listFunctions(); err != nil {
		d.retryAt = now.Add(dataRetry)
		d.p.rep.say("list", "listing the functions in dataDir: %v", err)
	}
}

// listFunctions writes the codebase file, if no other process of this build did.
func (d *dataFile) listFunctions() error {
	if path := d.codebasePath(); !completeCodebase(path) {
		if err := d.replace(path, d.writeCodebase); err != nil {
			return err
		}
	}
	d.listed = true
	return nil
}

// create writes the process's file, and before it, in a program with few
// functions, the codebase file.
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

// share maps the file, and the marks of all packages to it. If anything is in
// the way the file is written to instead, at every checkpoint.
func (d *dataFile) share() {
	file, err := d.held.open(os.O_RDWR)
	if err != nil {
		d.p.rep.trace("mapping the file: %v", err)
		return
	}
	defer file.Close() // the mapping needs none
	if d.layout.pages == nil {
		d.spare, _ = mapFile(file, int(d.held.info.Size()))
		return
	}
	shared, err := mapFile(file, int(d.layout.size))
	if err != nil {
		d.p.rep.trace("mapping %s: %v", d.held.path, err)
		return
	}
	d.shared, d.attached = shared, 0
	pipe, err := newPagePipe()
	if err != nil {
		d.p.rep.trace("mapping the marks: %v", err)
		return
	}
	defer pipe.close()
	offset := d.layout.marks
	for _, r := range d.layout.pages {
		if r.size > 0 {
			if err := pipe.attach(r, file, offset); err != nil {
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
	if d.held == nil {
		return
	}
	info, err := os.Stat(d.held.path)
	gone := err == nil && !os.SameFile(info, d.held.info) || os.IsNotExist(err) && !d.elsewhere()
	if !gone && (err != nil || info.Size() >= d.layout.size) {
		return
	}
	d.p.rep.say("gone", "%s was removed, replaced or cut off: it is written again", d.held.path)
	d.release()
}

// elsewhere reports whether the program has another root directory than when the
// file was made (chroot). Names say nothing any more then, and there is no way back;
// but the file is where it was.
func (d *dataFile) elsewhere() bool {
	root, err := os.Stat(rootOf(d.held.path))
	return err == nil && d.root != nil && !os.SameFile(root, d.root)
}

// rootOf is the root directory of an absolute path.
func rootOf(path string) string {
	return filepath.VolumeName(path) + string(filepath.Separator)
}

// release lets go of the file. The marks move back to memory, package by package
// from the last one on: should the system give no memory for one, then the next
// attempt is for those that are left, and not for marks that are in memory.
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

// writeHeld writes the process's file. Where there are locks, it has its own before
// it has its name: whoever looks for files that processes left could take it otherwise.
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

// replace writes a file under a temporary name and then gives it its name.
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

// temporary is the name that a file has until it is whole, this process's own.
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

// rename gives a file that was written under its temporary name its own.
func (d *dataFile) rename(path string) error {
	err := os.Rename(d.temporary(path), path)
	if err != nil {
		_ = os.Remove(d.temporary(path))
	}
	return err
}

// close ends the use of the file. A mapped file stays as it is, for what other
// goroutines still call, and so does the lock, until the process is no more.
func (d *dataFile) close() {
	if d.held == nil || d.shared != nil {
		return
	}
	d.letGo()
}

func (d *dataFile) letGo() {
	if d.spare != nil {
		unmapFile(d.spare)
	}
	d.held.release()
	d.held, d.spare = nil, nil
}

// staleAge is how old a temporary file must be to be nobody's: it takes a process
// seconds to write one.
const staleAge = time.Hour

// removeStale removes the temporary files of processes that were killed while they
// wrote them.
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

// path is the name of the process's file, "" while there is none.
func (d *dataFile) path() string {
	if d.held == nil {
		return ""
	}
	return d.held.path
}
