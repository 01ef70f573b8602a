// Package compile does compile actions. It changes those of matching packages and of main
// programs; any other package is taken from the plain cache or compiled unchanged.
//
// A matching package is compiled from marked copies of its files. They are in a directory
// of our own beside the archive, because other actions (vet) read the go command's own
// files in the object directory.
//
// A main program that matches, or that contains a matching package, gets one more file,
// which imports the registry. The registry cannot exist yet: it names every marked
// package of the program, and hitrt's imports may not be in the program. So main is
// compiled against a stub, an empty package with an initialisation, and the link action
// supplies the real registry (wrapper/link).
//
// It may import config, rewrite, wrapper/plain, wrapper/registry, wrapper/action and
// wrapper/toolchain.
package compile

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/rewrite"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/action"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/plain"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/registry"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// Run does a compile action.
func Run(a *action.Action) error {
	switch {
	case a.ByFrontend():
		return compileByFrontend(a)
	case toolchain.HasFlag(a.Args, "-std"):
		// The standard library is nine in ten actions of a first build. Of these, only
		// the action that makes the table of plain archives reads the settings.
		a.Log.Note(action.OutcomeNotMarked, "the standard library")
		return takeOrCompile(a, nil)
	}
	cfg, err := a.ReadConfig()
	if err != nil {
		return err
	}
	return compilePackage(a, cfg)
}

// compilePackage compiles a package that may be marked.
func compilePackage(a *action.Action, cfg *config.Config) error {
	c := newCompilation(a, cfg)
	if c == nil {
		return a.PassThrough()
	}
	changed, err := c.mark()
	switch {
	case err != nil:
		return err
	case changed:
		return c.run()
	case cfg.Match(c.metadata.ImportPath):
		return a.PassThrough() // the table of plain archives lists no package that matches
	}
	return takeOrCompile(a, cfg)
}

// takeOrCompile compiles a package as a plain build does, or takes what that left. With an
// SDK there is no plain cache: the go command that belongs to the tools starts us.
func takeOrCompile(a *action.Action, cfg *config.Config) error {
	if a.Flags.SDK != "" {
		return a.PassThrough()
	}
	return plain.TakeOrCompile(a, cfg)
}

// A compilation is a compile action that is being changed.
type compilation struct {
	*action.Action
	config       *config.Config
	dir          string // ours, see MakeDir
	flags, files []string
	archive      string // where the object code goes
	symbolPrefix string // -p
	written      map[string]bool
	coverageCfg  string // the file for -coveragecfg; "" if it gets none of ours
	metadata     registry.Metadata
}

// newCompilation returns nil for an action that we do not know how to change.
func newCompilation(a *action.Action, cfg *config.Config) *compilation {
	flags, files := toolchain.SplitSources(a.Args)
	out, _ := toolchain.FlagValue(flags, "-o")
	if obj, ok := toolchain.FlagValue(flags, "-linkobj"); ok {
		out = obj // split output, as Bazel does it: link never sees -o
	}
	if out == "" || len(files) == 0 || toolchain.HasFlag(flags, "-linkshared") {
		return nil
	}
	p, _ := toolchain.FlagValue(flags, "-p")
	c := &compilation{
		Action: a, config: cfg, flags: flags, files: files, archive: out, symbolPrefix: p,
		written: map[string]bool{},
	}
	c.metadata.ImportPath = importPath(a, p)
	return c
}

// mark changes the compilation, and reports whether it has changed anything.
func (c *compilation) mark() (changed bool, err error) {
	path := c.metadata.ImportPath
	testMain, err := c.isTestMain()
	if err != nil {
		return false, err
	}
	if registry.IsOurs(path) || testMain && !c.config.TrackTests {
		c.Log.Note(action.OutcomeNotMarked, "a test binary, or a package of scavenger-wrap's")
		return false, nil
	}
	matches := c.config.Match(path) && !testMain && c.config.FromModules(path, toolchain.PackageDir(c.flags, c.files))
	if !matches {
		c.Log.Note(action.OutcomeNotMarked, NoMatch(c.config, path))
	}
	withRegistry := c.symbolPrefix == "main"
	if withRegistry && !matches {
		// If it turns out to hold none, link finds nothing to register.
		if withRegistry, err = c.mayHold(c.config.Literals()...); err != nil {
			return false, err
		}
	}
	if !matches && !withRegistry {
		return false, nil
	}
	if c.dir, err = c.MakeDir(c.archive); err != nil {
		return false, err
	}
	if matches {
		if err := c.markFiles(); err != nil {
			return false, err
		}
	}
	if withRegistry {
		done, err := c.importRegistry()
		return done || c.metadata.Marks > 0, err
	}
	return true, nil // link must know that a package without functions lacks nothing
}

