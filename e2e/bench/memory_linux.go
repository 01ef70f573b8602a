package main

import (
	"os"
	"syscall"
)

// peakMemory returns the most memory that a process, or one that it started, had, or 0 if it
// is not known: Linux begins the count of a new process with what the one that starts it had.
func peakMemory(state *os.ProcessState) int64 {
	var own syscall.Rusage
	most := state.SysUsage().(*syscall.Rusage).Maxrss
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil || most <= own.Maxrss {
		return 0
	}
	return most << 10
}
