//go:build unix && !linux

package hitrt

import "syscall"

// takesLine is for Linux: elsewhere a line may wait for standard error.
func takesLine(int, *syscall.Stat_t) bool { return true }

// writeLine writes a line.
func writeLine(fd int, _ *syscall.Stat_t, line []byte) (int, error) { return syscall.Write(fd, line) }
