// The oracle against the collector, on a program that is small enough for every
// test run.

package main

import (
	"context"
	"crypto/md5"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/e2e/collector"
	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// TestOracle runs age, marked and reporting to the collector, and compares what
// the collector then shows as used with what Go's own -cover saw executed on
// the same input: the same functions, but for init, which is not reported.
func TestOracle(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 9*time.Minute)
	defer cancel()
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
	wrapper, err := program.BuildWrapper(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := target.BuildInto(ctx, p, bin, "-toolexec="+wrapper); err != nil {
		t.Fatal(err)
	}
	c, err := collector.Start(collector.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := target.Run(ctx, bin, scratch, []string{
		"SCAVENGER_SERVER_URL=" + c.URL(), "SCAVENGER_API_KEY=" + collector.DemoKey, "SCAVENGER_APP_NAME=age", "SCAVENGER_EXIT_TIMEOUT=1m",
	}); err != nil {
		t.Fatal(err)
	}
	if err := c.Check(ctx); err != nil {
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
