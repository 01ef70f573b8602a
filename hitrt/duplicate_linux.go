package hitrt

import "syscall"

// firstKept is the lowest number of a descriptor of ours that stays: programs that
// use numbers of their own choice take low ones.
const firstKept = 200

// duplicate returns another descriptor of a file, one that programs which are
// started do not inherit.
func duplicate(fd int) (int, error) {
	for _, least := range []uintptr{firstKept, 3} { // there may be a limit
		n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, least)
		if errno == 0 {
			return int(n), nil
		}
	}
	return 0, syscall.EMFILE
}
