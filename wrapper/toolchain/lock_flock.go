//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package toolchain

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Lock waits until no other process holds the lock of that file, and holds it
// until unlock is called or this process ends. "" is no lock.
func Lock(file string) (unlock func(), err error) {
	if file == "" {
		return func() {}, nil
	}
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	for {
		if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX); !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("locking %s: %w", file, err)
	}
	return func() { _ = f.Close() }, nil
}
