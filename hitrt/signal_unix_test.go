//go:build unix

package hitrt

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"
)

// A program dies of a signal as it would without us, and its hits are written before. A
// signal that it ignores does nothing.
func TestSignalEnds(t *testing.T) {
	prog := newProgram(10)
	if dir := os.Getenv("HITRT_TEST_SIGNAL"); dir != "" {
		prog.Signals = true
		launch(prog, loadSettings(prog, environment("SCAVENGER_DATA_DIR="+dir, "SCAVENGER_MAPPING=none")))
		prog.call(3)
		for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM} {
			if err := syscall.Kill(os.Getpid(), sig); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		return
	}
	signal.Ignore(syscall.SIGHUP) // which children inherit
	defer signal.Reset(syscall.SIGHUP)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.Command(self, "-test.run=^TestSignalEnds$")
	cmd.Env = append(os.Environ(), "HITRT_TEST_SIGNAL="+dir)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		t.Fatalf("it ended with %v\n%s", err, out)
	}
	if status := exit.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("it ended with %v, want SIGTERM\n%s", err, out)
	}
	_, functions, err := readData(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range functions {
		if called := f.stamp != 0; called != (i == 3) {
			t.Errorf("function %d is called: %v", i, called)
		}
	}
}
