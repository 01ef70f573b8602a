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

package wrapper

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/naver/scavenger/scavenger-wrap/config"
)

const idFlag = "-scavenger="

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
				return fmt.Errorf("go: %w", unwrapExec(err))
			}
			args, err := cmd.frontend(goFile, c.Args().Slice())
			if err != nil {
				return fmt.Errorf("go: %w", err)
			}
			return replaceProcess(goFile, args)
		},
	}
}

// frontend returns the arguments of the go command with ours among them.
func (cmd *commands) frontend(goFile string, args []string) ([]string, error) {
	call, ok := splitGoCall(args)
	if !ok {
		return args, nil
	}
	dir, err := filepath.Abs(call.dir)
	if err != nil {
		return nil, err
	}
	goEnv := exec.Command(goFile, "env", "GOVERSION", "GOCACHE", "GOFLAGS")
	goEnv.Dir, goEnv.Stderr = dir, os.Stderr
	out, err := goEnv.Output() // with what the env file has
	if err != nil {
		return nil, fmt.Errorf("go env GOFLAGS: %w", err)
	}
	goVersion, rest, _ := strings.Cut(string(out), "\n")
	cache, rest, _ := strings.Cut(rest, "\n")
	if err := checkRelease(releaseOf(strings.Fields(goVersion))); err != nil {
		return nil, err
	}
	goflags, err := splitQuoted(rest)
	if err != nil {
		return nil, fmt.Errorf("GOFLAGS: %w", err)
	}
	call.addGOFLAGS(goflags)
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ours, err := call.ourToolexec(exe)
	if err != nil {
		return nil, err
	}
	for _, word := range ours {
		if file, ok := strings.CutPrefix(word, "-config="); ok && cmd.configFile == "" {
			cmd.configFile = file
		}
	}
	cfg, err := config.Load(config.Source{Dir: dir, File: cmd.configFile, Lookup: os.LookupEnv, ModFile: call.module["modfile"], Overlay: call.module["overlay"]})
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
		toolexec := append([]string{exe}, call.moduleWords()...)
		return call.arguments(append(toolexec, ours...), call.gcflags), nil
	}
	id, err := toolID("compile", cmd.sources, cfg)
	if err != nil {
		return nil, err
	}
	toolexec := append([]string{calledCompile(exe, strings.TrimSpace(cache)), frontendFlag(call.gcflags)}, call.moduleWords()...)
	toolexec = append(toolexec, ours...)
	return call.arguments(toolexec, withIDFlags(call.gcflags, idPatterns(cfg), idFlag+id)), nil
}

// calledCompile returns a link of the name compile to a program, by which the go
// command gives it response files (responsefile.go), or the program itself where
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

// A goCall is a command line of the go command, taken apart.
type goCall struct {
	dir      string   // -C, "" for the working directory
	before   []string // the command, and -C
	after    []string // everything else
	gcflags  []string // values of -gcflags, which is in neither
	toolexec *string  // that of -toolexec, nil if it is not given

	module map[string]string // those of moduleFlags, which are in after too
}

// splitGoCall takes a command line apart. It returns false for commands that do
// not build, and for command lines that go will refuse.
func splitGoCall(args []string) (*goCall, bool) {
	c := &goCall{module: map[string]string{}}
	takeDir := func() {
		if len(args) > 1 && oneDash(args[0]) == "-C" {
			c.dir, c.before, args = args[1], append(c.before, args[:2]...), args[2:]
		} else if len(args) > 0 && strings.HasPrefix(oneDash(args[0]), "-C=") {
			c.dir, c.before, args = oneDash(args[0])[3:], append(c.before, args[0]), args[1:]
		}
	}
	takeDir()
	if len(args) == 0 || commandFlags[args[0]] == nil {
		return nil, false
	}
	command := args[0]
	c.before, args = append(c.before, command), args[1:]
	takeDir()
	for len(args) > 0 {
		arg := args[0]
		name, value, hasValue := strings.Cut(strings.TrimPrefix(oneDash(arg), "-"), "=")
		switch {
		case arg == "--", command == "test" && name == "args" && arg != "args",
			command != "test" && !strings.HasPrefix(arg, "-"):
			c.after = append(c.after, args...)
			return c, true
		case !strings.HasPrefix(arg, "-"):
			c.after, args = append(c.after, arg), args[1:]
			continue
		}
		n := 1
		takes := buildFlags[name].value || slices.Contains(commandFlags[command], strings.TrimPrefix(name, "test.")+"=")
		if takes && !hasValue {
			if len(args) == 1 {
				return nil, false
			}
			n, value = 2, args[1]
		}
		switch name {
		case "gcflags":
			c.gcflags = append(c.gcflags, value)
		case "toolexec":
			c.toolexec = &value
		case "modfile", "overlay": // moduleFlags
			c.module[name] = value
			fallthrough
		default:
			c.after = append(c.after, args[:n]...)
		}
		args = args[n:]
	}
	return c, true
}

// addGOFLAGS takes from GOFLAGS what the command line does not have: a flag of
// the command line takes the place of all in GOFLAGS.
func (c *goCall) addGOFLAGS(goflags []string) {
	var gcflags []string
	var toolexec *string
	module := map[string]string{}
	for _, flag := range goflags {
		flag = oneDash(flag)
		if value, ok := strings.CutPrefix(flag, "-gcflags="); ok {
			gcflags = append(gcflags, value)
		}
		if value, ok := strings.CutPrefix(flag, "-toolexec="); ok {
			toolexec = &value
		}
		if name, value, ok := strings.Cut(strings.TrimPrefix(flag, "-"), "="); ok && slices.Contains(moduleFlags, name) {
			module[name] = value
		}
	}
	maps.Copy(module, c.module)
	c.module = module
	if len(c.gcflags) == 0 {
		c.gcflags = gcflags
	}
	if c.toolexec == nil {
		c.toolexec = toolexec
	}
}

