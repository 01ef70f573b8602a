// The command line for people.

package wrapper

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// isCommand reports whether the first argument is for us rather than the name
// of a tool.
func isCommand(arg string) bool {
	if strings.HasPrefix(arg, "-") {
		return true
	}
	switch arg {
	case "report", "version", "help", "h":
		return true
	}
	return false
}

const description = `As the -toolexec of the go command, scavenger-wrap marks the functions of a
program, which then reports which of them were called:

   go build -toolexec=scavenger-wrap ./cmd/app
   SCAVENGER_DATA_DIR=data ./app
   scavenger-wrap report data

With serverUrl and apiKey set, the program reports to a Scavenger collector.

Settings stand in scavenger.toml at the root of the module:

   packages        = ["example.com/shop"]      # default: the main module
   excludePackages = ["example.com/shop/gen"]
   apiKey          = "…"
   serverUrl       = "https://scavenger.example.com"
   appName         = "shop"                    # default: the program's name
   environment     = "production"
   dataDir         = "/var/lib/shop/scavenger"

or in variables: SCAVENGER_PACKAGES, SCAVENGER_EXCLUDE_PACKAGES when building;
SCAVENGER_API_KEY, SCAVENGER_SERVER_URL, SCAVENGER_APP_NAME,
SCAVENGER_ENVIRONMENT, SCAVENGER_DATA_DIR when the program runs.

Exit status: 0 success, 1 failure, 2 wrong usage; under -toolexec that of the
wrapped tool.`

func newApp(stdout, stderr io.Writer) *cli.App {
	return &cli.App{
		Name:            "scavenger-wrap",
		Usage:           "find the functions of a Go program that nobody calls",
		UsageText:       "go build -toolexec=scavenger-wrap [packages]\nscavenger-wrap command [arguments]",
		Description:     description,
		Version:         version(),
		HideHelpCommand: true,
		Writer:          stdout,
		ErrWriter:       stderr,
		ExitErrHandler:  func(*cli.Context, error) {}, // the status is Main's to return
		OnUsageError:    func(_ *cli.Context, err error, _ bool) error { return usageError{err} },
		Commands: []*cli.Command{
			{
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
				Action:       func(c *cli.Context) error { return runReport(c, stdout, stderr) },
				OnUsageError: func(_ *cli.Context, err error, _ bool) error { return usageError{err} },
			},
			{
				Name:  "version",
				Usage: "print the version",
				Action: func(c *cli.Context) error {
					_, err := fmt.Fprintf(stdout, "scavenger-wrap %s\n", version())
					return err
				},
			},
		},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usageError{fmt.Errorf("unknown command %q", c.Args().First())}
			}
			_ = cli.ShowAppHelp(c)
			return errHelpShown
		},
	}
}

// A usageError is a mistake on the command line.
type usageError struct{ error }

// errHelpShown: nothing was asked for, so help was given.
var errHelpShown = errors.New("help shown")

func runCommand(args []string) int {
	err := newApp(os.Stdout, os.Stderr).Run(args)
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case err == errHelpShown:
		return exitUsage
	case errors.As(err, &usage):
		fmt.Fprintf(os.Stderr, "scavenger-wrap: %v; see scavenger-wrap --help\n", err)
		return exitUsage
	}
	fmt.Fprintf(os.Stderr, "scavenger-wrap: %v\n", err)
	return exitFail
}

// version is the version of the module that this binary was built from.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// runReport prints what the data files in a directory say. Damaged files are
// named first, so that they stand out from a long report.
func runReport(c *cli.Context, stdout, stderr io.Writer) error {
	if c.NArg() != 1 {
		return usageError{errors.New("report: name the directory that SCAVENGER_DATA_DIR named")}
	}
	var write func(*report.Report, io.Writer) error
	switch format := c.String("format"); format {
	case "text":
		write = (*report.Report).WriteText
	case "json":
		write = (*report.Report).WriteJSON
	default:
		return usageError{fmt.Errorf("report: unknown format %q: want text or json", format)}
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
