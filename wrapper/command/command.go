// Package command is the command line for people.
//
// It may import config, rewrite and the rooms of wrapper.
package command

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// commandNames are the words that are for us rather than the names of tools.
// They stand here so that an action need not build the command line to know.
var commandNames = []string{"init", "scan", "diff", "doctor", "go", "install-go", "sdk", "goflags", "report", "plan", "publish", "merge", "version", "completion", "help", "h"}

// Is reports whether the first argument is for us rather than the name
// of a tool.
func Is(arg string) bool {
	return strings.HasPrefix(arg, "-") || slices.Contains(commandNames, arg)
}

const description = `As the -toolexec of the go command, scavenger-wrap marks the functions of a
program, which then reports which of them were called:

   go build -toolexec=scavenger-wrap ./cmd/app
   SCAVENGER_DATA_DIR=data ./app
   scavenger-wrap report data

With serverUrl and apiKey set, the program reports to a Scavenger collector;
"scavenger-wrap publish data" sends what it left in files while it had none.

To begin with, "scavenger-wrap init" writes a scavenger.toml in which every
setting is explained; a scavenger.conf from Scavenger's web page, at the root of
the module, does as well. "scavenger-wrap scan" then shows what a build would
mark, and "scavenger-wrap doctor" whether all that it needs is there.

Environment: SCAVENGER_CONFIG names the settings file; SCAVENGER_PACKAGES and the
like override it (doctor lists what is set). SCAVENGER_WRAP_LOG names a file for
one line per build action: why a package was not marked is one grep in it.
NO_COLOR turns colours off.

Exit status: 0 success, 1 failure, 2 wrong usage, 3 a result that rests on
incomplete data (report, plan and merge), 4 a report that has what --fail-on names;
under -toolexec that of the wrapped tool.`

// A commands value is what all commands share.
type commands struct {
	stdout, stderr io.Writer
	sources        fs.FS
	configFile     string // --config
	log            *logger
}

func (cmd *commands) app() *cli.App {
	app := &cli.App{
		Name:                 "scavenger-wrap",
		Usage:                "find the functions of a Go program that nobody calls",
		UsageText:            "go build -toolexec=scavenger-wrap [packages]\nscavenger-wrap command [arguments]",
		Description:          description,
		HideVersion:          true, // there is a flag of ours
		EnableBashCompletion: true,
		Writer:               cmd.stdout,
		ErrWriter:            cmd.stderr,
		ExitErrHandler:       func(*cli.Context, error) {}, // the status is Main's to return
		OnUsageError:         flagError,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "config", Usage: "settings `FILE` in place of the one that is found", Destination: &cmd.configFile, Value: cmd.configFile},
			&cli.StringFlag{Name: "log-level", Usage: "debug, info, warn or error", Value: "warn", EnvVars: []string{"SCAVENGER_WRAP_LOG_LEVEL"}},
			&cli.BoolFlag{Name: "version", Aliases: []string{"v"}, Usage: "print the version", DisableDefaultText: true},
		},
		Before: func(c *cli.Context) (err error) {
			if cmd.log, err = newLogger(cmd.stderr, c.String("log-level")); err != nil {
				return optionError{err}
			}
			if c.Bool("version") {
				return cmp.Or(cmd.printVersion(), errVersionShown)
			}
			if c.Args().First() != "go" { // what the go command starts is to find the same go
				avoidSelf()
			}
			return nil
		},
		Commands: []*cli.Command{
			cmd.initCommand(), cmd.scanCommand(), cmd.diffCommand(), cmd.doctorCommand(), cmd.goCommand(), cmd.installGoCommand(), cmd.sdkCommand(), cmd.goflagsCommand(),
			cmd.reportCommand(), cmd.planCommand(), cmd.publishCommand(), cmd.mergeCommand(), cmd.versionCommand(), cmd.completionCommand(),
		},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usageError{Unknown(c.Args().First())}
			}
			_ = cli.ShowAppHelp(c)
			return errHelpShown
		},
	}
	for _, c := range app.Commands {
		c.OnUsageError = flagError
		c.HideHelpCommand = true // scan help would be the package help
	}
	return app
}

