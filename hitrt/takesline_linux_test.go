package hitrt

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// stuckVariable makes a process of this test binary write a line.
const stuckVariable = "HITRT_TEST_STUCK"

// A line that standard error does not take is dropped. The program neither waits nor stops.
func TestStandardErrorStuck(t *testing.T) {
	if os.Getenv(stuckVariable) != "" {
		newPublisher(&Program{}, &settings{}).log.Warn("nobody takes this")
		return
	}
	t.Run("full pipe", func(t *testing.T) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		defer w.Close()
		fillPipe(t, w)
		runStuck(t, w)
	})
	t.Run("stopped terminal", func(t *testing.T) {
		master, terminal := openTerminal(t)
		if _, err := master.WriteString("\x13"); err != nil { // Ctrl-S
			t.Fatal(err)
		}
		runStuck(t, terminal)
	})
	t.Run("taken", func(t *testing.T) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		runStuck(t, w)
		w.Close()
		line := make([]byte, 1<<10)
		if n, err := r.Read(line); n == 0 {
			t.Errorf("no line, %v: the others show nothing", err)
		}
	})
	t.Run("taken by a pipe for both directions", func(t *testing.T) {
		name := filepath.Join(t.TempDir(), "pipe")
		if err := syscall.Mkfifo(name, 0o600); err != nil {
			t.Fatal(err)
		}
		both, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer both.Close()
		if _, err := both.WriteString("unread\n"); err != nil {
			t.Fatal(err)
		}
		runStuck(t, both)
		line := make([]byte, 1<<10)
		if n, err := both.Read(line); err != nil || !strings.Contains(string(line[:n]), "nobody takes this") {
			t.Errorf("it has %q, %v, want a line", line[:n], err)
		}
	})
}

// runStuck runs a process that writes a line to a file as its standard error, and ends it
// after a minute if it does not end itself.
func runStuck(t *testing.T, stderr *os.File) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestStandardErrorStuck$")
	cmd.Env = append(os.Environ(), stuckVariable+"=1")
	cmd.Stderr = stderr
	if err := cmd.Run(); err != nil {
		t.Errorf("a program whose standard error takes no line ended with %v, want success", err)
	}
}

// fillPipe writes to a pipe until it is full.
func fillPipe(t *testing.T, w *os.File) {
	t.Helper()
	fd := int(w.Fd()) // which makes it blocking
	if err := syscall.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	var err error
	for err == nil {
		_, err = syscall.Write(fd, make([]byte, 4096))
	}
	if err != syscall.EAGAIN {
		t.Fatal(err)
	}
	if err := syscall.SetNonblock(fd, false); err != nil {
		t.Fatal(err)
	}
}

// openTerminal opens both ends of a terminal.
func openTerminal(t *testing.T) (master, terminal *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { master.Close() })
	var lock, number int32
	if !ioctl(int(master.Fd()), syscall.TIOCSPTLCK, unsafe.Pointer(&lock)) || !ioctl(int(master.Fd()), syscall.TIOCGPTN, unsafe.Pointer(&number)) {
		t.Skip("no terminals here")
	}
	terminal, err = os.OpenFile("/dev/pts/"+strconv.Itoa(int(number)), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return master, terminal
}

// A terminal may stop programs of the background that write to it. One that writes nothing
// is not stopped because of a line of ours.
func TestStandardErrorInBackground(t *testing.T) {
	if os.Getenv(stuckVariable) != "" {
		if err := runInBackground(); err != nil {
			t.Fatal(err)
		}
		return
	}
	_, terminal := openTerminal(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestStandardErrorInBackground$")
	cmd.Env = append(os.Environ(), stuckVariable+"=1")
	cmd.Stdin = terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// runInBackground, in the first process of a session whose terminal is standard input, runs a
// process of the background that writes a line to the terminal.
func runInBackground() error {
	var settings syscall.Termios
	if !ioctl(0, syscall.TCGETS, unsafe.Pointer(&settings)) {
		return fmt.Errorf("standard input is no terminal")
	}
	settings.Lflag |= syscall.TOSTOP
	if !ioctl(0, syscall.TCSETS, unsafe.Pointer(&settings)) {
		return fmt.Errorf("the terminal takes no settings")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestStandardErrorStuck$")
	cmd.Env = os.Environ()
	cmd.Stderr = os.Stdin
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(cmd.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil {
		return err
	}
	if status.Stopped() {
		_ = cmd.Process.Kill()
		return fmt.Errorf("stopped by %v", status.StopSignal())
	}
	if status.ExitStatus() != 0 {
		return fmt.Errorf("exit status %d", status.ExitStatus())
	}
	return nil
}
