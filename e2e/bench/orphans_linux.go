package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// adoptOrphans makes this process the parent of what its children leave behind, which
// waitOrphans then counts.
func adoptOrphans() error {
	return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
}

// waitOrphans waits for what a command left behind, the daemon of a build for example, and
// returns the CPU time that it had. What does not end by itself within a minute is ended.
// No other child may run.
func waitOrphans(ctx context.Context) (time.Duration, error) {
	var sum time.Duration
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		var usage unix.Rusage
		pid, err := unix.Wait4(-1, nil, unix.WNOHANG, &usage)
		switch {
		case errors.Is(err, unix.ECHILD):
			return sum, nil
		case err != nil && !errors.Is(err, unix.EINTR):
			return sum, fmt.Errorf("waiting for what a command left behind: %w", err)
		case pid > 0:
			sum += time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
		case ctx.Err() != nil || time.Now().After(deadline):
			if err := killChildren(); err != nil {
				return sum, err
			}
		}
	}
}

// killChildren kills all children of this process.
func killChildren() error {
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		return err
	}
	if len(lists) == 0 {
		return errors.New("a process that a command left behind does not end, and this kernel does not list children")
	}
	for _, name := range lists {
		list, err := os.ReadFile(name)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue // the thread has ended
		}
		if err != nil {
			return err
		}
		for field := range strings.FieldsSeq(string(list)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				return err
			}
			if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
				return err
			}
		}
	}
	return nil
}
