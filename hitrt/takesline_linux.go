// Whether standard error takes a line, or would hold up or stop the program.

package hitrt

import (
	"syscall"
	"time"
	"unsafe"
)

// linePatience is how long a line waits for standard error. Main may wait for it.
const linePatience = 100 * time.Millisecond

// takesLine reports whether a line can be written to a low descriptor, that of st, without
// harm. A pipe whose reader is stuck, and a terminal whose output is stopped (Ctrl-S), would
// hold up who writes. A pipe whose reader is gone sends SIGPIPE, which a program that has
// asked for all signals takes for one of its own.
func takesLine(fd int, st *syscall.Stat_t) bool {
	if stopsUs(fd, st) {
		return false
	}
	for began := time.Now(); time.Since(began) < linePatience; {
		var set, gone syscall.FdSet
		set.Bits[0] = 1 << fd
		if st.Mode&syscall.S_IFMT == syscall.S_IFIFO {
			gone = set // the end to write to can be read if nobody can read the other one
		}
		wait := syscall.NsecToTimeval(int64(linePatience))
		n, err := syscall.Select(fd+1, &gone, &set, nil, &wait)
		if err != syscall.EINTR {
			return n > 0 && set.Bits[0] != 0 && (gone.Bits[0] == 0 || readsItself(fd)) || err != nil
		}
	}
	return false
}

// readsItself reports whether a descriptor is open to read, too, as that of `prog 2<>fifo` is:
// then the pipe always has somebody to read it, and can be read while it has something.
func readsItself(fd int) bool {
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFL, 0)
	return errno == 0 && flags&syscall.O_ACCMODE == syscall.O_RDWR
}

// writeLine writes a line, to a socket without SIGPIPE.
func writeLine(fd int, st *syscall.Stat_t, line []byte) (int, error) {
	if st.Mode&syscall.S_IFMT == syscall.S_IFSOCK {
		return syscall.SendmsgN(fd, line, nil, nil, syscall.MSG_NOSIGNAL)
	}
	return syscall.Write(fd, line)
}

// stopsUs reports whether a descriptor is a terminal that stops programs of the background
// that write to it (stty tostop). No other file is asked: a sandbox that lets a program write
// may end it at an ioctl.
func stopsUs(fd int, st *syscall.Stat_t) bool {
	const memory = 1 // the major number of /dev/null
	if st.Mode&syscall.S_IFMT != syscall.S_IFCHR || st.Rdev>>8&0xfff == memory {
		return false
	}
	var settings syscall.Termios
	var front int32
	return ioctl(fd, syscall.TCGETS, unsafe.Pointer(&settings)) && settings.Lflag&syscall.TOSTOP != 0 &&
		ioctl(fd, syscall.TIOCGPGRP, unsafe.Pointer(&front)) && int(front) != syscall.Getpgrp()
}

func ioctl(fd int, request uintptr, value unsafe.Pointer) bool {
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), request, uintptr(value))
	return errno == 0
}
