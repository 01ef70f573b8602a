// scavenger-wrap go: the go command with marks.
//
//	scavenger-wrap go build ./cmd/app
//
// runs go build with our -toolexec. Unlike a go command that is given only that,
// it leaves compile's tool ID alone, and so finds every package of plain builds
// in the cache. What tells marked packages from plain ones is a flag of compile,
// the ID flag, that the go command passes on to the packages that may match
// and to main programs, and that is taken off before compile is run. It holds
// what otherwise is in the tool ID.
//
// An ID flag too many does no harm: the package is compiled as it is. One too
// few would leave out marks, so a matching package without it is an error.

package command

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/action"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolid"
)

func (cmd *commands) goCommand() *cli.Command {
	return &cli.Command{
		Name:            "go",
		Usage:           "run the go command with marks: scavenger-wrap go build ./cmd/app",
		ArgsUsage:       "build|install|list|run|test|vet [arguments of the go command]",
		SkipFlagParsing: true,
		Description: "Does what go build -toolexec=scavenger-wrap does, with packages that are not\n" +
			"marked found in the build cache as plain builds have left them. Other go commands\n" +
			"are run as they are.",
		Action: func(c *cli.Context) error {
			goFile, err := exec.LookPath("go")
			if err != nil {
				return fmt.Errorf("go: %w", toolchain.UnwrapExec(err))
			}
			args, err := cmd.frontend(goFile, c.Args().Slice())
			if err != nil {
				return fmt.Errorf("go: %w", err)
			}
			return action.ReplaceProcess(goFile, args)
		},
	}
}

// frontend returns the arguments of the go command with ours among them.
func (cmd *commands) frontend(goFile string, args []string) ([]string, error) {
	call, err := toolchain.ParseGoCommand(args)
	if err != nil { // it does not build, or go says what is wrong
		return args, nil
	}
	dir, err := filepath.Abs(call.Dir)
	if err != nil {
		return nil, err
	}
	cache, goflags, err := readGoEnv(goFile, dir)
	if err != nil {
		return nil, err
	}
	call.SetGOFLAGS(goflags)
	gcflags := call.Values("gcflags")
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ours, err := ourToolexec(call, exe)
	if err != nil {
		return nil, err
	}
	for _, word := range ours {
		if file, ok := strings.CutPrefix(word, "-config="); ok && cmd.configFile == "" {
			cmd.configFile = file
		}
	}
	modFile, overlay := call.Module()
	cfg, err := config.Load(config.Source{Dir: dir, File: cmd.configFile, Lookup: os.LookupEnv, ModFile: modFile, Overlay: overlay})
	if err != nil {
		return nil, err
	}
	if cmd.configFile != "" {
		file, err := filepath.Abs(cmd.configFile)
		if err != nil {
			return nil, err
		}
		ours = append([]string{"-config=" + file}, slices.DeleteFunc(ours, func(w string) bool { return strings.HasPrefix(w, "-config=") })...)
	}
	if cfg.TrackTests {
		// The go command has no way to give a flag to the main program of a test.
		toolexec := slices.Concat([]string{exe}, action.ModuleFlags(modFile, overlay), ours)
		return call.With(toolchain.JoinQuoted(toolexec), gcflags), nil
	}
	id, err := toolid.Of("compile", cmd.sources, cfg)
	if err != nil {
		return nil, err
	}
	toolexec := slices.Concat([]string{calledCompile(exe, cache), action.FrontendFlag(gcflags)},
		action.ModuleFlags(modFile, overlay), ours)
	return call.With(toolchain.JoinQuoted(toolexec), withIDFlags(gcflags, idPatterns(cfg), action.IDFlag+id)), nil
}

