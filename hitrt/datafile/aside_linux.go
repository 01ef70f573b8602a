package datafile

import "syscall"

// firstAside is the lowest number of our descriptors. Programs get the lowest that are
// free, and those that choose numbers choose low ones.
const firstAside = 200

// aside gives an open file a number that the program does not get for a file of its own,
// and returns it.
//
// Descriptors belong to the program: it may close any number at any moment, and the next
// file that it opens gets that number. What we wrote to it would be in the program's
// file then. With a high number we write to a closed descriptor, which fails. There
// remains the instant until the file has that number, in which no more happens than
// that it is closed.
func aside(fd int) int {
	high, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, firstAside)
	if errno != 0 {
		return fd // the limit is lower
	}
	var low, own syscall.Stat_t
	if syscall.Fstat(int(high), &own) == nil && syscall.Fstat(fd, &low) == nil && low.Dev == own.Dev && low.Ino == own.Ino {
		_ = syscall.Close(fd)
	}
	return int(high)
}
