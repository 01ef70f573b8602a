//go:build !nonetwork

package hitrt

import (
	"os"
	"syscall"
	"testing"
)

// A backup of a hits file that cannot be written to is sent once by a process, and nobody is
// told of it.
func TestOrphanNotWritten(t *testing.T) {
	dir, prog := newDataDir(t), newProgram(60)
	path := leave(t, dir, newProgram(60), []int{3})
	if err := os.Rename(path, path+".bak"); err != nil {
		t.Fatal(err)
	}
	backup, err := os.Open(path + ".bak")
	if err != nil {
		t.Fatal(err)
	}
	defer backup.Close()
	if err := syscall.Flock(int(backup.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	fake := newFake()
	pub, messages := newTestPublisher(prog, fake, toCollector("SCAVENGER_DATA_DIR="+dir)...)
	pass := withClock(pub)
	pub.begin()
	live(pub, pass)
	if n := pub.orphanSends(fake, prog.hashOf(3)); n != 1 || messages.String() != "" {
		t.Errorf("sent %d times, messages %q", n, messages)
	}
}
