// Package wrapper is what the go command starts in place of its tools:
//
//	go build -toolexec=scavenger-wrap ./cmd/app
//
// makes it run `scavenger-wrap /path/to/compile -p example.com/app …` for each
// action of the build. The compile actions of matching packages and main
// programs, and the link actions of the latter, are changed on their way; any
// other tool gets its arguments as they came. Beside that it is the command
// line for people.
//
// Most starts in a build never reach Main: wrapper/early does them before, in its init
// function, if they need no settings.
//
// This package only chooses; each of the packages below it, the rooms, does one job.
// They alone start processes.
package wrapper

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/action"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/command"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/compile"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/link"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/plain"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolid"
)

// Main runs scavenger-wrap with the arguments of the process (args[0] is its
// name) and returns its exit status.
//
// sources holds the Go files of config, hitrt, rewrite and wrapper as they were
// when the binary was built. hitrt is compiled into the programs; wrapper/toolid
// says which directories go into the tool IDs.
func Main(args []string, sources fs.FS) int {
	if command.IsGo(args) {
		return command.Run(append([]string{"scavenger-wrap", "go"}, args[1:]...), sources, "")
	}
	args, flags, err := action.ParseFlags(args)
	if err != nil {
		complain("%v", err)
		return command.ExitUsage
	}
	if len(args) < 2 || command.Is(args[1]) {
		return command.Run(args, sources, flags.Config)
	}
	path, err := exec.LookPath(args[1])
	if err == nil && command.IsOfGo(args[1]) {
		err = exec.ErrNotFound // as a tool
	}
	if err != nil {
		what := fmt.Errorf("%q is neither a command of scavenger-wrap nor a tool that can be run: %w", args[1], toolchain.UnwrapExec(err))
		if !strings.ContainsAny(args[1], `/\`) {
			what = command.Unknown(args[1])
		}
		complain("%v; see scavenger-wrap --help", what)
		return command.ExitUsage
	}
	a, err := action.New(path, args[2:], flags, sources)
	a.Calls = command.ReadCalls
	if err == nil {
		err = a.Refused(args[0])
	}
	if err == nil {
		err = run(a)
	}
	a.RemoveDir()
	if err != nil {
		a.Log.Note(action.OutcomeFailed, err.Error())
	}
	a.Log.Write()
	var status action.ExitStatus
	switch {
	case err == nil:
		return command.ExitOK
	case errors.As(err, &status):
		// The tool has reported what is wrong.
		return int(status)
	case a.ImportPath != "":
		complain("%s: %v", a.ImportPath, err)
	default:
		complain("%v", err)
	}
	return command.ExitFail
}

// complain writes what is wrong.
func complain(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "scavenger-wrap: %s\n", command.Escaped(fmt.Sprintf(format, args...)))
}

// run does the action.
func run(a *action.Action) error {
	switch {
	case a.Tool == "asm":
		return plain.Asm(a)
	case a.Tool != "compile" && a.Tool != "link":
		return a.PassThrough()
	case a.VersionOnly():
		return toolid.Print(a)
	case a.Tool == "compile":
		return compile.Run(a)
	}
	return link.Run(a)
}
