//go:build unix

package hitrt

import (
	"io"
	"syscall"
)

// standardError returns a writer to standard error that is not [os.Stderr], which ends
// the program by SIGPIPE if nobody reads any more: a program that writes nothing itself
// would die because of our line. Nor must it wait or stop because of it, so a line that
// cannot be written is dropped.
func standardError() io.Writer { return stderrFile{} }

type stderrFile struct{}

func (stderrFile) Write(line []byte) (int, error) {
	if !takesLine(syscall.Stderr) {
		return 0, syscall.EAGAIN
	}
	for {
		n, err := syscall.Write(syscall.Stderr, line)
		if err != syscall.EINTR {
			return n, err
		}
	}
}
