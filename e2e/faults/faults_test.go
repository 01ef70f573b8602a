//go:build linux

// Package faults tests which hits survive which end of a process. The promises are
// in docs/reliability.md.
package faults

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/e2e/collector"
	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// A fault is a way in which a process ends. quick means that it ends at once, before
// it can send anything.
type fault struct {
	name, mode string
	quick      bool
}

var faults = []fault{
	{"return from main", "return", false},
	{"os.Exit(0)", "exit0", false},
	{"os.Exit(3)", "exit3", false},
	{"log.Fatal", "fatal", false},
	{"signal.Notify, return", "notify", false},
	{"NotifyContext, return", "notifyContext", false},
	{"signal.Ignore, return", "ignore", false},
	{"runtime.Goexit of main", "goexit", false},
	{"fork without exec, return", "fork", false},
	{"panic in main", "panic", true},
	{"panic in a goroutine", "panicGoroutine", true},
	{"out of memory", "memory", true},
	{"SIGTERM", "term", true},
	{"SIGINT", "int", true},
	{"SIGHUP", "hup", true},
	{"SIGQUIT", "quit", true},
	{"SIGABRT", "abort", true},
	{"handled, reset, sent again", "killAgain", true},
	{"SIGKILL", "kill", true},
	{"syscall.Exec", "exec", true},
}

// A faultRow is a line of the table.
type faultRow struct {
	fault, outlet string
	set, known    int
	lost          []string
	promised      bool
	delay, limit  time.Duration // from the fault to the exit: the least of a few tries, and its bound
}

// exitLimit bounds an exit: exitTimeout, and half a second for the system.
const exitLimit = 2500 * time.Millisecond

// patient is the setting of processes whose collector does answer: on a busy machine
// the default of two seconds may be too short for that.
const patient = "SCAVENGER_EXIT_TIMEOUT=1m"

var kills = flag.Int("kills", 30, "how many processes are killed at a random moment, or end beside a goroutine that calls")

// tries is how many processes may end too late before the test fails: on a busy
// machine one may have waited for a processor.
const tries = 3

func TestFaults(t *testing.T) {
	bin := buildFaulty(t)
	hanging := hangingServer(t)
	outlets := []struct{ name, server string }{
		{"dataDir", ""},
		{"dataDir, collector hangs", hanging},
		{"dataDir, collector is down", "http://127.0.0.1:1"},
		{"collector", "start"},
		{"collector hangs", hanging},
	}
	rows := make([]faultRow, len(faults)*len(outlets))
	t.Run("ends", func(t *testing.T) {
		for i, f := range faults {
			for j, o := range outlets {
				t.Run(f.name+"/"+o.name, func(t *testing.T) {
					t.Parallel()
					rows[i*len(outlets)+j] = f.run(t, bin, o.name, o.server)
				})
			}
		}
	})
	rows = append(slices.Clip(rows), killAtRandom(t, bin))
	var table bytes.Buffer
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FAULT\tOUTLET\tHITS SET\tKNOWN\tLOST\tPROMISED\tEXIT DELAY")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%v\t%v\n", r.fault, r.outlet, r.set, r.known, len(r.lost), r.promised, r.delay.Round(time.Millisecond))
		if r.promised && len(r.lost) > 0 {
			t.Errorf("%s, %s: %q lost", r.fault, r.outlet, r.lost)
		}
		if r.delay > r.limit {
			t.Errorf("%s, %s: the exit took %v, want at most %v", r.fault, r.outlet, r.delay, r.limit)
		}
	}
	w.Flush()
	t.Logf("\n%s", table.String())
}

