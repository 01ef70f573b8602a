// The command line for people.

package wrapper

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// commandNames are the words that are for us rather than the names of tools.
// They stand here so that an action need not build the command line to know.
var commandNames = []string{"init", "scan", "diff", "doctor", "go", "goflags", "report", "publish", "version", "completion", "help", "h"}

// isCommand reports whether the first argument is for us rather than the name
// of a tool.
func isCommand(arg string) bool {
	return strings.HasPrefix(arg, "-") || slices.Contains(commandNames, arg)
}

const description = `As the -toolexec of the go command, scavenger-wrap marks the functions of a
program, which then reports which of them were called:

   go build -toolexec=scavenger-wrap ./cmd/app
   SCAVENGER_DATA_DIR=data ./app
   scavenger-wrap report data

With serverUrl and apiKey set, the program reports to a Scavenger collector;
"scavenger-wrap publish data" sends what it left in files without.

To begin with, "scavenger-wrap init" writes a scavenger.toml in which every
setting is explained; a scavenger.conf from Scavenger's web page, at the root of
the module, does as well. "scavenger-wrap scan" then shows what a build would
mark, and "scavenger-wrap doctor" whether all that it needs is there.

Environment: SCAVENGER_CONFIG names the settings file; SCAVENGER_PACKAGES and the
like override it (doctor lists what is set). SCAVENGER_WRAP_LOG names a file for
one line per build action: why a package was not marked is one grep in it.
NO_COLOR turns colours off.

Exit status: 0 success, 1 failure, 2 wrong usage; under -toolexec that of the
wrapped tool.`

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
		Version:              version(),
		EnableBashCompletion: true,
		Writer:               cmd.stdout,
		ErrWriter:            cmd.stderr,
		ExitErrHandler:       func(*cli.Context, error) {}, // the status is Main's to return
		OnUsageError:         flagMistake,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "config", Usage: "settings `FILE` in place of the one that is found", Destination: &cmd.configFile, Value: cmd.configFile},
			&cli.StringFlag{Name: "log-level", Usage: "debug, info, warn or error", Value: "warn", EnvVars: []string{"SCAVENGER_WRAP_LOG_LEVEL"}},
		},
		Before: func(c *cli.Context) (err error) {
			if cmd.log, err = newLogger(cmd.stderr, c.String("log-level")); err != nil {
				return usageError{err}
			}
			return nil
		},
		Commands: []*cli.Command{
			cmd.initCommand(), cmd.scanCommand(), cmd.diffCommand(), cmd.doctorCommand(), cmd.goCommand(), cmd.goflagsCommand(),
			cmd.reportCommand(), cmd.publishCommand(), cmd.versionCommand(), cmd.completionCommand(),
		},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usageError{unknownCommand(c.Args().First())}
			}
			_ = cli.ShowAppHelp(c)
			return errHelpShown
		},
	}
	for _, c := range app.Commands {
		c.OnUsageError = flagMistake
		c.HideHelpCommand = true // scan help would be the package help
	}
	return app
}

func runCommand(args []string, sources fs.FS, configFile string) int {
	cmd := &commands{stdout: os.Stdout, stderr: os.Stderr, sources: sources, configFile: configFile}
	err := cmd.app().Run(args)
	var usage usageError
	var exit cli.ExitCoder
	switch {
	case err == nil:
		return exitOK
	case err == errHelpShown:
		return exitUsage
	case errors.As(err, &exit): // help for what is no command
		fmt.Fprintf(os.Stderr, "scavenger-wrap: %v\n", unknownCommand(args[len(args)-1]))
		return exitUsage
	case errors.As(err, &usage):
		fmt.Fprintf(os.Stderr, "scavenger-wrap: %v; see scavenger-wrap%s --help\n", err, commandIn(args))
		return exitUsage
	}
	fmt.Fprintf(os.Stderr, "scavenger-wrap: %v\n", err)
	return exitFail
}

