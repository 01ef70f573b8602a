//go:build unix && !linux

package hitrt

import "syscall"

// raise sends a signal to the process.
func raise(sig syscall.Signal) error { return syscall.Kill(syscall.Getpid(), sig) }
