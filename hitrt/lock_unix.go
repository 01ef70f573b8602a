//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package hitrt

import (
	"os"
	"syscall"
)

const canLock = true

// lockFile takes the lock on a file, or fails if another process has it. The
// lock is held until the file is closed and no mapping of it is left. Programs
// that this one starts do not inherit it, as the file is closed in them.
func lockFile(file *os.File) error {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
