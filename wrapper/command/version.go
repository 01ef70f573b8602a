// scavenger-wrap version.

package command

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolid"
)

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
				return cmd.printVersion()
			}
			build, err := toolid.BuildName(cmd.sources)
			if err != nil {
				return fmt.Errorf("version: %w", err)
			}
			v := struct {
				Version  string `json:"version"`
				Build    string `json:"build"` // which doctor compares with that of a program
				Go       string `json:"go"`
				Platform string `json:"platform"`
				Revision string `json:"revision,omitempty"`
				Modified bool   `json:"modified,omitempty"`
			}{Version: toolid.Version(), Build: build, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
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

// printVersion prints the version as doctor does.
func (cmd *commands) printVersion() error {
	build, err := toolid.BuildName(cmd.sources)
	if err != nil {
		return fmt.Errorf("version: %w", err)
	}
	_, err = fmt.Fprintf(cmd.stdout, "scavenger-wrap %s\n", build)
	return err
}
