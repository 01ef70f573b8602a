// scavenger-wrap publish: send what no collector has.

package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/naver/scavenger/scavenger-wrap/hitrt"
)

func (cmd *commands) publishCommand() *cli.Command {
	return &cli.Command{
		Name:      "publish",
		Usage:     "send what programs left in local files to the collector",
		ArgsUsage: "[DIR]",
		Description: "DIR is the SCAVENGER_DATA_DIR of programs that had no collector, or could not\n" +
			"reach it. Calls that no collector has so far go to the one that\n" +
			"SCAVENGER_SERVER_URL and SCAVENGER_API_KEY name (or the settings here), under the\n" +
			"application and environment that the processes had. The files stay, for the\n" +
			"report, and note what was sent. Processes may be running meanwhile, and the\n" +
			"command may be interrupted, and run again, at any time. It needs no Go. Without\n" +
			"DIR it is SCAVENGER_DATA_DIR, or dataDir of the settings here.\n\n" +
			"Exit status 1: something was not sent, or is damaged; it is named, and the rest\n" +
			"is sent.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "all", Usage: "send what was sent before, too: to a new collector, for instance"},
			&cli.BoolFlag{Name: "keep", Usage: "do not note in the files what was sent; it can be sent again, which changes nothing"},
		},
		Action: func(c *cli.Context) error {
			if err := arguments(c, 1, "one directory"); err != nil {
				return err
			}
			dir, err := c.Args().First(), error(nil)
			switch {
			case c.NArg() == 0:
				dir, err = cmd.settingsDataDir()
			case dir == "":
				err = errNoDir
			}
			if err != nil {
				return fmt.Errorf("publish: %w", err)
			}
			return cmd.publish(dir, c.Bool("keep"), c.Bool("all"))
		},
	}
}

func (cmd *commands) publish(dir string, keep, all bool) error {
	cfg, err := cmd.loadConfig()
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	settings, err := json.Marshal(cfg.Run)
	if err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	failed := 0
	hitrt.PublishDir(func(step, outcome, detail, advice string) {
		if outcome == "failed" {
			failed++
		}
		fmt.Fprintf(cmd.stdout, "%-6s  %s: %s\n", outcome, indented(step, 8), indented(detail, 8))
		if advice != "" {
			fmt.Fprintf(cmd.stdout, "%6s  -> %s\n", "", indented(advice, 11))
		}
	}, string(settings), dir, keep, all)
	if failed > 0 {
		return errors.New("publish: not all was sent, or not noted as sent")
	}
	return nil
}
