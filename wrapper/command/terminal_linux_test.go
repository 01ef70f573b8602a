// What commands do on a terminal. The tests use a pseudo-terminal.

package command

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"go.uber.org/zap/zapcore"
)

// openTerminal returns both ends of a pseudo-terminal: what is written to the second
// comes out of the first.
func openTerminal(t *testing.T) (master, terminal *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	control := func(request uintptr, value *uint32) {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, master.Fd(), request, uintptr(unsafe.Pointer(value))); errno != 0 {
			t.Skipf("no pseudo-terminals: %v", errno)
		}
	}
	var number, locked uint32
	control(syscall.TIOCGPTN, &number)
	control(syscall.TIOCSPTLCK, &locked)
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals: %v", err)
	}
	t.Cleanup(func() { terminal.Close() })
	return master, terminal
}

// onTerminal returns what a function writes to a terminal, and what it writes
// elsewhere.
func onTerminal(t *testing.T, write func(out *os.File)) (terminal, file string) {
	t.Helper()
	master, slave := openTerminal(t)
	write(slave)
	if _, err := slave.WriteString("end"); err != nil {
		t.Fatal(err)
	}
	var got []byte
	for buf := make([]byte, 4096); !bytes.HasSuffix(got, []byte("end")); {
		n, err := master.Read(buf)
		if err != nil {
			t.Fatalf("%v after %q", err, got)
		}
		got = append(got, buf[:n]...)
	}
	plain, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	write(plain)
	text, err := os.ReadFile(plain.Name())
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(got), "end"), string(text)
}

func TestColor(t *testing.T) {
	t.Setenv("TERM", "xterm")
	write := func(out *os.File) {
		d := &examination{commands: &commands{stdout: out}, color: colored(out)}
		d.say("step", "failed", "detail", "advice")
	}
	const plain = "failed  step              detail\n"
	t.Setenv("NO_COLOR", "")
	terminal, file := onTerminal(t, write)
	if !strings.HasPrefix(terminal, "\x1b[31mfailed\x1b[0m  step  ") || !strings.HasPrefix(file, plain) {
		t.Errorf("%q on a terminal, %q in a file", terminal, file)
	}
	t.Setenv("NO_COLOR", "1")
	if terminal, _ := onTerminal(t, write); !strings.HasPrefix(terminal, "failed  step  ") {
		t.Errorf("%q with NO_COLOR", terminal)
	}
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "dumb")
	if terminal, _ := onTerminal(t, write); !strings.HasPrefix(terminal, "failed  step  ") {
		t.Errorf("%q on a dumb terminal", terminal)
	}
}

// A scan that takes long shows a line and removes it at the end. A scan that does not
// take long shows none.
func TestProgress(t *testing.T) {
	t.Setenv("TERM", "xterm")
	run := func(out *os.File, after time.Duration) {
		p := startProgress(out, after)
		p.say("package %d of %d", 1, 2)
		if isTerminal(out) && after < time.Second {
			for !p.shown.Load() {
				time.Sleep(time.Millisecond)
			}
		}
		p.stop()
	}
	terminal, file := onTerminal(t, func(out *os.File) { run(out, 0) })
	if !strings.HasPrefix(terminal, "\r\x1b[Kpackage 1 of 2") || !strings.HasSuffix(terminal, "\r\x1b[K") || file != "" {
		t.Errorf("%q on a terminal, %q in a file", terminal, file)
	}
	if terminal, file := onTerminal(t, func(out *os.File) { run(out, time.Hour) }); terminal+file != "" {
		t.Errorf("%q on a terminal, %q in a file, before it is time", terminal, file)
	}
}

// Logs are for people on a terminal, and JSON elsewhere.
func TestLogFormat(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "1")
	terminal, file := onTerminal(t, func(out *os.File) {
		l, err := newLogger(out, "info")
		if err != nil {
			t.Fatal(err)
		}
		l.log(zapcore.DebugLevel, "hidden")
		l.log(zapcore.WarnLevel, "shown", stringField("key", "value"))
	})
	if !strings.HasSuffix(terminal, "\twarn\tshown\t{\"key\": \"value\"}\r\n") || strings.Contains(terminal, "hidden") {
		t.Errorf("%q on a terminal", terminal)
	}
	if !strings.HasPrefix(file, `{"level":"warn","time":"`) || !strings.HasSuffix(file, `,"message":"shown","key":"value"}`+"\n") {
		t.Errorf("%q in a file", file)
	}
}

// A diff has what is in the source, but for characters that a terminal would obey.
func TestDiffTerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	const module = "module example.com/app\n\ngo 1.24\n"
	const source = "package app\n\n// F: \x1b[31m\u009b1m\u202e.\nfunc F() {\n\tprintln()\n}\n"
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": module, "app.go": source} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	terminal, file := onTerminal(t, func(out *os.File) {
		cmd := &commands{stdout: &printer{to: out}, stderr: os.Stderr}
		if err := cmd.app().Run([]string{"scavenger-wrap", "diff"}); err != nil {
			t.Fatal(err)
		}
	})
	if !strings.Contains(file, " // F: \x1b[31m\u009b1m\u202e.\n") {
		t.Errorf("in a file: %q", file)
	}
	if !strings.Contains(terminal, ` // F: \u001b[31m\u009b1m\u202e.`) || strings.ContainsAny(terminal, "\x1b\u009b\u202e") {
		t.Errorf("on a terminal: %q", terminal)
	}
}
