//go:build linux

// Programs that a signal ends: that they end as the plain ones do, and that what they
// called is known.

package faults

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

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
