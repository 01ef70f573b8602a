//go:build linux

package faults

import (
	"bytes"
	"context"
	"crypto/md5"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/e2e/collector"
	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// TestUnsent checks that a process without dataDir sends what those before it could not,
// and that none of them takes longer for it. Without saveUnsent it is lost, and nothing is
// written.
func TestUnsent(t *testing.T) {
	t.Parallel()
	bin := buildFaulty(t)
	for _, saves := range []bool{true, false} {
		t.Run(fmt.Sprintf("saveUnsent=%v", saves), func(t *testing.T) {
			t.Parallel()
			state := newState(t)
			c, err := collector.Start(collector.Options{NoJitter: true})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			env := []string{"XDG_STATE_HOME=" + state, fmt.Sprintf("SCAVENGER_SAVE_UNSENT=%v", saves)}
			run := func(mode string, more ...string) []string {
				names, delay := runFaulty(t, bin, mode, "", c.URL(), nil, append(env, more...)...)
				for try := 1; try < tries && delay > exitLimit; try++ {
					var again []string
					again, delay = runFaulty(t, bin, mode, "", c.URL(), nil, append(env, more...)...)
					names = append(names, again...)
				}
				if delay > exitLimit+busyDelay(t, bin, mode) && more == nil {
					t.Errorf("%s: the exit took %v, want at most %v", mode, delay, exitLimit)
				}
				return names
			}
			var called []string
			for fault, modes := range map[collector.Fault][]string{
				collector.Hang: {"return", "exit3"}, collector.Refuse: {"fatal"}, collector.Unavailable: {"notify"}, collector.LoseAnswer: {"return"},
			} {
				if err := c.SetFault(fault); err != nil {
					t.Fatal(err)
				}
				for _, mode := range modes {
					called = append(called, run(mode)...)
				}
			}
			if err := c.SetFault(collector.Healthy); err != nil {
				t.Fatal(err)
			}
			called = append(called, run("return", patient)...)
			if err := c.Check(context.Background()); err != nil {
				t.Error(err)
			}
			row := faultRow{}
			row.compare(called, knownToCollector(c))
			if saves && len(row.lost) > 0 {
				t.Errorf("lost: %q", row.lost)
			}
			run("return", patient)
			if left, _ := filepath.Glob(filepath.Join(state, "*", "*")); len(left) > 0 {
				t.Errorf("%q is left", left)
			}
			if made, _ := os.ReadDir(state); len(made) > 0 != saves {
				t.Errorf("made: %v", made)
			}
		})
	}
}

// TestUnsentNowhere checks that a program whose disks are full or cannot be written to ends
// as it does without a collector, leaves nothing, and says that it could not.
func TestUnsentNowhere(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 || exec.Command("unshare", "-m", "mount", "-t", "tmpfs", "x", "/var/tmp").Run() != nil {
		t.Skip("only root mounts file systems")
	}
	bin := buildFaulty(t)
	for name, mounts := range map[string]string{
		"full":      "mount -t tmpfs -o size=8k,mode=755 x $DIR && ! head -c 99999 /dev/zero 2>/dev/null >$DIR/x",
		"no inodes": "mount -t tmpfs -o nr_inodes=2,mode=755 x $DIR",
		"read-only": "mount -t tmpfs -o ro,mode=755 x $DIR",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command("unshare", "-m", "sh", "-c",
				mounts+` && mount -t tmpfs -o ro,mode=1777 x /var/tmp || exit 99; "$BIN" exit3; s=$?; find $DIR /var/tmp -name '*.unsent'; exit $s`)
			dir := newState(t)
			cmd.Env = append(os.Environ(), "BIN="+bin, "DIR="+dir, "XDG_STATE_HOME="+dir, "SCAVENGER_SERVER_URL=http://127.0.0.1:1", "SCAVENGER_API_KEY="+collector.DemoKey)
			var out, errs bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &errs
			err := cmd.Run()
			if cmd.ProcessState.ExitCode() != 3 {
				t.Errorf("it ended with %v", err)
			}
			if !strings.HasSuffix(out.String(), "\nfault\n") || strings.Count(errs.String(), "\n") != 2 || !strings.Contains(errs.String(), "at exit") || !strings.Contains(errs.String(), "is lost") {
				t.Errorf("it said %q and %q", &out, &errs)
			}
		})
	}
}

