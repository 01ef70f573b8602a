//go:build unix

package hitrt

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// Standard error that nobody reads any more costs the line, not the program.
func TestStandardErrorClosed(t *testing.T) {
	if os.Getenv("HITRT_TEST_STDERR") != "" {
		newPublisher(&Program{}, &settings{}).log.Warn("nobody reads this")
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^TestStandardErrorClosed$")
	cmd.Env = append(os.Environ(), "HITRT_TEST_STDERR=1")
	cmd.Stderr = w
	if err := cmd.Run(); err != nil {
		t.Errorf("a program whose standard error is closed ended with %v, want success", err)
	}
}

// A program may close standard error, and the next file that it opens has the number. No
// line goes there.
func TestStandardErrorReplaced(t *testing.T) {
	if name := os.Getenv("HITRT_TEST_STDERR"); name != "" {
		warnAfterClose(t, name)
		return
	}
	file := filepath.Join(t.TempDir(), "accounts.db")
	var stderr bytes.Buffer
	cmd := exec.Command(os.Args[0], "-test.run=^TestStandardErrorReplaced$")
	cmd.Env = append(os.Environ(), "HITRT_TEST_STDERR="+file)
	cmd.Stderr = &stderr
	if out, err := cmd.Output(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if text, err := os.ReadFile(file); err != nil || len(text) > 0 {
		t.Errorf("a file of the program's has %q, %v, want nothing", text, err)
	}
	if bytes.Count(stderr.Bytes(), []byte("\n")) != 2 {
		t.Errorf("standard error has %q, want a line from before it was closed and one from after", &stderr)
	}
}

// Nor does one that Start makes it write, which may be called after that.
func TestStandardErrorReplacedBeforeStart(t *testing.T) {
	if dir := os.Getenv("HITRT_TEST_STDERR"); dir != "" {
		if Register(newProgram(10)) {
			t.Fatal("it is active before Start")
		}
		if err := syscall.Close(syscall.Stderr); err != nil {
			t.Fatal(err)
		}
		fd, err := syscall.Open(filepath.Join(dir, "accounts.db"), syscall.O_WRONLY|syscall.O_CREAT, 0o600)
		if err != nil || fd != syscall.Stderr {
			t.Fatalf("opened as %d, %v", fd, err)
		}
		if err := Start(map[string]string{"dataDir": filepath.Join(dir, "data"), "unknown": "x"}); err != nil {
			t.Fatal(err)
		}
		Exit()
		return
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestStandardErrorReplacedBeforeStart$")
	cmd.Env = append(os.Environ(), "HITRT_TEST_STDERR="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "accounts.db")); err != nil || len(text) > 0 {
		t.Errorf("a file of the program's has %q, %v, want nothing", text, err)
	}
}

// warnAfterClose writes a line while standard error is what it was, one while it is another
// file, and one when it is back.
func warnAfterClose(t *testing.T, name string) {
	log := newPublisher(&Program{}, &settings{}).log
	log.Warn("before")
	kept, err := syscall.Dup(syscall.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Close(syscall.Stderr); err != nil {
		t.Fatal(err)
	}
	fd, err := syscall.Open(name, syscall.O_WRONLY|syscall.O_CREAT, 0o600)
	if err != nil || fd != syscall.Stderr {
		t.Fatalf("opened as %d, %v", fd, err)
	}
	log.Warn("meanwhile")
	if err := syscall.Close(syscall.Stderr); err != nil {
		t.Fatal(err)
	}
	log.Warn("while it is closed")
	if fd, err = syscall.Dup(kept); err != nil || fd != syscall.Stderr {
		t.Fatalf("opened as %d, %v", fd, err)
	}
	log.Warn("after")
}