// sources returns the compilation's files, with the names that the compiler would record
// for them.
func (c *compilation) sources() ([]rewrite.Source, error) {
	sources := make([]rewrite.Source, len(c.files))
	for i, file := range c.files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		name, err := filepath.Abs(file)
		if err != nil {
			return nil, err
		}
		sources[i] = rewrite.Source{Name: name, Text: text}
	}
	return sources, nil
}

// markFiles replaces the compilation's files by marked ones.
func (c *compilation) markFiles() error {
	sources, err := c.sources()
	if err != nil {
		return err
	}
	opts := rewrite.Options{
		ImportPath: c.metadata.ImportPath,
		Dir:        c.config.SourceDir(c.metadata.ImportPath),
		Filter:     FilterOf(c.config, c.metadata.ImportPath),
		Sanitizer:  toolchain.HasFlag(c.flags, "-race") || toolchain.HasFlag(c.flags, "-msan") || toolchain.HasFlag(c.flags, "-asan"),
		Columns:    toolchain.GivenMore(c.flags),
	}
	digest, err := c.ReadEvidence(c.config)
	if err != nil {
		return err
	}
	opts.Presumed = digest.Package(c.metadata.ImportPath).Has
	c.typed(&opts)
	if err := c.chooseForm(&opts); err != nil {
		return err
	}
	res, err := rewrite.Package(opts, sources)
	if err != nil {
		c.unreadable(opts, sources, err)
		return nil
	}
	c.Log.Marked(res.Cells, len(res.Functions), len(res.LeftOut))
	files := append([]string{}, c.files...)
	for i, text := range res.Files {
		if text == nil {
			continue
		}
		if files[i], err = c.write(filepath.Base(files[i]), text); err != nil {
			return err
		}
	}
	if res.Cells > 0 {
		file, err := c.write("_scavenger_marks.go", res.Declarations)
		if err != nil {
			return err
		}
		files = append([]string{file}, files...)
		c.metadata.Symbol = toolchain.SymbolName(c.symbolPrefix, res.Symbol)
	}
	if res.CoverageCfg != nil {
		if c.coverageCfg, err = c.write("coveragecfg", res.CoverageCfg); err != nil {
			return err
		}
	}
	c.files = files
	c.metadata.Marks = res.Cells
	c.list(res)
	return nil
}

// list records which functions are listed, and which are left out.
func (c *compilation) list(res *rewrite.Result) {
	c.metadata.Functions = res.Functions
	for i := range res.LeftOut {
		c.metadata.LeftOut = append(c.metadata.LeftOut, res.LeftOut[i].BaseName())
	}
}

// write writes a file of ours. Two files of a package may have the same name, because
// -overlay takes files from anywhere.
func (c *compilation) write(name string, text []byte) (file string, err error) {
	for i, base := 1, name; c.written[name]; i++ {
		name = strconv.Itoa(i) + "_" + base
	}
	c.written[name] = true
	file = filepath.Join(c.dir, name)
	return file, os.WriteFile(file, text, 0o666)
}

// importcfg returns the importcfg of the compilation, which is empty if it has none.
func (c *compilation) importcfg() (*toolchain.Importcfg, error) {
	if file, ok := toolchain.FlagValue(c.flags, "-importcfg"); ok {
		return toolchain.ReadImportcfg(file)
	}
	return toolchain.ParseImportcfg(""), nil
}

