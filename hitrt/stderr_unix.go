//go:build unix

package hitrt

import (
	"io"
	"syscall"
)

// standardError is standard error without [os.Stderr], which ends the program by
// SIGPIPE when it is written to and nobody reads any more: a program that itself
// is silent would die of a line of ours.
func standardError() io.Writer { return stderrFile{} }

type stderrFile struct{}

func (stderrFile) Write(line []byte) (int, error) {
	for {
		n, err := syscall.Write(syscall.Stderr, line)
		if err != syscall.EINTR {
			return n, err
		}
	}
}
