// scavenger-wrap sdk: a GOROOT for builders that start compile and link themselves, as
// rules_go does for Bazel. It is a tree of links to another GOROOT, with scavenger-wrap in
// the place of the two tools. All that they need is beside them, as such a builder hashes
// the directory of tools, and gives it to actions that see nothing else of the machine.

package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/action"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/link"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

func (cmd *commands) sdkCommand() *cli.Command {
	return &cli.Command{
		Name:      "sdk",
		Usage:     "make a GOROOT whose compile and link mark, for Bazel's rules_go",
		ArgsUsage: "DIR",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "goroot", Usage: "the GOROOT to make it of, in place of that of the go on PATH: `DIR`"},
			&cli.BoolFlag{Name: "race", Usage: "keep hitrt ready for builds with the race detector too"},
		},
		Description: "Makes DIR of links to a GOROOT, with scavenger-wrap in place of compile and\n" +
			"link, a copy of the settings file, and hitrt compiled. Bazel builds with it, with\n" +
			"go_sdk.host() in MODULE.bazel:\n\n" +
			"   scavenger-wrap sdk DIR\n" +
			"   bazel build --repo_env=GOROOT=DIR //cmd/app\n\n" +
			"There is no go.mod where actions run, so the settings must name packages. After a\n" +
			"change of the settings, or with a new Go or scavenger-wrap, it is made again.\n\n" +
			"Exit status 1: DIR is there already, and is no SDK of scavenger-wrap.",
		Action: func(c *cli.Context) error {
			if err := arguments(c, 1, "one directory"); err != nil {
				return err
			}
			if c.NArg() != 1 {
				return usageError{errors.New("sdk: name the directory to make: scavenger-wrap sdk DIR")}
			}
			s, err := cmd.newSDK(c.Args().First(), c.String("goroot"))
			if err == nil {
				err = s.install(c.Bool("race"))
			}
			if err != nil {
				return fmt.Errorf("sdk: %w", err)
			}
			fmt.Fprintf(cmd.stdout, "%s marks what it builds, with %s: bazel build --repo_env=GOROOT=%s\n", indented(s.dir, 2), s.release, s.dir)
			return nil
		},
	}
}

// An sdk is one that is being made.
type sdk struct {
	dir     string // where it is to be
	goFile  string
	goroot  string
	toolDir string // of the GOROOT, from there: pkg/tool/linux_amd64
	release string
	cgo     bool
	config  *config.Config
	sources fs.FS
}

// newSDK finds what the SDK is made of.
func (cmd *commands) newSDK(dir, goroot string) (*sdk, error) {
	s := &sdk{sources: cmd.sources, goFile: "go"}
	var err error
	if s.dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	if goroot != "" {
		s.goFile = filepath.Join(goroot, "bin", goFileName())
	}
	if err := s.askGo(); err != nil {
		return nil, err
	}
	if s.config, err = cmd.buildConfig(); err != nil {
		return nil, err
	}
	return s, checkForSDK(s.config)
}

// askGo asks the go command where its GOROOT is, and what it is.
func (s *sdk) askGo() error {
	env := exec.Command(s.goFile, "env", "GOROOT", "GOTOOLDIR", "GOVERSION", "CGO_ENABLED")
	env.Env = append(os.Environ(), "GOTOOLCHAIN=local")
	out, err := env.Output()
	if err != nil {
		return fmt.Errorf("%s env: %w", s.goFile, toolchain.UnwrapExec(err))
	}
	answers := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(answers) != 4 {
		return fmt.Errorf("%s env: %d answers to 4 questions", s.goFile, len(answers))
	}
	for i := range answers {
		answers[i] = strings.TrimSpace(answers[i])
	}
	s.goroot, s.release, s.cgo = answers[0], answers[2], answers[3] == "1"
	if s.toolDir, err = filepath.Rel(s.goroot, answers[1]); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(answers[1], action.SDKTools)); err == nil {
		return fmt.Errorf("%s is an SDK of scavenger-wrap itself: name the GOROOT that it was made of with --goroot", s.goroot)
	}
	return toolchain.CheckRelease(s.release)
}

// checkForSDK returns an error if settings lack what only go.mod tells.
func checkForSDK(c *config.Config) error {
	if len(c.Packages) > 0 {
		for _, setting := range c.Settings {
			if setting.Key.Name == "packages" && c.File != "" && setting.From != config.Variable("packages") {
				return nil
			}
		}
	}
	module := "example.com/app"
	if len(c.Modules) > 0 {
		module = c.Modules[0].Path
	}
	file := c.File
	if file == "" {
		file = config.FileName
	}
	return fmt.Errorf("the settings file does not say what to mark, and where Bazel compiles there is no go.mod that does: write packages = [%q] into %s", module, file)
}

