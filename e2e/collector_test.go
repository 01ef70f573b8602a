// The collector in scripts, and the oracle against it.

package e2e

import (
	"context"
	"crypto/md5"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/naver/scavenger/scavenger-wrap/e2e/collector"
	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// A scriptCollector is the collector of one script, which keeps it under
// collectorKey.
type (
	scriptCollector struct{ *collector.Collector }
	collectorKey    struct{}
)

// collectorCommand is the script command
//
//	collector start
//	collector rows FILE APPLICATION ENVIRONMENT
//
// The first starts a collector and points SCAVENGER_SERVER_URL and
// SCAVENGER_API_KEY at it. The second waits until it has stored what it
// received, fails if anything was wrong with that, and writes the functions as
// lines of "used" or "unused", visibility and signature.
func collectorCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: collector start|rows")
	}
	switch {
	case args[0] == "start" && len(args) == 1:
		c, err := collector.Start(collector.Options{NoJitter: true})
		ts.Check(err)
		ts.Defer(c.Close)
		ts.Setenv("SCAVENGER_SERVER_URL", c.URL())
		ts.Setenv("SCAVENGER_API_KEY", collector.DemoKey)
		ts.Value(collectorKey{}).(*scriptCollector).Collector = c
	case args[0] == "rows" && len(args) == 4:
		c := ts.Value(collectorKey{}).(*scriptCollector).Collector
		if c == nil {
			ts.Fatalf("no collector was started")
		}
		ts.Check(stored(c))
		var b strings.Builder
		for _, f := range c.Functions(collector.Query{Application: args[2], Environment: args[3]}) {
			used := "unused"
			if f.Used {
				used = "used"
			}
			fmt.Fprintf(&b, "%s %s %s\n", used, f.Visibility, f.Signature)
		}
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(b.String()), 0o666))
	default:
		ts.Fatalf("usage: collector start | collector rows file application environment")
	}
}

// stored waits until the collector has imported everything, and returns what
// was wrong with it.
func stored(c *collector.Collector) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := c.WaitImported(ctx); err != nil {
		return err
	}
	for _, v := range c.Violations() {
		return fmt.Errorf("the collector was sent what it cannot take: %+v", v)
	}
	return nil
}

// TestOracle runs age, marked and reporting to the collector, and compares what
// the collector then shows as used with what Go's own -cover saw executed on
// the same input: the same functions, but for init, which is not reported.
func TestOracle(t *testing.T) {
	ctx := context.Background()
	target, err := program.LookUp("age")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p, err := program.Fetch(ctx, target.Module, filepath.Join(dir, "source"))
	if err != nil {
		t.Fatal(err)
	}
	covered, err := target.RunCovered(ctx, p, filepath.Join(dir, "cover"))
	if err != nil {
		t.Fatal(err)
	}
	bin, scratch := filepath.Join(dir, "bin"), filepath.Join(dir, "scratch")
	if err := os.Mkdir(scratch, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := target.BuildInto(ctx, p, bin, "-toolexec="+filepath.Join(binDir, "scavenger-wrap")); err != nil {
		t.Fatal(err)
	}
	c, err := collector.Start(collector.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := target.Run(ctx, bin, scratch, []string{
		"SCAVENGER_SERVER_URL=" + c.URL(), "SCAVENGER_API_KEY=" + collector.DemoKey, "SCAVENGER_APP_NAME=age",
	}); err != nil {
		t.Fatal(err)
	}
	if err := stored(c); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Snapshot(collector.Query{}); err != nil {
		t.Errorf("the collector cannot make a tree of it: %v", err)
	}

	// The collector knows functions by hash: that of the import path, the
	// receiver's base type and the name.
	status := map[program.Function]string{}
	functions := map[string]program.Function{}
	for f := range covered {
		functions[fmt.Sprintf("%x", md5.Sum([]byte(f.String())))] = f
	}
	for _, row := range c.Functions(collector.Query{Application: "age"}) {
		f, ok := functions[row.Hash]
		if !ok {
			t.Errorf("the collector has %s, which the oracle does not know", row.Signature)
		}
		status[f] = "never-called"
		if row.Used {
			status[f] = "called"
		}
	}
	got := program.Compare(status, covered)
	if len(got.FalseDead) > 0 || len(got.FalseLive) > 0 || len(got.Unlisted) > 0 {
		t.Errorf("false dead %v\nfalse live %v\nnot reported %v", got.FalseDead, got.FalseLive, got.Unlisted)
	}
	if got.Called < 80 || got.Functions-got.Called-got.Inits < 80 {
		t.Errorf("%d functions, %d called: the workload tells too little", got.Functions, got.Called)
	}
}
