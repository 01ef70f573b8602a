// scavenger-wrap report: what the data files in a directory say.

package command

import (
	"errors"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

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
		fmt.Fprintf(stderr, "scavenger-wrap: report: %s\n", Indented(p.Error(), 2))
	}
	if err := write(r, stdout); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if n := len(r.Problems); n > 0 {
		return fmt.Errorf("report: %d damaged data files: functions may have been called that are reported as never called", n)
	}
	return nil
}
