package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A daemon of a build ends after the command that started it, or not at all.
func TestOrphans(t *testing.T) {
	if err := adoptOrphans(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	leave := func(script string) {
		t.Helper()
		if out, err := exec.Command("sh", "-c", "("+script+") >/dev/null 2>&1 &").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	leave("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo > " + filepath.Join(dir, "ended"))
	cpu, err := waitOrphans(t.Context())
	if err != nil || cpu == 0 {
		t.Errorf("of a process that works and ends: %v, %v", cpu, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "ended")); err != nil {
		t.Error("it was not waited for")
	}
	leave("sleep 1000")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := waitOrphans(ctx); err != nil {
		t.Errorf("of a process that does not end: %v", err)
	}
}

func TestTimedTellsTheReason(t *testing.T) {
	_, err := timed(t.Context(), t.TempDir(), os.Environ(), "sh", "-c", "seq 1 9; echo the reason >&2; exit 3")
	if err == nil || !strings.HasSuffix(err.Error(), "the reason") || strings.Contains(err.Error(), "\n1\n") {
		t.Errorf("timed: %v", err)
	}
	if c, err := timed(t.Context(), t.TempDir(), os.Environ(), "sleep", "0.02"); err != nil || c.wall < 20*time.Millisecond {
		t.Errorf("timed: %v, %v", c, err)
	}
}
