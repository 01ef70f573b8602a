//go:build !nonetwork

package hitrt

import (
	"net"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
)

// A program that has asked for all signals, to pass them on or to end, sees none that a
// connection of ours sends which the collector has closed.
func TestConnectionSendsNoSignal(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	s := &conns{open: map[*conn]bool{}}
	s.dials.Store(1)
	c, err := s.dial(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte("request")); err != nil {
		t.Fatal(err)
	}
	server.Close() // unread: the connection is reset
	signals := make(chan os.Signal, 100)
	signal.Notify(signals)
	defer signal.Stop(signals)
	for err == nil {
		_, err = c.Write(make([]byte, 1<<10))
	}
	if _, again := c.Write([]byte("request")); again == nil {
		t.Error("a request was written to a connection that is closed")
	}
	if got := signalsSoFar(t, signals); got[syscall.SIGPIPE] {
		t.Errorf("the program got signals %v", got)
	}
}

// The same holds for a line on standard error that nobody reads any more.
func TestStandardErrorSendsNoSignal(t *testing.T) {
	if os.Getenv("HITRT_TEST_STDERR") != "" {
		signals := make(chan os.Signal, 100)
		signal.Notify(signals)
		newPublisher(&Program{}, &settings{}).log.Warn("nobody reads this")
		if got := signalsSoFar(t, signals); got[syscall.SIGPIPE] {
			t.Errorf("the program got signals %v", got)
		}
		return
	}
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	for name, ends := range map[string][2]*os.File{"pipe": {r, w}, "socket": {os.NewFile(uintptr(pair[0]), "r"), os.NewFile(uintptr(pair[1]), "w")}} {
		ends[0].Close()
		cmd := exec.Command(os.Args[0], "-test.run=^TestStandardErrorSendsNoSignal$")
		cmd.Env = append(os.Environ(), "HITRT_TEST_STDERR=1")
		cmd.Stderr = ends[1]
		if out, err := cmd.Output(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		ends[1].Close()
	}
}

// signalsSoFar returns the signals that this process got. One of a higher number, which it
// sends itself, comes after them.
func signalsSoFar(t *testing.T, signals <-chan os.Signal) map[os.Signal]bool {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), syscall.SIGWINCH); err != nil {
		t.Fatal(err)
	}
	got := map[os.Signal]bool{}
	for sig := range signals {
		if sig == syscall.SIGWINCH {
			break
		}
		got[sig] = true
	}
	return got
}
