package early

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// A file that others may run, and we may not, is no program.
func TestIsProgram(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	if err := os.WriteFile(program, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if isProgram(dir) || isProgram(filepath.Join(dir, "none")) || !isProgram(program) {
		t.Error("a directory, a file that is not there, or not one that all may run")
	}
	if os.Getuid() != 0 {
		if err := os.Chmod(program, 0o011); err != nil {
			t.Fatal(err)
		}
		if isProgram(program) {
			t.Error("a file that all but its owner may run")
		}
		return
	}
	// Root may run it in any case, so a thread of its own asks as somebody else. The thread
	// stays locked, and so it ends with its goroutine.
	if err := os.Chmod(program, 0o700); err != nil {
		t.Fatal(err)
	}
	asked := make(chan bool)
	go func() {
		runtime.LockOSThread()
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETREUID, 65534, ^uintptr(0), 0); errno != 0 {
			t.Error(errno)
		}
		asked <- isProgram(program)
	}()
	if <-asked {
		t.Error("a file that only its owner may run")
	}
}