// commandIn returns the command on a command line with a blank in front, "" if
// there is none.
func commandIn(args []string) string {
	for _, arg := range args[1:] {
		if isCommand(arg) && !strings.HasPrefix(arg, "-") && arg != "help" {
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

// buildSource is where a build in the working directory looks for settings and
// for the main module, of which GOFLAGS may say something.
func (cmd *commands) buildSource() (config.Source, error) {
	dir, err := os.Getwd()
	call := new(goCall)
	if goflags, err := goflagsIn("go", dir); err == nil { // otherwise the go command says it
		call.addGOFLAGS(goflags)
	}
	return config.Source{Dir: dir, File: cmd.configFile, Lookup: os.LookupEnv, ModFile: call.module["modfile"], Overlay: call.module["overlay"]}, err
}

// oneOf checks a flag that takes one of a few words.
func oneOf(c *cli.Context, flag string, words ...string) (string, error) {
	value := c.String(flag)
	if !slices.Contains(words, value) {
		return "", usageError{fmt.Errorf("%s: unknown %s %q: want %s", c.Command.Name, flag, value, strings.Join(words, " or "))}
	}
	return value, nil
}

// version is the version of the module that this binary was built from.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

func (cmd *commands) versionCommand() *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print the version",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "as JSON, with what it was built from"}},
		Action: func(c *cli.Context) error {
			if err := arguments(c, 0, "no arguments"); err != nil {
				return err
			}
			if !c.Bool("json") {
				_, err := fmt.Fprintf(cmd.stdout, "scavenger-wrap %s\n", version())
				return err
			}
			v := struct {
				Version  string `json:"version"`
				Go       string `json:"go"`
				Platform string `json:"platform"`
				Revision string `json:"revision,omitempty"`
				Modified bool   `json:"modified,omitempty"`
			}{Version: version(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					switch s.Key {
					case "vcs.revision":
						v.Revision = s.Value
					case "vcs.modified":
						v.Modified = s.Value == "true"
					}
				}
			}
			return json.NewEncoder(cmd.stdout).Encode(v)
		},
	}
}

func (cmd *commands) reportCommand() *cli.Command {
	return &cli.Command{
		Name:      "report",
		Usage:     "show which functions were called, and which were not",
		ArgsUsage: "DIR",
		Description: "DIR is the SCAVENGER_DATA_DIR that programs wrote to. What any number of\n" +
			"processes, of one program or several, left there is joined.\n\n" +
			"Exit status 1: there is nothing to report, or a data file is damaged; it is\n" +
			"named, and the others are reported.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Value: "text", Usage: "text or json"},
		},
		Action: func(c *cli.Context) error { return runReport(c, cmd.stdout, cmd.stderr) },
	}
}

// runReport prints what the data files in a directory say. Damaged files are
// named first, so that they stand out from a long report.
func runReport(c *cli.Context, stdout, stderr io.Writer) error {
	if err := arguments(c, 1, "one directory"); err != nil {
		return err
	}
	if c.NArg() != 1 {
		return usageError{errors.New("report: name the directory that SCAVENGER_DATA_DIR named")}
	}
	format, err := oneOf(c, "format", "text", "json")
	if err != nil {
		return err
	}
	write := (*report.Report).WriteText
	if format == "json" {
		write = (*report.Report).WriteJSON
	}
	r, err := report.Read(c.Args().First())
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	for _, p := range r.Problems {
		fmt.Fprintf(stderr, "scavenger-wrap: report: %v\n", p)
	}
	if err := write(r, stdout); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if n := len(r.Problems); n > 0 {
		return fmt.Errorf("report: %d damaged data files: functions may have been called that are reported as never called", n)
	}
	return nil
}

func (cmd *commands) completionCommand() *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print a script that completes commands and flags in a shell",
		ArgsUsage: "bash|zsh|fish",
		BashComplete: func(c *cli.Context) {
			if !c.Args().Present() {
				fmt.Fprintln(cmd.stdout, "bash\nzsh\nfish")
			}
		},
		Description: "For bash, in ~/.bashrc:\n\n   source <(scavenger-wrap completion bash)\n\n" +
			"For zsh, in ~/.zshrc, below compinit:\n\n   source <(scavenger-wrap completion zsh)\n\n" +
			"For fish:\n\n   scavenger-wrap completion fish >~/.config/fish/completions/scavenger-wrap.fish",
		Action: func(c *cli.Context) error {
			if err := arguments(c, 1, "one shell"); err != nil {
				return err
			}
			script := ""
			switch c.Args().First() {
			case "bash":
				script = bashCompletion
			case "zsh":
				script = "autoload -Uz bashcompinit && bashcompinit\n" + bashCompletion
			case "fish":
				var err error
				if script, err = c.App.ToFishCompletion(); err != nil {
					return err
				}
			default:
				return usageError{errors.New("completion: name the shell: bash, zsh or fish")}
			}
			_, err := io.WriteString(cmd.stdout, script)
			return err
		},
	}
}

// bashCompletion asks the program itself, up to the word that is typed.
const bashCompletion = `_scavenger_wrap() {
	local cur="${COMP_WORDS[COMP_CWORD]}" words=("${COMP_WORDS[@]:0:COMP_CWORD}")
	[[ "$cur" == -* ]] && words+=("${cur/#--/-}")
	COMPREPLY=($(compgen -W "$("${words[@]}" --generate-bash-completion 2>/dev/null)" -- "$cur"))
}
complete -o default -F _scavenger_wrap scavenger-wrap
`
