package main

import (
	"os"
	"syscall"
)

// peakMemory returns the most memory that a process, or one that it started, had.
func peakMemory(state *os.ProcessState) int64 {
	return state.SysUsage().(*syscall.Rusage).Maxrss << 10
}
