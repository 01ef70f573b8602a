// The compile action of a matching package or a main program.
//
// A matching package is compiled from marked copies of its files, in a
// directory of our own beside the archive: the go command's own files in the
// object directory are read by other actions (vet) and stay as they are.
//
// A main program that matches, or that holds a matching package, gets one more
// file, which imports the registry. The registry cannot exist yet: it names
// every marked package of the program, and hitrt's imports are not known to be
// in the program. So main is compiled against a stub, an empty package with an
// initialisation, and the link action supplies the real one (see link.go).

package wrapper

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/rewrite"
)

const (
	hitrtPath    = "github.com/naver/scavenger/scavenger-wrap/hitrt"
	registryPath = hitrtPath + "/registry"
)

// runCompile does a compile action.
func runCompile(a *action) error {
	switch {
	case a.byFrontend():
		return compileByFrontend(a)
	case hasFlag(a.args, "-std"):
		// The standard library: nine in ten actions of a first build. Not even
		// the settings are read, but by the first.
		a.log.note(outcomeNotMarked, "the standard library")
		return takeOrCompile(a, nil)
	}
	cfg, err := a.readConfig()
	if err != nil {
		return err
	}
	return compilePackage(a, cfg)
}

// compilePackage compiles a package that may be marked.
func compilePackage(a *action, cfg *config.Config) error {
	c := newCompilation(a, cfg)
	if c == nil {
		return a.passThrough()
	}
	changed, err := c.mark()
	switch {
	case err != nil:
		return err
	case changed:
		return c.run()
	case cfg.Match(c.metadata.ImportPath):
		return a.passThrough() // the table of plain archives has none that match
	}
	return takeOrCompile(a, cfg)
}

// run compiles the package with its changes.
func (c *compilation) run() error {
	if c.metadata.NotMarked != "" && c.metadata.Main == nil {
		// The compiler says what is wrong with it, if anything is.
		if err := c.compileOriginal(); err != nil {
			return err
		}
		return c.metadata.attach(c.archive)
	}
	cmd, err := c.command(c.arguments())
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
		return fmt.Errorf("%s: %w", c.tool, err)
	}
	if _, err := os.Stderr.Write(withoutMarks(out.Bytes())); err != nil { // such as what -gcflags=-m prints
		return err
	}
	return c.metadata.attach(c.archive)
}

// compileOriginal compiles the package as it came.
func (c *compilation) compileOriginal() error {
	cmd, err := c.command(c.original)
	if err != nil {
		return err
	}
	return runProcess(cmd)
}

// refused is what becomes of a marked package that does not compile, with what
// the compiler said of it.
//
// It will most likely refuse the original too, and what it says of that is what
// the user should read: several errors come in an order that marks change.
// Should it accept the original, then the package is compiled without marks and
// its functions are not observable. But the go command keeps the outcome in its
// cache, so that must not come of a failure that passes, such as of a full disk:
// those are told by having no place in the source, or by being about an import
// that could not be read.
func (c *compilation) refused(message []byte) error {
	if err := c.compileOriginal(); err != nil {
		return err
	}
	if !sourceError().Match(message) || unreadImport().Match(message) {
		return fmt.Errorf("%s: failed on the marked package, but not on the original:\n%s", c.tool, message)
	}
	c.notMarked("the compiler refuses the marked package", "not compilable with marks")
	return c.metadata.attach(c.archive)
}

// notMarked notes why a package that matches is compiled without marks, and in a
// word for its functions.
func (c *compilation) notMarked(reason, ofFunctions string) {
	c.log.note(outcomeNotMarked, reason)
	c.metadata.NotMarked = reason
	c.metadata.unmark(ofFunctions)
}

// sourceError matches a message that names a place in the source, or a bug in
// the compiler.
var sourceError = lazyRegexp(`(?m)^[^\n]+:\d+(:\d+)?: |internal compiler error`)

