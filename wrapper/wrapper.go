// Package wrapper is what the go command starts in place of its tools:
//
//	go build -toolexec=scavenger-wrap ./cmd/app
//
// makes it run `scavenger-wrap /path/to/compile -p example.com/app …` for each
// action of the build. The compile actions of matching packages and main
// programs, and the link actions of the latter, are changed on their way; any
// other tool gets its arguments as they came. Beside that it is the command
// line for people: see command.go.
//
// It is the only package of scavenger-wrap that starts processes.
package wrapper

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Exit statuses of the command line. The toolexec role passes on the status of
// the tool that it wraps.
const (
	exitOK    = 0
	exitFail  = 1 // something is wrong; stderr says what
	exitUsage = 2 // the command line is wrong
)

// Main runs scavenger-wrap with the arguments of the process (args[0] is its
// name) and returns its exit status.
//
// sources holds the Go files of config, hitrt, rewrite and wrapper as they were
// when the binary was built: hitrt is compiled into the programs, and all of
// them go into the tool IDs.
func Main(args []string, sources fs.FS) int {
	args, flags, err := actionArgs(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "scavenger-wrap: %v\n", err)
		return exitUsage
	}
	if len(args) < 2 || isCommand(args[1]) {
		return runCommand(args, sources, flags.config)
	}
	path, err := exec.LookPath(args[1])
	if err != nil {
		what := fmt.Errorf("%q is neither a command of scavenger-wrap nor a tool that can be run: %w", args[1], unwrapExec(err))
		if !strings.ContainsAny(args[1], `/\`) {
			what = unknownCommand(args[1])
		}
		fmt.Fprintf(os.Stderr, "scavenger-wrap: %v; see scavenger-wrap --help\n", what)
		return exitUsage
	}
	a, err := newAction(path, args[2:], flags, sources)
	if err == nil {
		err = run(a)
	}
	a.removeDir()
	if err != nil {
		a.log.note(outcomeFailed, err.Error())
	}
	a.log.write()
	var status exitStatus
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &status):
		// The tool has said what is wrong.
		return int(status)
	case a.importPath != "":
		fmt.Fprintf(os.Stderr, "scavenger-wrap: %s: %v\n", a.importPath, err)
	default:
		fmt.Fprintf(os.Stderr, "scavenger-wrap: %v\n", err)
	}
	return exitFail
}

// actionFlags are the flags that stand before the tool in the toolexec value:
// -toolexec="scavenger-wrap -config=scavenger.toml -next=PROGRAM".
type actionFlags struct {
	config   string   // the settings file
	next     []string // the next program of a chain, with arguments of its own
	frontend string   // "" in a build that is not by scavenger-wrap go; see frontendFlag

	// The flags of the go command that say where go.mod is, by the front-end; nil
	// without any.
	module map[string]string
}

// actionArgs returns the arguments without what is not the action's: response
// files, and the flags that stand before the tool.
func actionArgs(args []string) (rest []string, flags actionFlags, err error) {
	if len(args) == 2 && strings.HasPrefix(args[1], "@") {
		// We are called compile: the tool's name is in the file too.
		if args, err = expandWithTool(args); err != nil {
			return nil, flags, err
		}
	}
	for len(args) > 1 {
		name, value, ok := strings.Cut(oneDash(args[1]), "=")
		if (name == "-config" || name == "-next") && !ok && len(args) > 2 {
			value, ok = args[2], true // -config FILE
			args = slices.Delete(slices.Clone(args), 2, 3)
		}
		switch {
		case !ok:
			return args, flags, nil
		case name == "-next":
			if flags.next, err = splitQuoted(value); err != nil || len(flags.next) == 0 {
				return nil, flags, fmt.Errorf("-next=%s: want the toolexec program to be run after this one", value)
			}
		case name == "-modfile", name == "-overlay":
			if flags.module == nil {
				flags.module = map[string]string{}
			}
			flags.module[name[1:]] = value
		case name == "-frontend":
			flags.frontend = value
		case name == "-config":
			if flags.config = value; value == "" {
				return nil, flags, errors.New("-config=: want the settings file")
			}
		default:
			return args, flags, nil
		}
		if len(args) == 2 {
			return nil, flags, fmt.Errorf("%s: no tool follows", args[1])
		}
		args = append([]string{args[0]}, args[2:]...)
	}
	return args, flags, nil
}

// An exitStatus is the failure of a tool that has already reported it.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// An action is one start of a tool by the go command. It says what the go command
// wants, and nothing of it changes on the way: what becomes of it is in what the
// rooms return.
type action struct {
	tool       string   // compile, link, …
	path       string   // the tool's executable
	args       []string // its arguments, without response files and without the ID flag
	original   []string // its arguments if it is passed through: with response files
	hasID      bool     // the ID flag was there
	importPath string   // TOOLEXEC_IMPORTPATH: "" in -V=full, "p [p.test]" for test variants
	sources    fs.FS
	flags      actionFlags
	log        *actionLog
	own        *ownDir
}

// newAction returns the action of a tool that the go command calls with args. It is
// there, to be logged, even if there is an error.
func newAction(path string, args []string, flags actionFlags, sources fs.FS) (*action, error) {
	a := &action{
		tool: toolName(path), path: path, args: args, original: args, importPath: os.Getenv("TOOLEXEC_IMPORTPATH"),
		sources: sources, flags: flags, own: new(ownDir),
	}
	a.log = newActionLog(a)
	if a.tool != "compile" && a.tool != "link" {
		return a, nil
	}
	expanded, err := expanded(path, args)
	if err != nil {
		return a, err
	}
	a.args = expanded
	if a.tool == "compile" && a.byFrontend() {
		if kept, ok := withoutIDFlag(expanded); ok {
			a.args, a.original, a.hasID = kept, kept, true
		}
	}
	return a, nil
}

// byFrontend reports whether the build is one by scavenger-wrap go.
func (a *action) byFrontend() bool { return a.flags.frontend != "" }

// versionOnly reports whether the tool is asked for its ID.
func (a *action) versionOnly() bool { return len(a.args) == 1 && a.args[0] == "-V=full" }

// passThrough becomes the tool with the arguments as they came.
func (a *action) passThrough() error { return a.passOn(a.original) }

// run does what becomes of the action.
func run(a *action) error {
	switch {
	case a.tool == "asm":
		return asm(a)
	case a.tool != "compile" && a.tool != "link":
		return a.passThrough()
	case a.versionOnly():
		return printVersion(a)
	case a.tool == "compile":
		return runCompile(a)
	}
	return runLink(a)
}

// runProcess runs a command with our own standard streams. The error is an
// exitStatus if it ran and failed.
func runProcess(cmd *exec.Cmd) error {
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if exit.ExitCode() < 0 { // killed by a signal, which nobody has reported
			return fmt.Errorf("%s: %v", toolName(cmd.Path), exit)
		}
		return exitStatus(exit.ExitCode())
	}
	return err
}
