package datafile

import (
	"path/filepath"
	"syscall"
	"testing"
)

// What we write to has a number that the program does not get for a file of its own: it
// may close ours at any moment.
func TestAside(t *testing.T) {
	fd, err := OpenFd(filepath.Join(t.TempDir(), "log"), syscall.O_WRONLY|syscall.O_CREAT, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if fd < 200 {
		t.Errorf("descriptor %d, want one from 200 on", fd)
	}
}