// readGoEnv returns the build cache and the flags in GOFLAGS that the go command has,
// and an error if its release is too old.
func readGoEnv(goFile, dir string) (cache string, goflags []string, err error) {
	goEnv := exec.Command(goFile, "env", "GOVERSION", "GOCACHE", "GOFLAGS")
	goEnv.Dir, goEnv.Stderr = dir, os.Stderr
	out, err := goEnv.Output() // with what the env file has
	if err != nil {
		return "", nil, fmt.Errorf("go env GOFLAGS: %w", err)
	}
	goVersion, rest, _ := strings.Cut(string(out), "\n")
	cache, rest, _ = strings.Cut(rest, "\n")
	if err := toolchain.CheckRelease(toolchain.ReleaseOf(strings.Fields(goVersion))); err != nil {
		return "", nil, err
	}
	if goflags, err = toolchain.SplitQuoted(rest); err != nil {
		return "", nil, fmt.Errorf("GOFLAGS: %w", err)
	}
	return strings.TrimSpace(cache), goflags, nil
}

// ourToolexec returns our flags in the toolexec value: those that stand there if
// that is us, otherwise that what stands there comes next.
func ourToolexec(call *toolchain.GoCommand, exe string) ([]string, error) {
	value, _ := call.Value("toolexec")
	words, err := toolchain.SplitQuoted(value)
	if err != nil {
		return nil, fmt.Errorf("-toolexec: %w", err)
	}
	if len(words) == 0 {
		return nil, nil
	}
	if file, err := exec.LookPath(words[0]); err == nil && sameFile(file, exe) {
		return words[1:], nil
	}
	return []string{"-next=" + toolchain.JoinQuoted(words)}, nil
}

// calledCompile returns a link of the name compile to a program, by which the go
// command gives it response files (responsefile.go in toolchain), or the program itself where
// there can be none. #cgo LDFLAGS may be longer than an argument can get.
func calledCompile(exe, cache string) string {
	dir := filepath.Join(cache, "scavenger", fmt.Sprintf("tool-%x", sha256.Sum256([]byte(exe)))[:len("tool-")+16])
	link := filepath.Join(dir, "compile")
	if !filepath.IsAbs(cache) || strings.ContainsAny(link, `'"`) {
		return exe
	}
	if file, err := os.Readlink(link); err == nil && file == exe {
		return link
	}
	if os.MkdirAll(dir, 0o777) != nil || os.Symlink(exe, link) != nil {
		return exe // without links, or a cache that cannot be written
	}
	return link
}

// idPatterns returns patterns of the go command that every package matches
// that is to be marked, and maybe some more.
func idPatterns(c *config.Config) []string {
	var patterns []string
	for _, p := range append(slices.Clip(c.Packages), c.AdditionalPackages...) {
		p = strings.TrimSuffix(p, "/")
		head, _, wild := strings.Cut(p, "...")
		switch {
		case wild:
			patterns = append(patterns, head+"...")
		case strings.Contains(p, "/"):
			patterns = append(patterns, p+"/...")
		default: // maybe with dots for slashes
			first, _, _ := strings.Cut(p, ".")
			patterns = append(patterns, first+"...")
		}
	}
	if len(c.Packages) == 0 {
		for _, m := range c.Modules {
			patterns = append(patterns, m.Path+"/...")
		}
	}
	return patterns
}

// withIDFlags returns values of -gcflags that give the packages of the patterns,
// and those that the command line names, the flags that they have anyway and the
// ID flag. The last value that matches a package is the one that counts.
func withIDFlags(gcflags, patterns []string, flag string) []string {
	var values []string
	for _, p := range patterns {
		values = append(values, p+"="+flag)
	}
	values = append(values, flag)
	for _, v := range gcflags {
		text := strings.TrimSpace(v)
		pattern, flags, ok := strings.Cut(text, "=")
		switch pattern = strings.TrimSpace(pattern); {
		case text == "" || strings.HasPrefix(text, "-"):
			values = append(values, strings.TrimSpace(text+" "+flag))
		case !ok || pattern == "":
			values = append(values, v) // go says what is wrong
		case pattern == "std" || pattern == "cmd":
			values = append(values, v)
		case pattern == "all" || pattern == "...":
			values = append(values, v)
			for _, p := range append(slices.Clip(patterns), "") {
				if p != "" {
					p += "="
				}
				values = append(values, p+strings.TrimSpace(flags+" "+flag))
			}
		default:
			values = append(values, pattern+"="+strings.TrimSpace(flags+" "+flag))
		}
	}
	return values
}
