//go:build linux && (amd64 || arm64 || loong64 || riscv64)

package hitrt

import "syscall"

func mmap(start uintptr, size, prot, flags, fd int, offset int64) (uintptr, syscall.Errno) {
	got, _, errno := syscall.Syscall6(syscall.SYS_MMAP, start, uintptr(size), uintptr(prot), uintptr(flags), uintptr(fd), uintptr(offset))
	return got, errno
}
