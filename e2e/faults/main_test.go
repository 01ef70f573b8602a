//go:build linux

package faults

import (
	"errors"
	"flag"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// built is the scavenger-wrap that all tests use.
var built program.Wrapper

func TestMain(m *testing.M) {
	if signal.Ignored(syscall.SIGHUP) {
		// As under nohup. Programs that are started here would ignore it too. They
		// start with the default for a signal that is handled here.
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
	os.Exit(built.Run(m, "faults", func() error {
		// What processes save that could not send it goes with the tests.
		state := filepath.Join(built.Dir, "state")
		if err := errors.Join(os.Mkdir(state, 0o700), os.Setenv("XDG_STATE_HOME", state)); err != nil {
			return err
		}
		// Processes wait for collectors that do not answer, which takes no processor.
		return flag.Set("test.parallel", "16")
	}))
}
