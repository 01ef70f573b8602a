// Chains of toolexec programs. The go command takes only one, so each names
// the next: -toolexec="scavenger-wrap -next=PROGRAM". PROGRAM is then started
// as the go command would start it, with the tool and its arguments, which for
// a matching package are the ones of the marked files. It comes after us, so
// that what it does to a package is done to the marked one.
//
// What is ours alone does not go through it: hitrt, the registry and its stub.

package action

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// Command returns the command that runs the action's tool with other arguments,
// through the next program of the chain, which may know nothing of response files.
func (a *Action) Command(args []string) (*exec.Cmd, error) {
	if next := a.Flags.Next; len(next) > 0 {
		return exec.Command(next[0], slices.Concat(next[1:], []string{a.Path}, args)...), nil
	}
	args, err := a.shortened(args)
	return exec.Command(a.Path, args...), err
}

// shortened returns arguments that fit a command line: the given ones or, if these are
// too long, a response file that holds them.
func (a *Action) shortened(args []string) ([]string, error) {
	if !toolchain.NeedsResponseFile(a.Path, args) {
		return args, nil
	}
	out, _ := toolchain.FlagValue(args, "-o")
	dir, err := a.MakeDir(out)
	if err != nil {
		return nil, err
	}
	return toolchain.WriteResponseFile(a.Path, filepath.Join(dir, "args"), args)
}

// PassOn becomes the action's tool, with other arguments.
func (a *Action) PassOn(args []string) error {
	cmd, err := a.Command(args)
	if err != nil {
		return err
	}
	if cmd.Err != nil {
		return fmt.Errorf("-next: %q: %w", a.Flags.Next[0], toolchain.UnwrapExec(cmd.Err))
	}
	if a.own.path != "" && !a.own.keep && slices.Contains(cmd.Args, "@"+filepath.Join(a.own.path, "args")) {
		return RunProcess(cmd) // the response file must be removed after the tool has ended
	}
	a.RemoveDir()
	a.Log.Write() // on most systems there is no return
	return ReplaceProcess(cmd.Path, cmd.Args[1:])
}
