//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package hitrt

import "os"

type keptLock struct{}

func keepLock(file *os.File, _ string, _ os.FileInfo) keptLock {
	_ = file.Close()
	return keptLock{}
}

func (keptLock) release(os.FileInfo) {}
