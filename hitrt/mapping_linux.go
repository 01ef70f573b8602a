//go:build linux && (386 || amd64 || arm || arm64 || loong64 || riscv64)

// Mapping on Linux.
//
// The program runs meanwhile, in goroutines that packages' initialisation started and
// in threads of C, and cannot be stopped. What it stores between copying a page and
// replacing it would be lost. So the page is kept in a pipe: vmsplice(2) puts a page
// into a pipe by reference, not by copy. Once mmap has returned no processor reaches
// the old page any more, and reading the pipe gives its final content.
//
//  1. Add zero to a word of the page: a page that was never written to is not the
//     program's own yet.
//  2. vmsplice: the pipe refers to the page.
//  3. mmap: the file replaces the page.
//  4. Read the pipe, and set the cells in the file that are set in the old page.

package hitrt

import (
	"errors"
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// canMap reports whether this system can map mark arrays.
const canMap = true

// Types of file systems, from statfs(2).
const (
	ext4      = 0xEF53
	xfs       = 0x58465342
	tmpfs     = 0x01021994
	overlayFS = 0x794C7630
	f2fs      = 0xF2F52010
)

// isMemory reports whether a directory is on tmpfs.
func isMemory(dir string) bool { return fileSystem(dir) == tmpfs }

// isSteady reports whether a directory is on a file system that fails no store into a
// block that is there: not on one that copies what is written to (btrfs, and xfs after
// cp --reflink) nor on a network.
func isSteady(dir string) bool {
	switch fileSystem(dir) {
	case ext4, xfs, tmpfs, overlayFS, f2fs:
		return true
	}
	return false
}

// free returns the number of bytes that a user may take on a file system.
func free(dir string) int64 {
	var fs syscall.Statfs_t
	if syscall.Statfs(dir, &fs) != nil || fs.Blocks == 0 { // no limit is set
		return 1 << 62
	}
	return int64(fs.Bavail) * int64(fs.Bsize) //nolint:unconvert // 386 and arm have int32
}

func fileSystem(dir string) uint32 {
	var fs syscall.Statfs_t
	if syscall.Statfs(dir, &fs) != nil {
		return 0
	}
	return uint32(fs.Type)
}

// mapFile maps a whole file for reading and writing.
func mapFile(file *os.File, size int) ([]byte, error) {
	return syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
}

func unmapFile(data []byte) { _ = syscall.Munmap(data) }

// A pagePipe is the pipe that keeps pages, and a buffer to read it into. All ranges
// share one: making both for each of them costs more than the mapping. Do not use it
// after an error: pages may be left in it.
type pagePipe struct {
	out, in int
	old     []byte
}

// newPagePipe makes a pipe for as many pages as may be mapped at once: up to size, and
// no more than the system allows.
func newPagePipe(size int) (*pagePipe, error) {
	const (
		setSize = 1031 // F_SETPIPE_SZ
		usual   = 16 * mappedPage
		most    = 256 * mappedPage
	)
	var fds [2]int
	if err := syscall.Pipe2(fds[:], syscall.O_CLOEXEC|syscall.O_NONBLOCK); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	if size > usual {
		_, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fds[1]), setSize, most)
		if errno != 0 {
			size = usual
		}
	}
	return &pagePipe{fds[0], fds[1], make([]byte, min(max(size, usual), most))}, nil
}

func (p *pagePipe) close() {
	_ = syscall.Close(p.out)
	_ = syscall.Close(p.in)
}

// attach maps the file's pages from offset on over those of r, as many at a time as
// the pipe takes. Cells that are set before or meanwhile stay set.
func (p *pagePipe) attach(r pageRange, file *os.File, offset int64) error {
	for done := 0; done < r.size; {
		r.own(done, min(r.size, done+len(p.old)))
		size, err := splicePages(p.in, r.start+uintptr(done), min(r.size-done, len(p.old)))
		if err != nil {
			return err
		}
		if err := mapFixed(r.start+uintptr(done), size, syscall.MAP_SHARED, int(file.Fd()), offset+int64(done)); err != nil {
			return err
		}
		old := p.old[:size]
		if err := readPipe(p.out, old); err != nil {
			return err
		}
		r.set(old, done)
		done += size
	}
	return nil
}

// own makes the pages of cells between two offsets the program's own. Nothing is ever
// written to pages of padding.
func (r pageRange) own(from, to int) {
	for _, a := range r.parts {
		if a.at >= to || a.at+len(a.cells) <= from {
			continue
		}
		first, end := max(from, a.at&^3), min(to, a.at+len(a.cells))
		for at := first; at < end; at += mappedPage - at%mappedPage {
			atomic.AddUint32((*uint32)(unsafe.Pointer(&a.cells[at-a.at])), 0)
		}
	}
}

// detach replaces the pages of r by private memory. data is another mapping of the
// same pages of the file; the cells that are set there are set again.
func detach(r pageRange, data []byte) error {
	if err := mapFixed(r.start, r.size, syscall.MAP_PRIVATE|syscall.MAP_ANON, -1, 0); err != nil {
		return err
	}
	r.set(data, 0)
	return nil
}

// splicePages puts pages into a pipe by reference and returns how many bytes of them
// the pipe took, a multiple of the page size.
func splicePages(pipe int, start uintptr, size int) (int, error) {
	const nonblock = 2 // SPLICE_F_NONBLOCK
	v := syscall.Iovec{Base: (*byte)(addressOf(start))}
	v.SetLen(size)
	n, _, errno := syscall.Syscall6(syscall.SYS_VMSPLICE, uintptr(pipe), uintptr(unsafe.Pointer(&v)), 1, nonblock, 0, 0)
	if errno != 0 {
		return 0, os.NewSyscallError("vmsplice", errno)
	}
	if n == 0 || n%mappedPage != 0 {
		return 0, errors.New("vmsplice took a part of a page")
	}
	return int(n), nil
}

func readPipe(pipe int, b []byte) error {
	for n := 0; n < len(b); {
		m, err := syscall.Read(pipe, b[n:])
		if err == syscall.EINTR {
			continue
		}
		if err != nil || m == 0 {
			return os.NewSyscallError("read", orEOF(err))
		}
		n += m
	}
	return nil
}

func orEOF(err error) error {
	if err == nil {
		return syscall.EPIPE
	}
	return err
}

// set sets the cells that are set in old, a copy of the pages from offset done on.
func (r pageRange) set(old []byte, done int) {
	for _, a := range r.parts {
		from, to := max(0, done-a.at), min(len(a.cells), done+len(old)-a.at)
		for i := from; i < to; i++ {
			if old[a.at+i-done] == 0 {
				continue
			}
			var one uint32
			(*[4]uint8)(unsafe.Pointer(&one))[i%4] = 1
			atomic.OrUint32((*uint32)(unsafe.Pointer(&a.cells[i&^3])), one)
		}
	}
}

func mapFixed(start uintptr, size, flags, fd int, offset int64) error {
	got, errno := mmap(start, size, syscall.PROT_READ|syscall.PROT_WRITE, flags|syscall.MAP_FIXED, fd, offset)
	if errno != 0 {
		return os.NewSyscallError("mmap", errno)
	}
	if got != start {
		return errors.New("mmap took another address")
	}
	return nil
}

// addressOf returns a pointer to the static data at an address.
func addressOf(address uintptr) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&address))
}
