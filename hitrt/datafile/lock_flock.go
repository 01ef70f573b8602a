//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

// Locks, which end with the process.

package datafile

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// Lock locks a file until it is closed, or fails with [ErrBusy] if another process has
// it locked for longer than wait. The lock is not inherited by programs that this one
// starts, as exec closes the file.
func Lock(file *os.File, wait time.Duration) error {
	for began := time.Now(); ; pause() {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case err == syscall.EINTR:
		case errors.Is(err, syscall.EWOULDBLOCK):
			if time.Since(began) >= wait {
				return ErrBusy
			}
		default:
			return errors.Join(ErrNoLocks, os.NewSyscallError("flock", err))
		}
	}
}

// unlock ends a lock before the file is closed.
func unlock(file *os.File) { _ = syscall.Flock(int(file.Fd()), syscall.LOCK_UN) }

// pause waits for a moment, without a timer: that would start the runtime's poller.
func pause() {
	t := syscall.NsecToTimeval(int64(500 * time.Microsecond))
	_, _ = selectNothing(&t)
}
