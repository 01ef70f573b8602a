// Package action holds one start of a tool by the go command: its arguments, its
// settings, its log, and the ways to run the tool. Other rooms decide what it does.
//
// It may import config, wrapper/early, wrapper/evidence, wrapper/toolchain and
// wrapper/toolchain/lean.
package action

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/evidence"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// An Action is one start of a tool by the go command. It is read only: whoever changes
// what the tool gets passes other arguments to Command or PassOn.
type Action struct {
	Tool       string   // compile, link, …
	Path       string   // the tool's executable
	Args       []string // its arguments, without response files and without the ID flag
	Original   []string // its arguments if it is passed through: with response files
	HasID      bool     // the ID flag was there
	ImportPath string   // TOOLEXEC_IMPORTPATH: "" in -V=full, "p [p.test]" for test variants
	Sources    fs.FS    // of this scavenger-wrap
	Flags      Flags
	Calls      evidence.Reader // reads evidence
	Log        *Log            // nil without one
	own        *ownDir
}

// New returns the action of a tool that the go command calls with args. With an error
// it still returns an action, which logs the error.
func New(path string, args []string, flags Flags, sources fs.FS) (*Action, error) {
	a := &Action{
		Tool: toolchain.ToolName(path), Path: path, Args: args, Original: args, ImportPath: os.Getenv("TOOLEXEC_IMPORTPATH"),
		Sources: sources, Flags: flags, own: new(ownDir),
	}
	a.Log = newLog(a)
	if a.Tool != "compile" && a.Tool != "link" {
		return a, nil
	}
	expanded, err := toolchain.Expand(path, args)
	if err != nil {
		return a, err
	}
	a.Args = expanded
	if a.Tool == "compile" && a.ByFrontend() {
		if kept, ok := withoutIDFlag(expanded); ok {
			a.Args, a.Original, a.HasID = kept, kept, true
		}
	}
	return a, nil
}

// ByFrontend reports whether the build is one by scavenger-wrap go.
func (a *Action) ByFrontend() bool { return a.Flags.frontend != "" }

// VersionOnly reports whether the tool is asked for its ID.
func (a *Action) VersionOnly() bool { return len(a.Args) == 1 && a.Args[0] == "-V=full" }

// PassThrough becomes the tool with the arguments as they came.
func (a *Action) PassThrough() error { return a.PassOn(a.Original) }

// An ExitStatus is the failure of a tool that has already reported it.
type ExitStatus int

// Error returns the status in words.
func (s ExitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// RunProcess runs a command with our own standard streams. The error is an
// ExitStatus if it ran and failed.
func RunProcess(cmd *exec.Cmd) error {
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if exit.ExitCode() < 0 { // killed by a signal, which nobody has reported
			return fmt.Errorf("%s: %w", toolchain.ToolName(cmd.Path), exit)
		}
		return ExitStatus(exit.ExitCode())
	}
	return err
}
