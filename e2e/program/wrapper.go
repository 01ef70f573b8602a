package program

import (
	"context"
	"fmt"
	"os"
	"testing"
)

// A Wrapper is the scavenger-wrap that all tests of a package use. It is built once,
// before any of them runs.
type Wrapper struct {
	Dir  string // goes when the tests have ended
	path string
}

// Run builds it, runs prepare unless that is nil, and then the tests. It returns the exit
// status. name becomes part of the directory's.
func (w *Wrapper) Run(m *testing.M, name string, prepare func() error) int {
	dir, err := os.MkdirTemp("", "scavenger-"+name+"-")
	if err == nil {
		defer os.RemoveAll(dir)
		w.Dir = dir
		err = os.Chmod(dir, 0o755) // other users start programs, too
	}
	if err == nil {
		w.path, err = BuildWrapper(context.Background(), dir)
	}
	if err == nil && prepare != nil {
		err = prepare()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// File returns its path, for a test.
func (w *Wrapper) File(t testing.TB) string {
	t.Helper()
	if err := NoteSources(); err != nil {
		t.Fatal(err)
	}
	return w.path
}
