package hitrt

import "syscall"

// raise sends a signal to the calling thread, as the runtime does. Lock it before.
func raise(sig syscall.Signal) error {
	return syscall.Tgkill(syscall.Getpid(), syscall.Gettid(), sig)
}
