//go:build race && linux

package hitrt

import (
	"syscall"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

const raceDetector = true

// followProgram tells the race detector that what this goroutine does next follows all that
// the program did before the last time that it wrote to a file or a connection. A program may
// assign variables that the standard library reads for us, as in time.Local = time.UTC. It is
// no fault of the program that we read them too.
//
// The detector lets each read(2) follow every earlier write(2).
func followProgram() {
	fd, err := datafile.OpenFd("/dev/null", syscall.O_RDONLY, 0)
	if err != nil {
		return
	}
	_, _ = syscall.Read(fd, make([]byte, 1))
	_ = syscall.Close(fd)
}
