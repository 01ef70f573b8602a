//go:build unix

package report

import (
	"errors"
	"syscall"
)

// isGone reports whether there is no process with a number, as far as can be seen from
// here.
func isGone(pid int) bool { return pid > 0 && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
