//go:build linux

// Programs that a signal ends: that they end as the plain ones do, and that what they
// called is known.

package faults

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

func TestSignals(t *testing.T) {
	t.Parallel()
	plain, marked := buildProgram(t, signalMain, false), buildProgram(t, signalMain, true)
	hanging := hangingServer(t)
	rows := []signalled{
		{mode: "wait"},
		{mode: "wait", under: ignoring("QUIT")},
		{mode: "go on", under: ignoring("TERM INT HUP")}, // SIGTERM ends it all the same, as the runtime has it
	}
	if os.Getuid() == 0 {
		rows = append(rows, signalled{mode: "wait", pid1: true}, signalled{mode: "self", pid1: true})
	} else {
		t.Log("not root: no program is process 1")
	}
	for _, row := range rows {
		for _, sig := range endingSignals {
			row.signals = []syscall.Signal{sig}
			if row.mode == "self" {
				row.signals = nil
			}
			row.env = nil
			want := row.run(t, plain)
			for _, o := range outlets(t, hanging) {
				with := row
				with.env = o.env
				t.Run(fmt.Sprintf("%s, %v, process 1: %v, %v, %s", row.mode, row.under, row.pid1, sig, o.name), func(t *testing.T) {
					t.Parallel()
					if got := with.run(t, marked); got != want {
						t.Errorf("it ended with %q, the plain one with %q", got, want)
					}
					checkKnown(t, o)
				})
			}
		}
	}
}

// A program with handlers of its own gets each signal once, and ends as it wants.
func TestSignalsHandled(t *testing.T) {
	t.Parallel()
	plain, marked := buildProgram(t, handlerMain, false), buildProgram(t, handlerMain, true)
	for _, mode := range []string{"notify", "context", "ignore"} {
		for _, sig := range endingSignals {
			t.Run(mode+" "+sig.String(), func(t *testing.T) {
				t.Parallel()
				o := answeringOutlet(t)
				row := signalled{mode: mode, signals: []syscall.Signal{sig}}
				want := row.run(t, plain)
				row.env = o.env
				if got := row.run(t, marked); got != want {
					t.Errorf("it ended with %q, the plain one with %q", got, want)
				}
				checkKnown(t, o)
			})
		}
	}
}

// What is asked for is done, whatever the program imports.
func TestSignalsSetting(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, main, mode, setting string
		sent                      bool
	}{
		{"os/signal", handlerMain, "none", "", false},
		{"os/signal, asked for", handlerMain, "none", "true", true},
		{"no os/signal", signalMain, "wait", "", true},
		{"no os/signal, switched off", signalMain, "wait", "false", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := answeringOutlet(t)
			row := signalled{mode: test.mode, env: append(o.env, "SCAVENGER_FLUSH_ON_SIGNAL="+test.setting), signals: []syscall.Signal{syscall.SIGTERM}}
			if end := row.run(t, buildProgram(t, test.main, true)); end != "signal: terminated\nready\n" {
				t.Errorf("it ended with %q", end)
			}
			if known := o.known(t); known["f00"] != test.sent {
				t.Errorf("known: %v, want %v", known["f00"], test.sent)
			}
		})
	}
}

// A container mostly takes shared memory along, so there the hits file is written before
// the program dies of a signal, as where that is asked for.
func TestSignalsInContainer(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, main, mode, setting string }{
		{"container", signalMain, "wait", "KUBERNETES_SERVICE_HOST=10.0.0.1"},
		{"asked for", handlerMain, "none", "SCAVENGER_FLUSH_ON_SIGNAL=true"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			row := signalled{mode: test.mode, env: []string{"SCAVENGER_DATA_DIR=" + dir, test.setting}, signals: []syscall.Signal{syscall.SIGTERM}}
			if end := row.run(t, buildProgram(t, test.main, true)); end != "signal: terminated\nready\n" {
				t.Errorf("it ended with %q", end)
			}
			out, err := exec.Command(built.File(t), "report", "--format=json", dir).Output()
			if err != nil {
				t.Fatal(err)
			}
			var report struct{ Processes map[string]int }
			if err := json.Unmarshal(out, &report); err != nil {
				t.Fatal(err)
			}
			if p := report.Processes; p["total"] != 1 || p["recovered"] != 0 {
				t.Errorf("processes: %v, want one that wrote what it called", p)
			}
		})
	}
}

