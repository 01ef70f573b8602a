//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package datafile

import (
	"os"
	"time"
)

// Lock fails: this system has no locks that end with the process, or we do not use
// them.
func Lock(*os.File, time.Duration) error { return ErrNoLocks }

func unlock(*os.File) {}
