//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package hitrt

import "syscall"

// duplicate returns another descriptor of a file, which is closed on exec.
func duplicate(fd int) (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	n, err := syscall.Dup(fd)
	if err == nil {
		syscall.CloseOnExec(n)
	}
	return n, err
}