// Run runs a command with the arguments of the process, and returns its exit status.
func Run(args []string, sources fs.FS, configFile string) int {
	stdout, stderr := &printer{to: os.Stdout}, &printer{to: os.Stderr}
	defer func() { _ = stderr.end() }()
	cmd := &commands{stdout: stdout, stderr: stderr, sources: sources, configFile: configFile}
	err := cmd.app().Run(args)
	if writeErr := stdout.end(); err == nil || errors.Is(err, errVersionShown) {
		err = writeErr
	}
	var usage usageError
	var option optionError
	var incomplete incompleteError
	var found foundError
	var exit cli.ExitCoder
	switch {
	case err == nil:
		return ExitOK
	case errors.Is(err, errHelpShown):
		return ExitUsage
	case errors.As(err, &exit): // help for what is no command
		cmd.complain("%v", Unknown(args[len(args)-1]))
		return ExitUsage
	case errors.As(err, &option):
		cmd.complain("%v; see scavenger-wrap --help", err)
		return ExitUsage
	case errors.As(err, &usage):
		cmd.complain("%v; see scavenger-wrap%s --help", err, commandIn(args))
		return ExitUsage
	}
	cmd.complain("%v", err)
	switch {
	case errors.As(err, &incomplete):
		return ExitIncomplete
	case errors.As(err, &found):
		return ExitFound
	}
	return ExitFail
}

// complain writes what is wrong.
func (cmd *commands) complain(format string, args ...any) {
	fmt.Fprintf(cmd.stderr, "scavenger-wrap: %s\n", indented(fmt.Sprintf(format, args...), 2))
}

// commandIn returns the command on a command line with a blank in front, "" if
// there is none.
func commandIn(args []string) string {
	for _, arg := range args[1:] {
		if Is(arg) && !strings.HasPrefix(arg, "-") && arg != "help" {
			return " " + arg
		}
	}
	return ""
}

// loadConfig reads the settings of the working directory.
func (cmd *commands) loadConfig() (*config.Config, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	return config.Load(config.Source{Dir: dir, File: cmd.configFile, Lookup: os.LookupEnv})
}

// buildConfig reads the settings that a build in the working directory has.
func (cmd *commands) buildConfig() (*config.Config, error) {
	from, err := cmd.buildSource()
	if err != nil {
		return nil, err
	}
	return config.Load(from)
}

// buildSource returns where a build in the working directory looks for settings and for
// the main module. GOFLAGS may have flags that say where the latter is.
func (cmd *commands) buildSource() (config.Source, error) {
	dir, err := os.Getwd()
	command := new(toolchain.GoCommand)
	// If it fails, a go command that follows says why.
	if goflags, err := toolchain.ReadGOFLAGS("go", dir); err == nil {
		command.SetGOFLAGS(goflags)
	}
	modFile, overlay := command.Module()
	return config.Source{Dir: dir, File: cmd.configFile, Lookup: os.LookupEnv, ModFile: modFile, Overlay: overlay}, err
}

// oneOf checks a flag that takes one of a few words.
func oneOf(c *cli.Context, flag string, words ...string) (string, error) {
	value := c.String(flag)
	if !slices.Contains(words, value) {
		return "", usageError{fmt.Errorf("%s: unknown %s %q: want %s", c.Command.Name, flag, value, alternatives(words))}
	}
	return value, nil
}

// alternatives lists words of which one is wanted.
func alternatives(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// counted returns a number of things.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Exit statuses of the command line. The toolexec role passes on the status of
// the tool that it wraps.
const (
	ExitOK    = 0
	ExitFail  = 1 // something is wrong; stderr says what
	ExitUsage = 2 // the command line is wrong

	// ExitIncomplete says that there is a result, and that some of what it should rest on
	// is missing.
	ExitIncomplete = 3

	// ExitFound says that there is a result, that nothing of it is missing, and that it has
	// what the command line says must not be there.
	ExitFound = 4
)
