//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package hitrt

import (
	"os"
	"syscall"
)

const canLock = true

// lockFile locks a file, or fails if another process has locked it. The lock lasts
// until the file is closed and no mapping of it is left. Programs that this one starts
// do not inherit it, as exec closes the file.
func lockFile(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// A keptLock is the lock on a file, without the file.
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
	again, err := openFile(path, os.O_RDWR, 0)
	if err != nil || !isFile(again, info) {
		_ = syscall.Munmap(page)
		return keepDescriptor(file)
	}
	_ = file.Close()
	if lockFile(again) == nil {
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