// unreadImport matches a message about an import whose archive is known.
var unreadImport = lazyRegexp(`(?m): could not import [^\n]+ \((open|read) `)

// lazyRegexp compiles an expression when it is wanted, which it is in hardly any
// of the hundreds of processes of a build.
func lazyRegexp(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

// A compilation is a compile action that is being changed.
type compilation struct {
	*action
	config       *config.Config
	dir          string // ours, see makeDir
	flags, files []string
	archive      string // where the object code goes
	symbolPrefix string // -p
	written      map[string]bool
	coverageCfg  string // the file for -coveragecfg; "" if it gets none of ours
	metadata     metadata
}

// newCompilation returns nil for an action that compiles nothing that we know how
// to change.
func newCompilation(a *action, cfg *config.Config) *compilation {
	flags, files := splitSources(a.args)
	out, _ := flagValue(flags, "-o")
	if obj, ok := flagValue(flags, "-linkobj"); ok {
		out = obj // split output, as Bazel does it: link never sees -o
	}
	if out == "" || len(files) == 0 || hasFlag(flags, "-linkshared") {
		return nil
	}
	p, _ := flagValue(flags, "-p")
	c := &compilation{
		action: a, config: cfg, flags: flags, files: files, archive: out, symbolPrefix: p,
		written: map[string]bool{},
	}
	c.metadata.ImportPath = packagePath(a.importPath, p)
	return c
}

// arguments returns compile's arguments after all changes.
func (c *compilation) arguments() []string {
	flags := c.flags
	if c.coverageCfg != "" {
		flags = setFlag(flags, "-coveragecfg", c.coverageCfg)
	}
	// Export data has the names of the files that are really read.
	rewrites := []string{c.dir + "=>scavenger"}
	if v, ok := flagValue(flags, "-trimpath"); ok && v != "" {
		rewrites = append(rewrites, v)
	}
	flags = setFlag(flags, "-trimpath", strings.Join(rewrites, ";"))
	return append(flags, c.files...)
}

// packagePath returns the import path of the package that is being compiled,
// without the " [x.test]" of a test variant. p is compile's -p, which is "main"
// for all main programs and which is all there is outside the go command.
func packagePath(toolexecImportPath, p string) string {
	if path, _, _ := strings.Cut(toolexecImportPath, " "); path != "" {
		return path
	}
	return p
}

// mark changes the compilation, and reports whether there was anything to be
// changed.
func (c *compilation) mark() (changed bool, err error) {
	path := c.metadata.ImportPath
	testMain := isTestMain(c.files)
	if path == hitrtPath || path == registryPath || testMain && !c.config.TrackTests {
		c.log.note(outcomeNotMarked, "a test binary, or a package of scavenger-wrap's")
		return false, nil
	}
	matches := c.config.Match(path) && !testMain && c.config.FromModules(path, packageDir(c.flags, c.files))
	if !matches {
		c.log.note(outcomeNotMarked, noMatch(c.config, path))
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
	if c.dir, err = c.makeDir(c.archive); err != nil {
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
	return len(c.metadata.Functions) > 0 || c.metadata.NotMarked != "", nil
}

// isTestMain reports whether the files are those of the generated main package
// of a test binary: _testmain.go or, under -cover, covervars.go and
// _testmain.cover.go. No file of a user's begins with an underscore.
func isTestMain(files []string) bool {
	return slices.ContainsFunc(files, func(file string) bool {
		return strings.HasPrefix(filepath.Base(file), "_testmain.")
	})
}

// markFiles replaces the compilation's files by marked ones.
func (c *compilation) markFiles() error {
	sources := make([]rewrite.Source, len(c.files))
	for i, file := range c.files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		// The name that the compiler would record for the file.
		name, err := filepath.Abs(file)
		if err != nil {
			return err
		}
		sources[i] = rewrite.Source{Name: name, Text: text}
	}
	opts := rewrite.Options{
		ImportPath: c.metadata.ImportPath,
		Dir:        c.config.SourceDir(c.metadata.ImportPath),
		Filter:     filterOf(c.config, c.metadata.ImportPath),
		Sanitizer:  hasFlag(c.flags, "-race") || hasFlag(c.flags, "-msan") || hasFlag(c.flags, "-asan"),
		Columns:    c.wantsColumns(),
	}
	c.typed(&opts)
	if err := c.chooseForm(&opts); err != nil {
		return err
	}
	res, err := rewrite.Package(opts, sources)
	if err != nil {
		c.unreadable(opts, sources, err)
		return nil
	}
	c.log.marked(res.Marks, len(res.Functions), len(res.LeftOut))
	files := append([]string{}, c.files...)
	for i, text := range res.Files {
		if text == nil {
			continue
		}
		if files[i], err = c.write(filepath.Base(files[i]), text); err != nil {
			return err
		}
	}
	if res.Marks > 0 {
		file, err := c.write("_scavenger_marks.go", res.Declarations)
		if err != nil {
			return err
		}
		files = append([]string{file}, files...)
		c.metadata.Symbol = symbolName(c.symbolPrefix, res.Symbol)
	}
	if res.CoverageCfg != nil {
		if c.coverageCfg, err = c.write("coveragecfg", res.CoverageCfg); err != nil {
			return err
		}
	}
	c.files = files
	c.metadata.Marks = res.Marks
	c.metadata.Functions = res.Functions
	return nil
}

// unreadable is what becomes of a package that rewrite does not take. Most likely it
// is not Go, which the compiler says in its own words. Should the compiler take it,
// its functions are listed as not observable, as far as they can be found.
func (c *compilation) unreadable(opts rewrite.Options, sources []rewrite.Source, err error) {
	reason := err.Error()
	for i, source := range sources {
		reason = strings.ReplaceAll(reason, filepath.Dir(source.Name)+string(filepath.Separator), "")
		sources[i].Text = rewrite.WithoutBodies(source.Text)
	}
	if res, err := rewrite.Package(opts, sources); err == nil {
		c.metadata.Functions = res.Functions
	}
	c.notMarked(reason, "not readable for marking")
}

// write writes a file of ours. A name may come twice, as -overlay takes files
// from anywhere.
func (c *compilation) write(name string, text []byte) (file string, err error) {
	for i, base := 1, name; c.written[name]; i++ {
		name = strconv.Itoa(i) + "_" + base
	}
	c.written[name] = true
	file = filepath.Join(c.dir, name)
	return file, os.WriteFile(file, text, 0o666)
}

// importcfg returns what the compiler finds its imports by.
func (c *compilation) importcfg() (*importcfg, error) {
	if file, ok := flagValue(c.flags, "-importcfg"); ok {
		return readImportcfg(file)
	}
	return parseImportcfg(""), nil
}

// mayHold reports whether the program may hold a package of whose import path
// one of the literals is a part. Export data lists the paths of all packages
// below the one it describes, so those of main's direct imports name every
// package of the program. A match too many, such as a path in some other string,
// is to do no harm.
func (c *compilation) mayHold(literals ...string) (bool, error) {
	if len(literals) == 0 {
		return false, nil
	}
	cfg, err := c.importcfg()
	if err != nil {
		return false, err
	}
	for path, archive := range cfg.packages {
		data, err := exportData(archive)
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

// symbolName returns the linker's name of a package's variable: the import
// path is escaped as the compiler does it (cmd/internal/objabi.PathToPrefix),
// in which gopkg.in/yaml.v3 becomes gopkg.in/yaml%2ev3.
func symbolName(p, name string) string {
	var b strings.Builder
	slash := strings.LastIndexByte(p, '/')
	for i := range len(p) {
		switch c := p[i]; {
		case c <= ' ', c == '.' && i > slash, c == '%', c == '"', c >= 0x7f:
			fmt.Fprintf(&b, "%%%02x", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String() + "." + name
}
