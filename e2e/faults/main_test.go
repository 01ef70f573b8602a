//go:build linux

package faults

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// binDir holds the scavenger-wrap that all tests use. It is set once, before
// any test runs.
var binDir string

// wrapperFile returns that scavenger-wrap, for a test.
func wrapperFile(t testing.TB) string {
	t.Helper()
	if err := program.NoteSources(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(binDir, "scavenger-wrap")
}

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	if signal.Ignored(syscall.SIGHUP) {
		// As under nohup. Programs that are started here would ignore it too. They
		// start with the default for a signal that is handled here.
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
	dir, err := os.MkdirTemp("", "scavenger-faults-")
	if err == nil {
		defer os.RemoveAll(dir)
		binDir = dir
		_, err = program.BuildWrapper(context.Background(), dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// Processes wait for collectors that do not answer, which takes no processor.
	if err := flag.Set("test.parallel", "16"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
