// scavenger-wrap report: what the data files in a directory say.

package command

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

func (cmd *commands) reportCommand() *cli.Command {
	return &cli.Command{
		Name:      "report",
		Usage:     "show which functions were called, and which were not",
		ArgsUsage: "[DIR...]",
		Description: "Each DIR is a SCAVENGER_DATA_DIR that programs wrote to, or a copy of one, or has\n" +
			"some below it, as hosts has in hosts/*/data. \"-\" is an archive of some, from tar,\n" +
			"in standard input. What any number of processes, of one program or several, left\n" +
			"there is joined; what is there twice counts once. What processes that were killed\n" +
			"on this machine had not written there yet is written there first. Without DIR it\n" +
			"is SCAVENGER_DATA_DIR, or dataDir of the settings here.\n\n" +
			"The text is short: what to delete first. --all lists every function.\n\n" +
			"A function is called, never called, not observable, or unknown: its time is\n" +
			"damaged, or all processes of its build may have lost all that they called. A call\n" +
			"in any environment counts; --environment reports on one alone.\n\n" +
			"html is one file for a browser, with the source of the working directory's module.\n" +
			"docs/report.md says what each format has, and how CI uses it.\n\n" +
			"Exit status:\n" +
			"   0  the report is written, and complete\n" +
			"   1  there is nothing to report, or it cannot be written\n" +
			"   2  the command line is wrong\n" +
			"   3  the report is written, but rests on incomplete data: files that are\n" +
			"      damaged, unreadable or without their list of functions, or processes that\n" +
			"      were killed and of whose last calls some may be missing; each is named\n" +
			"   4  the report is written and complete, and has what --fail-on names",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "format", Value: "text", Usage: strings.Join(formatNames(), ", ")},
			&cli.BoolFlag{Name: "all", Usage: "list every function in the text, not only the largest parts, as file:line: message"},
			&cli.StringSliceFlag{Name: "environment", Usage: "report on processes of the environment `NAME` only; may be repeated, as the next two"},
			&cli.StringSliceFlag{Name: "application", Usage: "on those of the application `NAME`"},
			&cli.StringSliceFlag{Name: "host", Usage: "on those that ran on the host `NAME`"},
			keepFlag(),
		}, slices.Concat(pageFlags(), selectionFlags(), questionFlags())...),
		Action: func(c *cli.Context) error { return cmd.runReport(c, cmd.stdout, cmd.stderr) },
	}
}

// runReport prints what the data files in a directory say. What they lack is named first,
// so that it stands out from a long report.
func (cmd *commands) runReport(c *cli.Context, stdout, stderr io.Writer) error {
	if err := arguments(c, -1, ""); err != nil {
		return err
	}
	dirs := c.Args().Slice()
	if len(dirs) == 0 {
		dir, err := cmd.settingsDataDir()
		if err != nil {
			return fmt.Errorf("report: %w", err)
		}
		dirs = []string{dir}
	}
	if slices.Contains(dirs, "") {
		return fmt.Errorf("report: %w", errNoDir)
	}
	format, err := oneOf(c, "format", formatNames()...)
	if err != nil {
		return err
	}
	selection, err := selectionOf(c)
	if err != nil {
		return err
	}
	questions, err := readQuestions(c)
	if err != nil {
		return err
	}
	r, err := readInputs(dirs, report.Filter{
		Environments: c.StringSlice("environment"), Applications: c.StringSlice("application"), Hosts: c.StringSlice("host"),
	})
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if err := questions.ask(r, "report", stderr); err != nil {
		return err
	}
	if err := selectFunctions(r, selection, stderr); err != nil {
		return err
	}
	if err := questions.compare(r, "report", stderr); err != nil {
		return err
	}
	writeProblems(stderr, "report", r.Problems)
	note := ""
	err = writeTo(c.String("output"), stdout, func(w io.Writer) (err error) {
		note, err = writeFormat(format, w, r, formatOptions{all: c.Bool("all"), source: c.String("source")})
		return err
	})
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if note != "" {
		fmt.Fprintf(stderr, "scavenger-wrap: report: %s\n", note)
	}
	if !r.Complete() {
		return incompleteError{errors.New("report: it rests on incomplete data: functions may have been called that are reported as never called")}
	}
	return questions.fail(r)
}

// readInputs reads what arguments name: directories, or "-" for an archive in standard input.
func readInputs(args []string, filter report.Filter) (*report.Report, error) {
	in, err := report.Open(args, os.Stdin)
	if err != nil {
		return nil, err
	}
	r, err := in.Read(filter)
	if closeErr := in.Close(); err == nil {
		err = closeErr
	}
	return r, err
}

// writeProblems names what files lack.
func writeProblems(w io.Writer, command string, problems []report.Problem) {
	for _, p := range problems {
		fmt.Fprintf(w, "scavenger-wrap: %s: %s\n", command, indented(p.Error(), 2))
	}
}
