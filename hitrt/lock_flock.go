//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

// The lock on the marks file, which lasts as long as the process.

package hitrt

import (
	"os"
	"syscall"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// A keptLock is the lock on a file, without the file.
//
// Descriptors belong to the program: it may close any number, and open a file of its own
// that gets it. So what has to last, the lock, is kept by a mapping where that does.
type keptLock struct {
	page []byte // a mapping that keeps the lock and is never read
	fd   int    // where no mapping does: a descriptor, 0 = none
}

// keepLock closes a locked file and keeps the lock. It tries out whether a mapping
// does, which it does not on overlay and on some systems.
func keepLock(file *os.File, path string, info os.FileInfo) keptLock {
	page, err := syscall.Mmap(int(file.Fd()), 0, mappedPage, syscall.PROT_NONE, syscall.MAP_SHARED)
	if err != nil {
		return keepDescriptor(file)
	}
	again, err := datafile.Open(path, os.O_RDWR, 0)
	if err == nil && !isFile(again, info) {
		err = again.Close()
		again = nil
	}
	if err != nil || again == nil {
		_ = syscall.Munmap(page)
		return keepDescriptor(file)
	}
	_ = file.Close()
	if datafile.Lock(again, 0) == nil {
		_ = syscall.Munmap(page)
		return keepDescriptor(again)
	}
	_ = again.Close()
	return keptLock{page: page}
}

// keepDescriptor keeps the lock by a descriptor of the file. It does not keep the
// *os.File, which closes its number when it is garbage, whatever has that by then.
func keepDescriptor(file *os.File) keptLock {
	defer file.Close()
	fd, err := duplicate(int(file.Fd()))
	if err != nil {
		return keptLock{} // as on a file system without locks
	}
	return keptLock{fd: fd}
}

// release releases the lock. It does not close a descriptor that is another file by
// now.
func (k keptLock) release(info os.FileInfo) {
	if k.page != nil {
		_ = syscall.Munmap(k.page)
	}
	if k.fd > 0 && isDescriptorOf(k.fd, info) {
		_ = syscall.Close(k.fd)
	}
}

// isDescriptorOf reports whether info describes the file of a descriptor.
func isDescriptorOf(fd int, info os.FileInfo) bool {
	var st syscall.Stat_t
	own, ok := info.Sys().(*syscall.Stat_t)
	return ok && syscall.Fstat(fd, &st) == nil && st.Dev == own.Dev && st.Ino == own.Ino
}

// isFile reports whether info describes file.
func isFile(file *os.File, info os.FileInfo) bool {
	own, err := file.Stat()
	return err == nil && os.SameFile(own, info)
}
