//go:build linux

// The programs that signals end, and how they are driven.

package faults

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/e2e/collector"
)

// signalMain calls functions, says that it is ready, and goes on as its argument says.
// It does not import os/signal.
const signalMain = `package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// show prints what the system says of a process's signals.
func show(text []byte, err error) {
	fmt.Println(err)
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, "SigBlk") || strings.HasPrefix(line, "SigIgn") || strings.HasPrefix(line, "SigCgt") {
			fmt.Println(line)
		}
	}
}

func main() {
	for _, f := range functions[:8] {
		f()
	}
	if os.Args[1] == "self" {
		syscall.Kill(os.Getpid(), syscall.SIGTERM)
		time.Sleep(time.Minute)
	}
	fmt.Println("ready")
	switch os.Args[1] {
	case "wait":
		time.Sleep(5 * time.Minute)
	case "go on": // for longer than the exit timeout
		time.Sleep(3 * time.Second)
		fmt.Println("went on")
	case "return":
		time.Sleep(300 * time.Millisecond)
	case "status":
		show(os.ReadFile("/proc/self/status"))
		show(exec.Command("/bin/cat", "/proc/self/status").Output())
		syscall.Exec("/bin/grep", []string{"grep", "Sig[BIC]", "/proc/self/status"}, os.Environ())
	}
}
`

// handlerMain imports os/signal.
const handlerMain = `package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	for _, f := range functions[:8] {
		f()
	}
	ending := []os.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP}
	received := make(chan os.Signal, 8)
	ctx, stop := context.Background(), func() {}
	switch os.Args[1] {
	case "notify":
		signal.Notify(received, ending...)
	case "context":
		ctx, stop = signal.NotifyContext(ctx, ending...)
	case "ignore":
		signal.Ignore(ending...)
	}
	fmt.Println("ready")
	switch os.Args[1] {
	case "notify":
		fmt.Println("received", <-received)
		time.Sleep(300 * time.Millisecond)
		fmt.Println("more:", len(received))
		os.Exit(7)
	case "context":
		<-ctx.Done()
		stop()
		fmt.Println("cancelled")
	case "ignore":
		time.Sleep(300 * time.Millisecond)
	case "none":
		time.Sleep(5 * time.Minute)
	}
}
`

var endingSignals = []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP}

// A signalled process: how it is started and what is sent to it.
type signalled struct {
	mode    string
	under   []string // command that starts the program, such as nohup
	pid1    bool     // first in a namespace of processes
	env     []string
	signals []syscall.Signal
	pause   time.Duration // between two signals
}

// run starts a program, sends the signals once it is ready, and returns how it ended
// and what it wrote.
func (s signalled) run(t *testing.T, bin string) (end string) {
	t.Helper()
	args := append(append([]string{}, s.under...), bin, s.mode)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "SCAVENGER_LOG_LEVEL=error", "GOTRACEBACK=single")
	cmd.Env = append(cmd.Env, s.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if s.pid1 {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWPID
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	stop := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	stdout := bufio.NewReader(out)
	first, _ := stdout.ReadString('\n')
	for i, sig := range s.signals {
		if i > 0 {
			time.Sleep(s.pause)
		}
		_ = cmd.Process.Signal(sig)
	}
	rest, _ := io.ReadAll(stdout)
	_ = cmd.Wait()
	return fmt.Sprintf("%v\n%s%s%s", cmd.ProcessState, first, rest, stderr.Bytes())
}

// An outlet is where the hits of a process go.
type outlet struct {
	name  string
	env   []string
	known func(t *testing.T) map[string]bool // nil: nowhere
}

func answeringOutlet(t *testing.T) outlet {
	c, err := collector.Start(collector.Options{NoJitter: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return outlet{"answers", toServer(c.URL(), patient), func(t *testing.T) map[string]bool {
		if err := c.Check(context.Background()); err != nil {
			t.Error(err)
		}
		return knownToCollector(c)
	}}
}

func toServer(url string, more ...string) []string {
	return append([]string{"SCAVENGER_SERVER_URL=" + url, "SCAVENGER_API_KEY=" + collector.DemoKey}, more...)
}

func outlets(t *testing.T, hanging string) []outlet {
	directory := func(name string, env ...string) outlet {
		dir := t.TempDir()
		return outlet{name, append(env, "SCAVENGER_DATA_DIR="+dir), func(t *testing.T) map[string]bool { return knownToReport(t, dir) }}
	}
	return []outlet{
		answeringOutlet(t),
		{"hangs", toServer(hanging, "SCAVENGER_EXIT_TIMEOUT=300ms"), nil},
		{"is down", toServer("http://127.0.0.1:1"), nil},
		directory("dataDir"),
		directory("dataDir, hangs", toServer(hanging, "SCAVENGER_EXIT_TIMEOUT=300ms")...),
	}
}

// checkKnown checks that the eight functions are known to have been called.
func checkKnown(t *testing.T, o outlet) {
	t.Helper()
	if o.known == nil {
		return
	}
	known := o.known(t)
	for i := range 8 {
		if name := fmt.Sprintf("f%02d", i); !known[name] {
			t.Errorf("%s is not known to have been called", name)
		}
	}
	if known["f08"] {
		t.Error("f08 was not called, but is known to have been")
	}
}

// ignoring starts a program with signals ignored, as nohup does.
func ignoring(names string) []string {
	return []string{"/bin/sh", "-c", "trap '' " + names + `; exec "$0" "$@"`}
}
