//go:build unix

package hitrt

import (
	"os"
	"syscall"
)

// openFile does what [os.OpenFile] does without the runtime's network poller. The
// poller starts with the first file that package os opens, makes two descriptors, and
// ends the program when they are closed: a program that closes all descriptors that it
// inherited would die because of us.
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
