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
	"slices"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/rewrite"
)

const (
	hitrtPath    = "github.com/naver/scavenger/scavenger-wrap/hitrt"
	registryPath = hitrtPath + "/registry"
)

// An errUntouched ends an attempt at changing a compile action that is to run
// as it came.
var errUntouched = errors.New("compile untouched")

func (a *action) compile() error {
	c, err := a.newCompilation()
	if err == nil {
		err = c.mark()
	}
	if err == errUntouched {
		return replaceProcess(a.path, a.args)
	}
	if err != nil {
		return err
	}
	// If the compiler refuses the marked package, it will refuse the original
	// too, and what it says of that is what the user should read: several errors
	// come in an order that marks change. Should it accept the original, then
	// the package is compiled without marks and its functions are not listed.
	var out bytes.Buffer
	cmd := exec.Command(a.path, append(c.flags, c.files...)...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return replaceProcess(a.path, a.args)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", a.tool, err)
	}
	if _, err := os.Stderr.Write(out.Bytes()); err != nil { // such as what -gcflags=-m prints
		return err
	}
	return c.metadata.attach(c.archive)
}

// A compilation is a compile action that is being changed.
type compilation struct {
	*action
	flags, files []string
	archive      string // where the object code goes
	dir          string // ours: marked files and the like
	symbolPrefix string // -p
	metadata     metadata
}

func (a *action) newCompilation() (*compilation, error) {
	flags, files := splitSources(a.args)
	out, _ := flagValue(flags, "-o")
	if obj, ok := flagValue(flags, "-linkobj"); ok {
		out = obj // split output, as Bazel does it: link never sees -o
	}
	if out == "" || len(files) == 0 {
		return nil, errUntouched
	}
	p, _ := flagValue(flags, "-p")
	c := &compilation{
		action: a, flags: flags, files: files, archive: out, symbolPrefix: p,
		dir: filepath.Join(filepath.Dir(out), "scavenger"),
	}
	c.metadata.ImportPath = packagePath(a.importPath, p)
	return c, nil
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

// mark changes the compilation, or returns errUntouched if there is nothing to
// be changed.
func (c *compilation) mark() error {
	path := c.metadata.ImportPath
	if path == hitrtPath || path == registryPath || isTestMain(c.files) {
		return errUntouched
	}
	matches := c.config.Match(path)
	withRegistry := c.symbolPrefix == "main"
	if withRegistry && !matches {
		var err error
		if withRegistry, err = c.importsMatch(); err != nil {
			return err
		}
	}
	if !matches && !withRegistry {
		return errUntouched
	}
	if err := os.MkdirAll(c.dir, 0o777); err != nil {
		return err
	}
	if matches {
		if err := c.markFiles(); err != nil {
			return err
		}
	}
	if withRegistry {
		return c.importRegistry()
	}
	if len(c.metadata.Functions) == 0 {
		return errUntouched
	}
	return nil
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
	res, err := rewrite.Package(rewrite.Options{
		ImportPath: c.metadata.ImportPath,
		Dir:        c.config.SourceDir(c.metadata.ImportPath),
		Sanitizer:  hasFlag(c.flags, "-race") || hasFlag(c.flags, "-msan") || hasFlag(c.flags, "-asan"),
	}, sources)
	if err != nil {
		// Not Go. The compiler says so in its own words.
		return errUntouched
	}
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
		// Last, so that the compiler numbers closures and initialisers of the
		// package's own files as before.
		file, err := c.write("_scavenger_marks.go", res.Declarations)
		if err != nil {
			return err
		}
		files = append(files, file)
		c.metadata.Symbol = symbolName(c.symbolPrefix, res.Symbol)
	}
	c.files = files
	c.metadata.Marks = res.Marks
	c.metadata.Functions = res.Functions
	return nil
}

func (c *compilation) write(name string, text []byte) (file string, err error) {
	file = filepath.Join(c.dir, name)
	return file, os.WriteFile(file, text, 0o666)
}

// importsMatch reports whether the program may hold a matching package. Export
// data lists the paths of all packages below the one it describes, so those of
// main's direct imports name every package of the program. A match too many,
// such as a path in some other string, does no harm: link then finds nothing to
// register.
func (c *compilation) importsMatch() (bool, error) {
	file, ok := flagValue(c.flags, "-importcfg")
	literals := c.config.Literals()
	if !ok || len(literals) == 0 {
		return false, nil
	}
	cfg, err := readImportcfg(file)
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

// importRegistry adds a file that imports the registry, and its stub.
func (c *compilation) importRegistry() error {
	fingerprint, stub, err := c.compileStub()
	if err != nil {
		return fmt.Errorf("compiling the stub of the registry: %w", err)
	}
	cfg := parseImportcfg("")
	if file, ok := flagValue(c.flags, "-importcfg"); ok {
		if cfg, err = readImportcfg(file); err != nil {
			return err
		}
	}
	cfg.add(registryPath, stub)
	cfgFile := filepath.Join(c.dir, "importcfg")
	if err := cfg.write(cfgFile); err != nil {
		return err
	}
	file, err := c.write("_scavenger_main.go", []byte(generatedHeader+"package main\n\nimport _ \""+registryPath+"\"\n"))
	if err != nil {
		return err
	}
	c.metadata.Main = &mainMetadata{Fingerprint: fingerprint, Flags: modeFlags(c.flags)}
	c.flags = setFlag(c.flags, "-importcfg", cfgFile)
	c.files = append(c.files, file)
	return nil
}

const generatedHeader = "// Code generated by scavenger-wrap. DO NOT EDIT.\n\n"

// registryStub has an initialisation that the compiler cannot drop, so that
// main's own waits for that of the registry.
const registryStub = generatedHeader + `package registry

var started = start()

//go:noinline
func start() bool { return true }
`

// compileStub compiles the stub and returns its fingerprint and archive.
func (c *compilation) compileStub() (fingerprint []byte, archive string, err error) {
	file, err := c.write("registry.go", []byte(registryStub))
	if err != nil {
		return nil, "", err
	}
	cfg, err := c.write("importcfg.registry", nil)
	if err != nil {
		return nil, "", err
	}
	archive = filepath.Join(c.dir, "registry.a")
	cmd := exec.Command(c.path, "-o", archive, "-p", registryPath, "-trimpath", c.dir+"=>"+registryPath,
		"-complete", "-nolocalimports", "-pack", "-importcfg", cfg, file)
	if err := runProcess(cmd); err != nil {
		return nil, "", err
	}
	data, err := os.ReadFile(archive)
	if err != nil {
		return nil, "", err
	}
	i, err := fingerprintOffset(data)
	if err != nil {
		return nil, "", err
	}
	return data[i : i+fingerprintSize], archive, nil
}

// modeFlags returns those of compile's flags that all packages of a program
// must be compiled with alike.
func modeFlags(flags []string) []string {
	var out []string
	for _, name := range []string{"-race", "-msan", "-asan", "-shared", "-dynlink"} {
		if hasFlag(flags, name) {
			out = append(out, name)
		}
	}
	return out
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