// A second signal ends the program while it still waits for the collector. One that
// comes together with the first, as from timeout(1), belongs to it.
func TestSignalsSecond(t *testing.T) {
	t.Parallel()
	marked := buildProgram(t, signalMain, true)
	row := signalled{mode: "wait", env: toServer(hangingServer(t), "SCAVENGER_EXIT_TIMEOUT=5m"),
		signals: []syscall.Signal{syscall.SIGTERM, syscall.SIGINT}, pause: 2 * time.Second}
	if end := row.run(t, marked); end != "signal: interrupt\nready\n" {
		t.Errorf("it ended with %q", end)
	}
	o := answeringOutlet(t)
	row = signalled{mode: "wait", env: o.env, signals: []syscall.Signal{syscall.SIGTERM, syscall.SIGTERM}}
	known := map[string]bool{}
	for i := 0; i < tries && !known["f07"]; i++ { // a busy machine may put a pause between the two
		if end := row.run(t, marked); end != "signal: terminated\nready\n" {
			t.Errorf("it ended with %q", end)
		}
		known = o.known(t)
	}
	checkKnown(t, o)
}

// The signal decides the status also of a program that ends by itself meanwhile.
func TestSignalsReturn(t *testing.T) {
	t.Parallel()
	row := signalled{mode: "return", env: toServer(hangingServer(t), "SCAVENGER_EXIT_TIMEOUT=3s"), signals: []syscall.Signal{syscall.SIGTERM}}
	if end := row.run(t, buildProgram(t, signalMain, true)); end != "signal: terminated\nready\n" {
		t.Errorf("it ended with %q", end)
	}
}

// The system sees the dispositions and masks of the plain program, in the process, in
// what it starts and in what it becomes.
func TestSignalsInherited(t *testing.T) {
	t.Parallel()
	plain, marked := buildProgram(t, signalMain, false), buildProgram(t, signalMain, true)
	starts := [][]string{nil, ignoring("HUP"), ignoring("INT QUIT"), ignoring("TERM")}
	blocking := []string{"env", "--block-signal=TERM", "--block-signal=HUP"}
	if err := exec.Command(blocking[0], append(blocking[1:], "true")...).Run(); err != nil {
		t.Logf("env cannot block signals here: %v", err)
	} else {
		starts = append(starts, blocking)
	}
	for _, under := range starts {
		row := signalled{mode: "status", under: under}
		want := row.run(t, plain)
		if strings.Count(want, "SigIgn") != 3 {
			t.Fatalf("the plain program writes %q", want)
		}
		row.env = toServer("http://127.0.0.1:1")
		if got := row.run(t, marked); got != want {
			t.Errorf("%v: the program writes\n%s\nthe plain one\n%s", under, got, want)
		}
	}
}

// Where no mapping keeps hits, they are written before the program dies.
func TestSignalsNotMapped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	row := signalled{mode: "wait", env: []string{"SCAVENGER_DATA_DIR=" + dir, "SCAVENGER_MAPPING=none"}, signals: []syscall.Signal{syscall.SIGTERM}}
	if end := row.run(t, buildProgram(t, signalMain, true)); end != "signal: terminated\nready\n" {
		t.Errorf("it ended with %q", end)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*.hits")); len(files) != 1 {
		t.Fatalf("files %q", files)
	}
	checkKnown(t, outlet{known: func(t *testing.T) map[string]bool { return knownToReport(t, dir) }})
}

// A program whose main has called Goexit is still ended by the runtime.
func TestSignalsGoexit(t *testing.T) {
	t.Parallel()
	const main = `package main

import (
	"fmt"
	"runtime"
)

func main() {
	fmt.Println("ready")
	runtime.Goexit()
}
`
	row := signalled{}
	want := row.run(t, buildProgram(t, main, false))
	row.env = toServer("http://127.0.0.1:1")
	if got := row.run(t, buildProgram(t, main, true)); got != want {
		t.Errorf("it ended with %q, the plain one with %q", got, want)
	}
}
