// scavenger-wrap publish: send what processes without a collector left.

package command

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"
)

func (cmd *commands) publishCommand() *cli.Command {
	return &cli.Command{
		Name:      "publish",
		Usage:     "send what programs left in local files to the collector",
		ArgsUsage: "DIR",
		Description: "DIR is the SCAVENGER_DATA_DIR of programs that had no collector, or could not\n" +
			"reach it. What processes that have ended left there goes to the collector that\n" +
			"SCAVENGER_SERVER_URL and SCAVENGER_API_KEY name (or the settings here), under the\n" +
			"application and environment that they had; then it is removed. Files of processes\n" +
			"that live stay, and so do damaged ones. It may be interrupted, and run again, at\n" +
			"any time. It needs the go command, as doctor does.\n\n" +
			"Exit status 1: something was not sent.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "keep", Usage: "leave the files there; they can be sent again, which changes nothing"},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() > 1 && strings.HasPrefix(c.Args().Get(1), "-") {
				return usageError{errors.New("publish: flags come before the directory: scavenger-wrap publish --keep DIR")}
			}
			if c.NArg() != 1 {
				return usageError{errors.New("publish: name the directory that SCAVENGER_DATA_DIR named")}
			}
			return cmd.publish(c.Args().First(), c.Bool("keep"))
		},
	}
}

func (cmd *commands) publish(dir string, keep bool) error {
	cfg, err := cmd.loadConfig()
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	args := []string{dir}
	if keep {
		args = append(args, "keep")
	}
	failed := 0
	err = cmd.runHitrt("hitrt.PublishDir(os.Stdout, string(settings), os.Args[1], len(os.Args) > 2)", cfg.Run, args,
		func(step, outcome, detail, advice string) {
			if outcome == "failed" {
				failed++
			}
			fmt.Fprintf(cmd.stdout, "%-6s  %s: %s\n", outcome, Indented(step, 8), Indented(detail, 8))
			if advice != "" {
				fmt.Fprintf(cmd.stdout, "%6s  -> %s\n", "", Indented(advice, 11))
			}
		})
	switch {
	case err != nil:
		return fmt.Errorf("publish: %w", err)
	case failed > 0:
		return errors.New("publish: not all was sent")
	}
	return nil
}
