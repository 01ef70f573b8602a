//go:build unix

package hitrt

import (
	"os"
	"syscall"
)

// openFile is [os.OpenFile] that leaves the runtime's network poller alone. That
// one makes two descriptors when it starts, with the first file that package os
// opens, and ends the program when somebody closes them: a program that closes what
// it has inherited would die of ours.
func openFile(path string, flag int, perm os.FileMode) (*os.File, error) {
	for {
		fd, err := syscall.Open(path, flag|syscall.O_CLOEXEC, uint32(perm.Perm()))
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return nil, &os.PathError{Op: "open", Path: path, Err: err}
		}
		return os.NewFile(uintptr(fd), path), nil
	}
}
