//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package datafile

import "syscall"

func selectNothing(t *syscall.Timeval) (int, error) { return 0, syscall.Select(0, nil, nil, nil, t) }