// mayHold reports whether the program may contain a package whose import path contains
// one of the literals. The export data of a package lists the paths of all packages below
// it, so the archives of main's direct imports name every package of the program. False
// positives, such as a path in some other string, must be harmless.
func (c *compilation) mayHold(literals ...string) (bool, error) {
	if len(literals) == 0 {
		return false, nil
	}
	cfg, err := c.importcfg()
	if err != nil {
		return false, err
	}
	for path, archive := range cfg.Packages {
		data, err := toolchain.ExportData(archive)
		if err != nil {
			return false, fmt.Errorf("reading the archive of %s: %w", path, err)
		}
		data = append(data, path...)
		for _, s := range literals {
			if bytes.Contains(data, []byte(s)) {
				return true, nil
			}
		}
	}
	return false, nil
}

// run compiles the package with its changes.
func (c *compilation) run() error {
	if c.metadata.Marks == 0 && c.metadata.Main == nil {
		// Nothing in it is marked. If it cannot be, the compiler says why.
		if err := c.compileOriginal(); err != nil {
			return err
		}
		return c.metadata.Attach(c.archive)
	}
	cmd, err := c.Command(c.arguments())
	if err != nil {
		return err
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return c.refused(out.Bytes())
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.Tool, err)
	}
	// The compiler may print something, as with -gcflags=-m.
	if _, err := os.Stderr.Write(withoutMarks(out.Bytes())); err != nil {
		return err
	}
	return c.metadata.Attach(c.archive)
}

// arguments returns compile's arguments after all changes.
func (c *compilation) arguments() []string {
	flags := c.flags
	if c.coverageCfg != "" {
		flags = toolchain.SetFlag(flags, "-coveragecfg", c.coverageCfg)
	}
	// Export data contains the names of the files that the compiler reads. This takes our
	// directory off them.
	rewrites := []string{c.dir + "=>scavenger"}
	if v, ok := toolchain.FlagValue(flags, "-trimpath"); ok && v != "" {
		rewrites = append(rewrites, v)
	}
	flags = toolchain.SetFlag(flags, "-trimpath", strings.Join(rewrites, ";"))
	return append(flags, c.files...)
}

// compileOriginal compiles the package as it came.
func (c *compilation) compileOriginal() error {
	cmd, err := c.Command(c.Original)
	if err != nil {
		return err
	}
	return action.RunProcess(cmd)
}

// refused handles a marked package that the compiler refuses. message is what the
// compiler printed.
//
// Most likely the compiler refuses the original too. Then the user reads only what it
// prints about the original, because marks can change the order of errors.
//
// If the compiler accepts the original, the package is compiled without marks, and its
// functions are not observable. The go command keeps that result in its cache, so it must
// not come from a failure that passes, such as a full disk. Such a failure has no
// position in the source, or is about an import that could not be read. Then the action
// fails.
func (c *compilation) refused(message []byte) error {
	if err := c.compileOriginal(); err != nil {
		return err
	}
	if !sourceError().Match(message) || unreadImport().Match(message) {
		return fmt.Errorf("%s: failed on the marked package, but not on the original:\n%s", c.Tool, message)
	}
	c.notMarked("the compiler refuses the marked package", "not compilable with marks")
	return c.metadata.Attach(c.archive)
}

// notMarked records that a matching package is compiled without marks. reason says why,
// and ofFunctions is the reason with which its functions are listed.
func (c *compilation) notMarked(reason, ofFunctions string) {
	c.Log.Note(action.OutcomeNotMarked, reason)
	c.metadata.NotMarked = reason
	c.metadata.Unmark(ofFunctions)
}

// sourceError matches a message that names a place in the source, or a bug in
// the compiler.
var sourceError = lazyRegexp(`(?m)^[^\n]+:\d+(:\d+)?: |internal compiler error`)

// unreadImport matches a message about an import whose archive could not be opened or
// read.
var unreadImport = lazyRegexp(`(?m): could not import [^\n]+ \((open|read) `)

// lazyRegexp compiles an expression on first use: hardly any of the hundreds of
// processes of a build needs it.
func lazyRegexp(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}
