//go:build linux && (386 || arm)

package hitrt

import "syscall"

// mmap2(2) counts the offset in pages of 4096 bytes.
func mmap(start uintptr, size, prot, flags, fd int, offset int64) (uintptr, syscall.Errno) {
	got, _, errno := syscall.Syscall6(syscall.SYS_MMAP2, start, uintptr(size), uintptr(prot), uintptr(flags), uintptr(fd), uintptr(offset/mappedPage))
	return got, errno
}
