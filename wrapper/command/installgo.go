// scavenger-wrap install-go: a link with which scavenger-wrap is what tools take for the
// go command. Many build only with the go that they are told, and refuse -toolexec.

package command

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/action"
)

// IsGo reports whether scavenger-wrap was started by the name go, to be the go command.
// args are those of the process. A tool's path behind the name means that the go command
// has started us as its -toolexec: where there are no links, a copy with the name go is
// also that.
func IsGo(args []string) bool {
	if len(args) == 0 || strings.TrimSuffix(strings.ToLower(filepath.Base(args[0])), ".exe") != "go" {
		return false
	}
	rest, _, err := action.ParseFlags(args)
	return err != nil || len(rest) < 2 || !filepath.IsAbs(rest[1])
}

// goFileName is the name of the go command's file.
func goFileName() string {
	if runtime.GOOS == "windows" {
		return "go.exe"
	}
	return "go"
}

func (cmd *commands) installGoCommand() *cli.Command {
	return &cli.Command{
		Name:      "install-go",
		Usage:     "make a go command that marks what it builds, for tools that are told which go to start",
		ArgsUsage: "DIR",
		Description: "Makes a link DIR/go to this scavenger-wrap. Started by this name it is\n" +
			"scavenger-wrap go: it runs the next go on PATH, with marks. For example\n\n" +
			"   KO_GO_PATH=DIR/go ko build ./cmd/app\n" +
			"   MAGEFILE_GOCMD=DIR/go mage build\n" +
			"   PATH=DIR:$PATH make\n\n" +
			"and in .goreleaser.yaml tool: DIR/go. Where links are not allowed it is a copy,\n" +
			"which is to be made again with a new scavenger-wrap.\n\n" +
			"Exit status 1: another go is in DIR.",
		Action: func(c *cli.Context) error {
			if err := arguments(c, 1, "one directory"); err != nil {
				return err
			}
			if c.NArg() != 1 {
				return usageError{errors.New("install-go: name the directory for the link: scavenger-wrap install-go DIR")}
			}
			file, err := installGo(c.Args().First())
			if err != nil {
				return fmt.Errorf("install-go: %w", err)
			}
			fmt.Fprintf(cmd.stdout, "%s marks what it builds: name it where a tool asks for the go command, or put its directory first in PATH\n", indented(file, 2))
			return nil
		},
	}
}

// installGo makes the link in dir, and returns its path. The link takes the place of a
// link or copy of some scavenger-wrap, at once, as builds may be starting it.
func installGo(dir string) (string, error) {
	exe, err := ourFile()
	if err != nil {
		return "", err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", err
	}
	file := filepath.Join(dir, goFileName())
	if file == exe {
		return file, nil // it is a copy that was started by this name
	}
	if err := checkReplaceable(file); err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(dir, ".scavenger-wrap-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	made := filepath.Join(tmp, goFileName())
	if os.Symlink(exe, made) != nil {
		if err := copyProgram(made, exe); err != nil {
			return "", err
		}
	}
	return file, os.Rename(made, file)
}

// checkReplaceable returns an error if file is there and no scavenger-wrap.
func checkReplaceable(file string) error {
	info, err := os.Lstat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if mainPackage(file) == modulePath {
		return nil
	}
	if _, err := os.Stat(file); err != nil && info.Mode()&os.ModeSymlink != 0 {
		if target, err := os.Readlink(file); err == nil && strings.HasPrefix(filepath.Base(target), "scavenger-wrap") {
			return nil // the scavenger-wrap that it was made for is gone
		}
	}
	return fmt.Errorf("%s is there already, and is not scavenger-wrap: name another directory", file)
}

func copyProgram(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o777)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// ourFile returns the executable of this process, which may have been started by a link
// that is called go.
func ourFile() (string, error) {
	exe, err := os.Executable()
	if err != nil || !IsGo([]string{exe}) {
		return exe, err
	}
	return filepath.EvalSymlinks(exe)
}