// install makes the SDK beside its place and puts it there, at once: builds may be using
// the one that is there.
func (s *sdk) install(race bool) error {
	if entries, err := os.ReadDir(s.dir); err == nil && len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(s.dir, s.toolDir, action.SDKTools)); err != nil {
			return fmt.Errorf("%s is there already, and is no SDK of scavenger-wrap: name another directory", s.dir)
		}
	}
	if err := os.MkdirAll(filepath.Dir(s.dir), 0o777); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(s.dir), ".scavenger-wrap-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	made := filepath.Join(tmp, "sdk")
	if err := s.fill(made); err != nil {
		return err
	}
	if err := s.keepHitrt(made, filepath.Join(tmp, "hitrt"), race); err != nil {
		return err
	}
	if _, err := os.Lstat(s.dir); err == nil {
		if err := os.Rename(s.dir, filepath.Join(tmp, "old")); err != nil {
			return err
		}
	}
	return os.Rename(made, s.dir)
}

// fill makes the tree in dir.
func (s *sdk) fill(dir string) error {
	// Everything beside the path to the tools is a link.
	at := ""
	for _, elem := range append(strings.Split(filepath.ToSlash(s.toolDir), "/"), "") {
		if err := os.MkdirAll(filepath.Join(dir, at), 0o777); err != nil {
			return err
		}
		except := []string{elem}
		if elem == "" {
			except = []string{"compile", "link", "compile.exe", "link.exe"}
		}
		if err := linkEntries(filepath.Join(dir, at), filepath.Join(s.goroot, at), except); err != nil {
			return err
		}
		at = filepath.Join(at, elem)
	}
	return s.replaceTools(filepath.Join(dir, s.toolDir))
}

// linkEntries makes links in dir to what is in from.
func linkEntries(dir, from string, except []string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if slices.Contains(except, e.Name()) {
			continue
		}
		if err := os.Symlink(filepath.Join(from, e.Name()), filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// replaceTools puts us in the place of compile and link, with what we need.
func (s *sdk) replaceTools(dir string) error {
	exe, err := ourFile()
	if err != nil {
		return err
	}
	ours := "scavenger-wrap" + filepath.Ext(goFileName())
	if err := copyProgram(filepath.Join(dir, ours), exe); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, action.SDKTools), 0o777); err != nil {
		return err
	}
	for _, tool := range []string{"compile", "link"} {
		tool += filepath.Ext(goFileName())
		if err := os.Symlink(filepath.Join(s.goroot, s.toolDir, tool), filepath.Join(dir, action.SDKTools, tool)); err != nil {
			return err
		}
		if err := os.Symlink(ours, filepath.Join(dir, tool)); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(s.config.File)
	if err != nil {
		return err
	}
	name := config.FileName
	if filepath.Ext(s.config.File) != ".toml" {
		name = config.PropertiesName
	}
	if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
		return err
	}
	return s.writeModules(dir)
}

// writeModules writes a workspace of the main modules. It tells where their files are, by
// which the report names them. Without modules it keeps actions from looking further up.
func (s *sdk) writeModules(dir string) error {
	work := "go 1.24\n"
	for _, m := range s.config.Modules {
		work += fmt.Sprintf("\nuse %q\n", "./"+m.Rel)
		file := filepath.Join(dir, filepath.FromSlash(m.Rel), "go.mod")
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(file, fmt.Appendf(nil, "module %s\n", m.Path), 0o666); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "go.work"), []byte(work), 0o666)
}

// keepHitrt compiles hitrt for the modes in which builds mostly are. What net exports with
// cgo and without is not the same.
func (s *sdk) keepHitrt(dir, tmp string, race bool) error {
	modes := [][]string{{"CGO_ENABLED=0"}}
	if s.cgo {
		modes = append(modes, []string{"CGO_ENABLED=1"})
	}
	if race {
		modes = append(modes, []string{"CGO_ENABLED=1", "-race"})
	}
	for i, mode := range modes {
		temp := filepath.Join(tmp, fmt.Sprint(i))
		if err := os.MkdirAll(temp, 0o777); err != nil {
			return err
		}
		g := toolchain.GoList{Program: s.goFile, Dir: filepath.Join(s.goroot, "src"), Flags: mode[1:],
			Env: append(os.Environ(), "GOTOOLCHAIN=local", "GOWORK=off", "GOFLAGS=-buildvcs=false", mode[0])}
		tools := filepath.Join(dir, s.toolDir)
		kept := link.SDK{Tools: tools, Link: filepath.Join(tools, action.SDKTools, "link"+filepath.Ext(goFileName())), Temp: temp,
			Sources: s.sources, Flags: mode[1:], Config: s.config, Archives: func(importPaths ...string) (map[string]string, error) {
				return archivesOf(g, importPaths)
			}}
		if err := kept.KeepHitrt(); err != nil {
			return fmt.Errorf("compiling hitrt with %s: %w", strings.Join(mode, " "), err)
		}
	}
	return nil
}

// archivesOf returns the archives of packages and of all that they import.
func archivesOf(g toolchain.GoList, importPaths []string) (map[string]string, error) {
	listed, err := g.Packages(context.Background(), "ImportPath,Export", []string{"-export", "-deps"}, importPaths...)
	archives := map[string]string{}
	for _, p := range listed {
		if p.Export != "" {
			archives[p.ImportPath] = p.Export
		}
	}
	return archives, err
}
