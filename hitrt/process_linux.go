// What the system says of this process: whether it may have more threads, and whether it has
// children.

package hitrt

import (
	"syscall"
	"unsafe"
)

// hasThreads reports whether the limit of processes leaves room for the threads that
// waiting for signals takes: the runtime ends a program that cannot have another one.
func hasThreads() bool {
	const (
		nproc  = 6 // RLIMIT_NPROC
		plenty = 64
	)
	var limit syscall.Rlimit
	return syscall.Getrlimit(nproc, &limit) != nil || limit.Cur >= plenty
}

// hasChildren reports whether the process has children. One that was forked without exec
// shares the mark arrays, and may go on when this one has ended. clone(2) makes some whose
// end sends another signal than SIGCHLD, or none; kernels before 4.7 cannot be asked for them.
func hasChildren() bool {
	const (
		all     = 0 // P_ALL
		options = syscall.WNOHANG | syscall.WEXITED | syscall.WNOWAIT
		anyKind = 0x40000000 // __WALL
	)
	var info [128]byte // siginfo_t
	_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, all, 0, uintptr(unsafe.Pointer(&info)), options|anyKind, 0, 0)
	if errno == syscall.EINVAL {
		_, _, errno = syscall.Syscall6(syscall.SYS_WAITID, all, 0, uintptr(unsafe.Pointer(&info)), options, 0, 0)
	}
	return errno != syscall.ECHILD
}
