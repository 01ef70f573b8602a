//go:build unix

package hitrt

import (
	"os"
	"os/exec"
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