// newState returns a directory for what could not be sent, which counts whatever the umask.
func newState(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// fzfRuns are short runs, each a process of its own.
var fzfRuns = [][]string{
	{"--filter=scoring"},
	{"--filter=^func !test", "--no-sort"},
	{"--filter='ansi | reader$", "--nth=2..", "--delimiter=:"},
	{"--filter=mtchr", "--algo=v1", "--tac", "--print0"},
	{"--version"},
	{"--bash"},
	{"--help"},
	{"--filter=a", "--scheme=path", "--tiebreak=end"},
	{"--filter=b", "--read0", "--ansi"},
	{"--no-such-flag"},
}

// TestHeavyUnsent lets fzf run 50 times beside a collector that is busy, hangs or is down,
// and then once more when it is well. Each function that ran by what Go's own -cover says
// is shown as used then. It prints what is lost without saveUnsent.
func TestHeavyUnsent(t *testing.T) {
	program.Heavy(t)
	ctx := t.Context()
	target := program.Target{Module: "github.com/junegunn/fzf@v0.65.2", Packages: []string{"."}, Run: func(ctx context.Context, bin, _ string, env []string) error {
		for _, args := range fzfRuns {
			runFzf(ctx, bin, args, env)
		}
		return nil
	}}
	dir := t.TempDir()
	p, err := program.Fetch(ctx, target.Module, filepath.Join(dir, "source"))
	if err != nil {
		t.Fatal(err)
	}
	covered, err := target.RunCovered(ctx, p, filepath.Join(dir, "cover"))
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "bin")
	if err := target.BuildInto(ctx, p, bin, "-toolexec="+built.File(t)); err != nil {
		t.Fatal(err)
	}
	for what, trouble := range map[string]func(*collector.Collector, int) error{
		"busy":  func(c *collector.Collector, _ int) error { return beBusy(c) },
		"hangs": func(c *collector.Collector, _ int) error { return c.SetFault(collector.Hang) },
		"each fault in turn": func(c *collector.Collector, i int) error {
			return c.SetFault([]collector.Fault{collector.Hang, collector.Unavailable, collector.Refuse, collector.LoseAnswer, collector.Healthy}[i%5])
		},
	} {
		for _, saves := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, saveUnsent=%v", what, saves), func(t *testing.T) {
				t.Parallel() // they wait, most of the time
				lost := troubled(ctx, t, bin, covered, trouble, saves)
				if saves && len(lost) > 0 {
					t.Errorf("lost: %v", lost)
				}
			})
		}
	}
}

// beBusy makes a collector answer some of its requests only after a while.
func beBusy(c *collector.Collector) error {
	return c.SetFaultFor(time.Duration(500+rand.IntN(4000))*time.Millisecond, collector.Hang)
}

func runFzf(ctx context.Context, bin string, args, env []string) {
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "fzf"), args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin = strings.NewReader("src/ansi.go:func scoring()\nfunc reader\nmatcher\n\x1b[31mb\x1b[0m\x00ab\n")
	_ = cmd.Run() // some of them are to fail
}

// troubled runs fzf beside a collector in trouble, and then beside one that is well. It
// returns the functions that ran and are not shown as used.
func troubled(ctx context.Context, t *testing.T, bin string, covered map[program.Function]bool, trouble func(*collector.Collector, int) error, saves bool) (lost []program.Function) {
	t.Helper()
	c, err := collector.Start(collector.Options{NoJitter: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	state := newState(t)
	env := []string{"SCAVENGER_SERVER_URL=" + c.URL(), "SCAVENGER_API_KEY=" + collector.DemoKey, "SCAVENGER_APP_NAME=fzf",
		"XDG_STATE_HOME=" + state, fmt.Sprintf("SCAVENGER_SAVE_UNSENT=%v", saves)}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var took time.Duration // of the slowest
	slots := make(chan struct{}, 5)
	for i := range 50 {
		slots <- struct{}{}
		if err := trouble(c, i); err != nil {
			t.Fatal(err)
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			began := time.Now()
			runFzf(ctx, bin, fzfRuns[i%len(fzfRuns)], env)
			mu.Lock()
			took = max(took, time.Since(began))
			mu.Unlock()
			<-slots
		}()
	}
	wg.Wait()
	if err := c.SetFault(collector.Healthy); err != nil {
		t.Fatal(err)
	}
	arrived := map[string]bool{}
	for _, r := range c.Requests(collector.Invocations) {
		if r.OK() {
			arrived[r.Invocations.Common.UUID] = true
		}
	}
	runFzf(ctx, bin, []string{"--version"}, append(env, patient))
	if err := c.WaitImported(ctx); err != nil {
		t.Error(err)
	}
	names := map[string]program.Function{}
	for f := range covered {
		names[fmt.Sprintf("%x", md5.Sum([]byte(f.String())))] = f
	}
	status := map[program.Function]string{}
	for _, row := range c.Functions(collector.Query{Application: "fzf"}) {
		status[names[row.Hash]] = "never-called"
		if row.Used {
			status[names[row.Hash]] = "called"
		}
	}
	compared := program.Compare(status, covered)
	if compared.Called < 100 || !slices.Contains(slices.Collect(maps.Values(status)), "never-called") {
		t.Errorf("%d functions were called: the runs tell too little", compared.Called)
	}
	t.Logf("%d of 50 runs arrived by themselves, %d of %d functions are lost, the slowest run took %v",
		len(arrived), len(compared.FalseDead), len(covered), took)
	runFzf(ctx, bin, []string{"--version"}, append(env, patient))
	if left, _ := filepath.Glob(filepath.Join(state, "*", "*")); len(left) > 0 {
		t.Errorf("%q is left", left)
	}
	return compared.FalseDead
}
