// scavenger-wrap goflags.

package command

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

func (cmd *commands) goflagsCommand() *cli.Command {
	return &cli.Command{
		Name:  "goflags",
		Usage: "print a GOFLAGS value for this very scavenger-wrap, quoted as the go command wants it",
		Description: "For every go command of a shell, a Dockerfile or a CI job:\n\n" +
			"   export GOFLAGS=\"$(scavenger-wrap goflags)\"\n\n" +
			"What GOFLAGS already has stays, but for another -toolexec. With --config the\n" +
			"value names the settings file too.",
		Action: func(c *cli.Context) error {
			if err := arguments(c, 0, "no arguments"); err != nil {
				return err
			}
			exe, err := os.Executable()
			if err != nil {
				return fmt.Errorf("goflags: %w", err)
			}
			file := cmd.configFile
			if file != "" {
				if file, err = filepath.Abs(file); err != nil {
					return fmt.Errorf("goflags: %w", err)
				}
				if _, err := os.Stat(file); err != nil {
					return fmt.Errorf("goflags: --config: %w", err)
				}
			}
			value, err := goflags(os.Getenv("GOFLAGS"), exe, file)
			if err != nil {
				return fmt.Errorf("goflags: %w", err)
			}
			_, err = fmt.Fprintln(unescaped(cmd.stdout), value) // a shell reads it
			return err
		},
	}
}

// goflags returns a GOFLAGS value with the flags of another and our -toolexec.
// The go command splits GOFLAGS into flags and then the value of -toolexec into
// words, both at blanks outside of quotes, and there is no way to write a quote
// inside of the same quotes.
func goflags(have, exe, configFile string) (string, error) {
	flags, err := toolchain.SplitQuoted(have)
	if err != nil {
		return "", fmt.Errorf("GOFLAGS=%s: %w", have, err)
	}
	words := []string{exe}
	if configFile != "" {
		words = append(words, "-config="+configFile)
	}
	var kept []string
	for _, f := range flags {
		if !strings.HasPrefix(toolchain.OneDash(f), "-toolexec=") {
			kept = append(kept, f)
		}
	}
	toolexec := toolchain.JoinQuoted(words)
	value := toolchain.JoinQuoted(append(kept, "-toolexec="+toolexec))
	outer, err := toolchain.SplitQuoted(value)
	if err == nil && len(outer) == len(kept)+1 {
		inner, err := toolchain.SplitQuoted(strings.TrimPrefix(outer[len(kept)], "-toolexec="))
		if err == nil && strings.Join(inner, "\x00") == strings.Join(words, "\x00") {
			return value, nil
		}
	}
	return "", errors.New("the path of scavenger-wrap has blanks and quotes, which GOFLAGS has no way to write: move it")
}
