package hitrt

import "syscall"

// firstKept is the lowest number of a descriptor that we keep: programs that choose
// numbers themselves choose low ones.
const firstKept = 200

// duplicate returns another descriptor of a file, which is closed on exec.
func duplicate(fd int) (int, error) {
	for _, lowest := range []uintptr{firstKept, 3} { // firstKept may be above the limit
		n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, lowest)
		if errno == 0 {
			return int(n), nil
		}
	}
	return 0, syscall.EMFILE
}
