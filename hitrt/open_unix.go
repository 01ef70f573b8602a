//go:build unix

// Files that the user names: a settings file, and the file of log lines.

package hitrt

import (
	"os"
	"syscall"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// openFile opens a file for reading without the runtime's network poller (see
// datafile.Open), and without waiting for whatever a pipe has at its other end.
func openFile(path string) (*os.File, error) {
	fd, err := datafile.OpenFd(path, syscall.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	_ = syscall.SetNonblock(fd, false) // or package os would give it to the poller
	return os.NewFile(uintptr(fd), path), nil
}

// appendTo appends a line to a file. It does not wait for the reader of a pipe.
func appendTo(path string, line []byte) error {
	fd, err := datafile.OpenFd(path, syscall.O_WRONLY|syscall.O_APPEND|syscall.O_CREAT, 0o644)
	if err != nil {
		return err
	}
	_, err = syscall.Write(fd, line)
	_ = syscall.Close(fd)
	return os.NewSyscallError("write", err)
}
