// scavenger-wrap go: the front-end, which is the go command with marks.
//
//	scavenger-wrap go build ./cmd/app
//
// runs go build with our -toolexec, and with a front-end compile's tool ID stays as it
// is. So the build finds every package of plain builds in the cache. Marked packages
// differ from plain ones by a flag of compile, the ID flag. The go command passes it to
// main programs and to the packages that may match, and we remove it before compile runs.
// Its value is what the tool ID contains in other builds.
//
// It does no harm if a package has the ID flag without need: the package is compiled as
// it is. But a package that should have it and does not would have no marks. So it is an
// error if a matching package has no ID flag.

package command

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/action"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/evidence"
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
			exe, err := ourFile()
			if err != nil {
				return fmt.Errorf("go: %w", err)
			}
			goFile, err := findGo(exe)
			if err != nil {
				return fmt.Errorf("go: %w", err)
			}
			if name := ourFlag(c.Args().Slice()); name != "" && !IsGo(os.Args) {
				return misplaced(name, "go")
			}
			args, err := cmd.frontend(goFile, exe, c.Args().Slice())
			if err != nil {
				return fmt.Errorf("go: %w", err)
			}
			return action.ReplaceProcess(goFile, args)
		},
	}
}

// ourFlag returns the name of a flag of ours among the arguments of the go command, which
// would answer with its whole usage. Those of a test binary are its own.
func ourFlag(args []string) string {
	isOurs := func(f toolchain.GoFlag) bool { return f.Name == "config" || f.Name == "log-level" }
	if len(args) > 0 && strings.HasPrefix(args[0], "-") {
		if f := toolchain.ParseFlag(args[0]); isOurs(f) {
			return f.Name
		}
	}
	call, err := toolchain.ParseGoCommand(args)
	if err != nil || !commandHasFlags(call.Name) {
		return ""
	}
	if i := slices.IndexFunc(call.Flags, isOurs); i >= 0 {
		return call.Flags[i].Name
	}
	return ""
}

// commandHasFlags reports whether a go command knows all of its flags.
func commandHasFlags(name string) bool {
	return slices.Contains([]string{"build", "install", "run", "vet", "list"}, name)
}

// frontend returns the arguments of the go command with ours among them.
// exe is our own file.
func (cmd *commands) frontend(goFile, exe string, args []string) ([]string, error) {
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
	if compiler, _ := call.Value("compiler"); compiler == "gccgo" {
		return nil, action.ErrGccgo
	}
	gcflags := call.Values("gcflags")
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
	values, err := cmd.idFlags(cfg, cache, gcflags)
	if err != nil {
		return nil, err
	}
	toolexec := slices.Concat([]string{calledCompile(exe, cache), action.FrontendFlag(gcflags)},
		action.ModuleFlags(modFile, overlay), ours)
	return call.With(toolchain.JoinQuoted(toolexec), values), nil
}

// idFlags returns values of -gcflags that add the ID flag. A package in which functions are
// presumed has one of its own, so that other evidence compiles only packages again whose
// marks are others. If the user gives a -gcflags, nobody but the go command knows which
// packages it is for: then all have one that depends on all evidence. So they have if the
// command line would be too long.
func (cmd *commands) idFlags(cfg *config.Config, cache string, gcflags []string) ([]string, error) {
	digest, err := evidence.Read(cfg, evidence.Places{Cache: cache}, ReadCalls)
	if err != nil {
		return nil, err
	}
	base, err := toolid.Of("compile", cmd.sources, cfg, nil)
	if err != nil {
		return nil, err
	}
	own, size := []string(nil), 0
	hashes := digest.Packages()
	for _, path := range slices.Sorted(maps.Keys(hashes)) {
		value := path + "=" + action.IDFlag + base + "-" + hashes[path]
		own, size = append(own, value), size+len("-gcflags= ")+len(value)
	}
	if len(gcflags) == 0 && size < longestFlags() {
		return append(withIDFlags(nil, idPatterns(cfg), action.IDFlag+base), own...), nil
	}
	id, err := toolid.Of("compile", cmd.sources, cfg, digest)
	return withIDFlags(gcflags, idPatterns(cfg), action.IDFlag+id), err
}

// longestFlags returns how long the ID flags of single packages may be together: a part of
// what the system takes.
func longestFlags() int {
	if runtime.GOOS == "windows" {
		return 16 << 10
	}
	return 512 << 10
}

// readGoEnv returns the go command's build cache and the flags in its GOFLAGS. It returns
// an error if the release of the go command is too old.
func readGoEnv(goFile, dir string) (cache string, goflags []string, err error) {
	goEnv := exec.Command(goFile, "env", "GOVERSION", "GOCACHE", "GOFLAGS")
	goEnv.Dir, goEnv.Stderr = dir, os.Stderr
	out, err := goEnv.Output() // it reads the env file too
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

// ourToolexec returns our flags for the toolexec value. If the user's -toolexec already
// starts this scavenger-wrap, they are the flags that it has there. If it starts another
// program, that program comes next.
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

// calledCompile returns a link to exe with the name compile, or exe itself if there can
// be no link. The go command gives a program of that name response files (responsefile.go
// in toolchain). Without them, #cgo LDFLAGS may be longer than an argument can be.
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

// idPatterns returns patterns of the go command. Each package that is to be marked
// matches one of them, and some other packages may match too.
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

// withIDFlags returns values of -gcflags that add the ID flag to the packages of the
// patterns and to those that the command line names. Each of these packages keeps the
// flags that it has anyway. If several values match a package, the last one counts.
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
