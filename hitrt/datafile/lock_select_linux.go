package datafile

import "syscall"

func selectNothing(t *syscall.Timeval) (int, error) { return syscall.Select(0, nil, nil, nil, t) }
