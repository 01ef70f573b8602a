package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/e2e/collector"
)

// TestLostDatabase restarts a collector with its database in memory, as a first trial
// has it, while a program runs. The program notices, and sends all of it again.
func TestLostDatabase(t *testing.T) {
	t.Parallel()
	c, err := collector.Start(collector.Options{NoJitter: true, PollSeconds: 1, PublishSeconds: 1, RetrySeconds: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	dir := t.TempDir()
	app := filepath.Join(dir, "app.exe")
	writeFiles(t, dir, map[string]string{
		"go.mod": "module example.com/app\n\ngo 1.24\n",
		"main.go": `package main

import (
	"io"
	"os"
)

func main() {
	atStart()
	_, _ = io.Copy(io.Discard, os.Stdin)
}

//go:noinline
func atStart() {}

//go:noinline
func never() {}

var keep = never
`,
	})
	build := exec.Command("go", "build", "-toolexec="+built.File(t), "-o", app, ".")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(app)
	cmd.Env = append(os.Environ(), "SCAVENGER_SERVER_URL="+c.URL(), "SCAVENGER_API_KEY="+collector.DemoKey,
		"SCAVENGER_SCHEDULER_INITIAL_DELAY_MILLIS=0", "SCAVENGER_SCHEDULER_INTERVAL_MILLIS=100", "SCAVENGER_LOG_LEVEL=info")
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stderr = log
	stop, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	shown := func() bool {
		used := map[string]bool{}
		list := c.Functions(collector.Query{})
		for _, f := range list {
			used[f.MethodName] = f.Used
		}
		return len(list) == 3 && used["main"] && used["atStart"] && !used["never"]
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	wait := func(when string) {
		t.Helper()
		if err := c.WaitFor(ctx, shown); err != nil {
			text, _ := os.ReadFile(log.Name())
			t.Errorf("%s: %v\n%s", when, err, text)
		}
	}
	wait("at first")
	if err := c.SetFault(collector.Refuse); err != nil {
		t.Fatal(err)
	}
	c.Restart(true)
	time.Sleep(2 * time.Second) // more than the interval of polls
	if err := c.SetFault(collector.Healthy); err != nil {
		t.Fatal(err)
	}
	wait("after the restart")
	if err := stop.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if err := c.Check(ctx); err != nil {
		t.Error(err)
	}
}
