//go:build unix

// Opening files and directories, out of the way of the program.

package datafile

import (
	"os"
	"slices"
	"syscall"
)

// Open opens a regular file. It never waits, as the opening of a named pipe would, and
// does not follow a link in the last element of the path.
//
// It does what [os.OpenFile] does without the runtime's network poller. The poller
// starts with the first file that package os opens, makes two descriptors, and ends the
// program when they are closed: a program that closes all descriptors that it inherited
// would die because of us.
func Open(path string, flag int, perm os.FileMode) (*os.File, error) {
	// To open a device may do something, to open a pipe may wake its other end.
	var named syscall.Stat_t
	if err := syscall.Lstat(path, &named); err == nil && named.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return nil, &os.PathError{Op: "open", Path: path, Err: ErrNotRegular}
	}
	fd, err := OpenFd(path, flag|syscall.O_NOFOLLOW, perm)
	if err != nil {
		return nil, err
	}
	var st syscall.Stat_t
	if err := syscall.Fstat(fd, &st); err != nil || st.Mode&syscall.S_IFMT != syscall.S_IFREG {
		_ = syscall.Close(fd)
		if err == nil {
			err = ErrNotRegular
		}
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	// A regular file is never waited for. With O_NONBLOCK package os would give it to
	// the poller.
	_ = syscall.SetNonblock(fd, false)
	return os.NewFile(uintptr(fd), path), nil
}

// Names returns the names in a directory, in sorted order, without waiting.
func Names(dir string) []string {
	names := someNames(dir, -1)
	slices.Sort(names)
	return names
}

// someNames returns at most so many names in a directory, or all if most is below 0.
func someNames(dir string, most int) []string {
	fd, err := OpenFd(dir, os.O_RDONLY|syscall.O_DIRECTORY, 0)
	if err != nil {
		return nil
	}
	_ = syscall.SetNonblock(fd, false)
	file := os.NewFile(uintptr(fd), dir)
	defer file.Close()
	names, _ := file.Readdirnames(most)
	return names
}

// OpenFd opens what a name stands for, out of the way of the program. It never waits as the
// opening of a pipe would.
func OpenFd(path string, flag int, perm os.FileMode) (int, error) {
	for {
		fd, err := syscall.Open(path, flag|syscall.O_CLOEXEC|syscall.O_NONBLOCK|syscall.O_NOCTTY, uint32(perm.Perm()))
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return 0, &os.PathError{Op: "open", Path: path, Err: err}
		}
		return aside(fd), nil
	}
}

// Owner returns the user that a file belongs to.
func Owner(info os.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1
}

// identify returns what tells a file from all others of this machine.
func identify(info os.FileInfo) (device, inode uint64) {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Dev), uint64(st.Ino) //nolint:unconvert // other systems have other types
	}
	return 0, 0
}