// TestFaultsNextProcess checks that a process sends what those before it could not,
// because the collector was down when they ended.
func TestFaultsNextProcess(t *testing.T) {
	t.Parallel()
	bin, dir := buildFaulty(t), t.TempDir()
	var called []string
	for _, mode := range []string{"kill", "panic", "term", "return"} {
		names, _ := runFaulty(t, bin, mode, dir, "http://127.0.0.1:1", nil)
		called = append(called, names...)
	}
	c, err := collector.Start(collector.Options{NoJitter: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	names, _ := runFaulty(t, bin, "return", dir, c.URL(), nil, patient)
	if err := c.Check(context.Background()); err != nil {
		t.Error(err)
	}
	row := faultRow{}
	row.compare(append(called, names...), knownToCollector(c))
	if len(row.lost) > 0 {
		t.Errorf("lost: %q", row.lost)
	}
	// The process after that sends it again, and then it is never sent any more.
	again, _ := runFaulty(t, bin, "return", dir, c.URL(), nil, patient)
	other, err := collector.Start(collector.Options{NoJitter: true})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	last, _ := runFaulty(t, bin, "return", dir, other.URL(), nil, patient)
	fresh := slices.Concat(names, again, last)
	for name, used := range knownToCollector(other) {
		if used && slices.Contains(called, name) && !slices.Contains(fresh, name) {
			t.Errorf("%s was sent for the third time", name)
		}
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*.hits")); len(files) != 1 {
		t.Errorf("hits files %q, want one", files)
	}
}

// hangingServer takes connections and never answers.
func hangingServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(io.Discard, conn)
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// run makes a process end, and looks for what it called: in its dataDir if it
// has one, otherwise at the collector.
func (f fault) run(t *testing.T, bin, outlet, server string) faultRow {
	t.Helper()
	dir := ""
	if strings.HasPrefix(outlet, "dataDir") {
		dir = t.TempDir()
	}
	var c *collector.Collector
	if server == "start" {
		var err error
		if c, err = collector.Start(collector.Options{NoJitter: true}); err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		server = c.URL()
	}
	row := faultRow{fault: f.name, outlet: outlet, delay: time.Hour, limit: exitLimit}
	if f.mode == "goexit" {
		row.limit = 15 * time.Second // the runtime ends it, not the program; see docs/reliability.md
	}
	var env []string
	if c != nil {
		env = append(env, patient)
	}
	all := map[string]bool{}
	for i := 0; i < tries && row.delay > row.limit; i++ {
		names, delay := runFaulty(t, bin, f.mode, dir, server, nil, env...)
		for _, name := range names {
			all[name] = true
		}
		row.delay = min(row.delay, delay)
	}
	if row.delay > row.limit {
		row.limit += busyDelay(t, bin, f.mode)
	}
	called := slices.Collect(maps.Keys(all))
	if row.set = len(called); row.set == 0 {
		t.Fatalf("%s: the program called nothing", f.name)
	}
	var known map[string]bool
	switch {
	case dir != "":
		known, row.promised = knownToReport(t, dir), true
	case c != nil:
		if err := c.Check(context.Background()); err != nil {
			t.Error(err)
		}
		known, row.promised = knownToCollector(c), !f.quick
	}
	row.compare(called, known)
	return row
}

// busyDelay returns what a busy or slow machine may add to an exit limit: ten times
// what the same exit takes there without reporting.
func busyDelay(t *testing.T, bin, mode string) time.Duration {
	t.Helper()
	_, alone := runFaulty(t, bin, mode, "", "", nil)
	return 10 * alone
}

func (r *faultRow) compare(called []string, known map[string]bool) {
	for _, name := range called {
		if known[name] {
			r.known++
		} else {
			r.lost = append(r.lost, name)
		}
	}
}

// killAtRandom kills processes at random moments.
func killAtRandom(t *testing.T, bin string) faultRow {
	t.Helper()
	row := faultRow{outlet: "dataDir", promised: true, limit: exitLimit}
	for range *kills {
		dir := t.TempDir()
		after := time.Duration(rand.IntN(30_000)) * time.Microsecond
		called, _ := runFaulty(t, bin, "work", dir, "", func(p *os.Process) {
			time.Sleep(after)
			_ = p.Kill()
		})
		row.set += len(called)
		row.compare(called, knownToReport(t, dir))
	}
	row.fault = fmt.Sprintf("SIGKILL at %d moments", *kills)
	return row
}

// runFaulty runs the program and returns the functions that it called and the time
// from the fault to its end.
func runFaulty(t *testing.T, bin, mode, dir, server string, end func(*os.Process), env ...string) (called []string, delay time.Duration) {
	t.Helper()
	cmd := exec.Command(bin, strings.Fields(mode)...)
	cmd.Env = append(os.Environ(), "SCAVENGER_DATA_DIR="+dir, "SCAVENGER_SERVER_URL="+server, "SCAVENGER_API_KEY="+collector.DemoKey, "GOTRACEBACK=none")
	cmd.Env = append(cmd.Env, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if end != nil {
		go end(cmd.Process)
	}
	stop := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() }) // in case it never ends
	defer stop.Stop()
	began := time.Now()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "called "); ok {
			called = append(called, name)
		}
		began = time.Now()
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return called, time.Since(began)
}

// knownToReport returns the functions that the report says were called.
func knownToReport(t *testing.T, dir string) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	out, err := exec.Command(built.File(t), "report", "-format", "json", dir).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && strings.Contains(string(exit.Stderr), "no data of a process") {
		return known // killed before it called anything
	}
	if incomplete := errors.As(err, &exit) && exit.ExitCode() == 3; err != nil && !incomplete {
		t.Errorf("report: %v", err)
		return known
	}
	var report struct{ Functions []program.ReportedFunction }
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Functions {
		known[f.Name] = f.Status == "called"
	}
	return known
}

// knownToCollector returns the functions that the collector shows as used.
func knownToCollector(c *collector.Collector) map[string]bool {
	known := map[string]bool{}
	for _, f := range c.Functions(collector.Query{Application: "app"}) {
		name := strings.TrimSuffix(f.Signature[strings.LastIndexByte(f.Signature, '.')+1:], "()")
		known[name] = f.Used
	}
	return known
}
