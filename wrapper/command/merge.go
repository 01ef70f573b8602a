// scavenger-wrap merge: the data files of several directories in one.

package command

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

func (cmd *commands) mergeCommand() *cli.Command {
	return &cli.Command{
		Name:      "merge",
		Usage:     "join the local files of several directories, or machines, in one",
		ArgsUsage: "DIR...",
		Description: "Each DIR is a SCAVENGER_DATA_DIR, or a copy of one, from any machine. What is in\n" +
			"them is written to a new directory, in one file for each build, application,\n" +
			"version, environment, host and user. The others stay as they are, except that what\n" +
			"processes that were killed on this machine had not written there yet is written\n" +
			"there first.\n\n" +
			"Exit status 1: nothing was merged, or not all.\n" +
			"Exit status 3: all was merged that makes sense; what does not is named, and the\n" +
			"report on the result will say that it is missing.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "the new `DIRECTORY`; it must be empty, or not exist"},
		},
		Action: func(c *cli.Context) error { return runMerge(c, cmd.stdout, cmd.stderr) },
	}
}

func runMerge(c *cli.Context, stdout, stderr io.Writer) error {
	if err := arguments(c, -1, ""); err != nil {
		return err
	}
	out, dirs := c.String("output"), c.Args().Slice()
	if out == "" || len(dirs) == 0 || slices.Contains(dirs, "") {
		return usageError{errors.New("merge: name a new directory, and those to merge: scavenger-wrap merge -o NEW DIR DIR")}
	}
	m, err := report.Merge(out, dirs)
	if err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	writeProblems(stderr, "merge", m.Problems)
	fmt.Fprintf(stdout, "%s became %d, of %s, in %q\n", counted(m.Read, "hits file"), m.Written, counted(m.Codebases, "build"), out)
	if len(m.Problems) > 0 {
		return incompleteError{errors.New("merge: the result is incomplete: functions may have been called that nobody knows of")}
	}
	return nil
}
