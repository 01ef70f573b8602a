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
//
// So is one for another file than standard error is now. A program may close it, and then
// its next file or connection has the number.
func standardError() io.Writer {
	f := new(stderrFile)
	_ = syscall.Fstat(syscall.Stderr, &f.st) // if that fails, no file is this one
	return f
}

type stderrFile struct{ st syscall.Stat_t }

func (f *stderrFile) Write(line []byte) (int, error) {
	if f.isTaken() || !takesLine(syscall.Stderr, &f.st) {
		return 0, syscall.EAGAIN
	}
	for {
		n, err := writeLine(syscall.Stderr, &f.st, line)
		if err != syscall.EINTR {
			return n, err
		}
	}
}

// isTaken reports whether the descriptor is closed or another file by now.
func (f *stderrFile) isTaken() bool {
	var st syscall.Stat_t
	return syscall.Fstat(syscall.Stderr, &st) != nil || st.Dev != f.st.Dev || st.Ino != f.st.Ino
}