// ourToolexec returns our flags in the toolexec value: those that stand there if
// that is us, otherwise that what stands there comes next.
func (c *goCall) ourToolexec(exe string) ([]string, error) {
	if c.toolexec == nil {
		return nil, nil
	}
	words, err := splitQuoted(*c.toolexec)
	if err != nil {
		return nil, fmt.Errorf("-toolexec: %w", err)
	}
	if len(words) == 0 {
		return nil, nil
	}
	if file, err := exec.LookPath(words[0]); err == nil {
		a, errA := os.Stat(file)
		b, errB := os.Stat(exe)
		if errA == nil && errB == nil && os.SameFile(a, b) {
			return words[1:], nil
		}
	}
	return []string{"-next=" + joinQuoted(words)}, nil
}

func (c *goCall) arguments(toolexec, gcflags []string) []string {
	args := append(slices.Clip(c.before), "-toolexec="+joinQuoted(toolexec))
	for _, v := range gcflags {
		args = append(args, "-gcflags="+v)
	}
	return append(args, c.after...)
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

// compileByFrontend does a compile action of a build by the front-end.
func compileByFrontend(a *action) error {
	flags, files := splitSources(a.args)
	p, _ := flagValue(flags, "-p")
	path := packagePath(a.importPath, p)
	switch {
	case hasFlag(flags, "-std"):
		a.log.note(outcomeNotMarked, "the standard library")
		return a.passThrough()
	case !a.hasID && (path == hitrtPath || path == registryPath || isTestMain(files)):
		return a.passThrough()
	}
	cfg, err := a.readConfig()
	switch {
	case err != nil:
		return err
	case a.hasID:
		return compilePackage(a, cfg)
	case p == "main" || cfg.Match(path) && cfg.FromModules(path, packageDir(flags, files)):
		return errors.New("compiled without the flag that says that it may be marked: " +
			"a flag that scavenger-wrap does not know hides -gcflags; use go with -toolexec=scavenger-wrap")
	}
	a.log.note(outcomeNotMarked, noMatch(cfg, path))
	return a.passThrough()
}

// withoutIDFlag returns compile's arguments without the ID flag, and whether it is
// among them.
func withoutIDFlag(args []string) (kept []string, ok bool) {
	kept = slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return strings.HasPrefix(oneDash(arg), idFlag) })
	if len(kept) == len(args) {
		return args, false
	}
	// Before Go 1.26 the go command gives it up for a flag that it does not know.
	if _, ok := flagValue(kept, "-c"); !ok {
		kept = append([]string{"-c=" + strconv.Itoa(min(4, runtime.GOMAXPROCS(0)))}, kept...)
	}
	return kept, true
}

// withGivenGcflags returns link's arguments with an importcfg that has no ID flag in
// what the build says of itself, which link reads from there and go version -m shows:
// the value of -gcflags is again the one that was given.
func withGivenGcflags(a *action) ([]string, error) {
	file, ok := flagValue(a.args, "-importcfg")
	out, ok2 := flagValue(a.args, "-o")
	if !ok || !ok2 {
		return a.args, nil
	}
	cfg, err := readImportcfg(file)
	if err != nil {
		return nil, err
	}
	given, err := a.flags.givenGcflags()
	if err != nil {
		return nil, err
	}
	if err := cfg.setGcflags(given); err != nil {
		return nil, err
	}
	dir, err := a.makeDir(out)
	if err != nil {
		return nil, err
	}
	file = filepath.Join(dir, "importcfg")
	if err := cfg.write(file); err != nil {
		return nil, err
	}
	return setFlag(a.args, "-importcfg", file), nil
}

// setGcflags changes what modinfo says of -gcflags; "" is not said.
func (c *importcfg) setGcflags(value string) error {
	text, err := c.modinfo()
	if err != nil || text == "" {
		return err
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "build\t-gcflags=") {
			b.WriteString(line)
		} else if value != "" {
			if strings.ContainsAny(value, " \t\r\n\"`") { // as debug.BuildInfo writes it
				value = strconv.Quote(value)
			}
			b.WriteString("build\t-gcflags=" + value + "\n")
		}
	}
	for i, line := range c.lines {
		if quoted, ok := strings.CutPrefix(line, "modinfo "); ok {
			framed, err := strconv.Unquote(quoted)
			if err != nil {
				return fmt.Errorf("reading modinfo of importcfg: %w", err)
			}
			c.lines[i] = fmt.Sprintf("modinfo %q", framed[:16]+b.String()+framed[len(framed)-16:])
		}
	}
	return nil
}

// frontendFlag is the flag in the toolexec value by which the front-end says that
// it is there, and the last value of -gcflags that it was given.
func frontendFlag(gcflags []string) string {
	if len(gcflags) == 0 {
		return "-frontend=."
	}
	return "-frontend=." + hex.EncodeToString([]byte(gcflags[len(gcflags)-1]))
}

func (f *actionFlags) givenGcflags() (string, error) {
	value, err := hex.DecodeString(strings.TrimPrefix(f.frontend, "."))
	return string(value), err
}
