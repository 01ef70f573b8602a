package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// processCPU returns the CPU time that a process has had so far, to the nanosecond: the
// kernel's own account of it, where /proc counts hundredths of a second.
func processCPU(pid int) (time.Duration, error) {
	// The clock's number is what clock_getcpuclockid(3) returns.
	const scheduler = 2
	var now unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduler), &now); err != nil {
		return 0, fmt.Errorf("CPU time of process %d: %w", pid, err)
	}
	return time.Duration(now.Nano()), nil
}

// processMemory returns the most memory that a process has had so far. What wait tells of it
// would not do: there a process is as large as the one that started it, at least.
func processMemory(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if field, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kibibytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(field), " kB"), 10, 64)
			return kibibytes << 10, err
		}
	}
	return 0, fmt.Errorf("process %d has no memory any more", pid)
}

// cpus returns the processors that this process may use.
func cpus() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, err
	}
	var list []int
	for i := 0; len(list) < set.Count(); i++ {
		if set.IsSet(i) {
			list = append(list, i)
		}
	}
	return list, nil
}

// startOn starts a process that stays on the given processors. It inherits them from the
// thread that starts it.
func startOn(on []int, start func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return err
	}
	if err := pin(0, on); err != nil {
		return err
	}
	err := start()
	if back := unix.SchedSetaffinity(0, &before); back != nil {
		return back
	}
	return err
}

// stayOn moves this process to the given processors. Its later threads inherit them.
func stayOn(on []int) error {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, task := range tasks {
		id, err := strconv.Atoi(task.Name())
		if err != nil {
			return err
		}
		if err := pin(id, on); err != nil && !errors.Is(err, unix.ESRCH) { // that one has ended
			return err
		}
	}
	return nil
}

func pin(thread int, on []int) error {
	var set unix.CPUSet
	for _, cpu := range on {
		set.Set(cpu)
	}
	return unix.SchedSetaffinity(thread, &set)
}
