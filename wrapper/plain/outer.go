// The go command that started this action, as the system describes it. Another go command
// with the same program, environment, directory, flags and packages sees the same build.

package plain

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/action"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// An OuterCommand is the go command that started this action, as far as it
// decides how packages are compiled.
type OuterCommand struct {
	program string   // its executable
	dir     string   // where it looks for packages
	environ []string // what it was started with, without GOFLAGS
	goflags []string // the flags in GOFLAGS that affect compiled packages
	flags   []string // the same on the command line
	roots   []string // what it builds, as its command line names it
	tests   bool     // the packages' tests are built too

	modes []string // flags of compile that stand for build flags: -race, …
	words []string // the flags of compile in -gcflags that are among silentWords
	pgo   string   // the last -pgo, "" for none
	asm   bool     // there are -asmflags
	cover bool     // packages of the standard library may be covered
	named bool     // a -gcflags or -asmflags is for the packages of the command line only

	noPlain error // why go list cannot give the plain archives of the build's packages
}

// ReadOuterCommand reads the go command that started this action. It returns an error if
// it does not understand every part of it.
func ReadOuterCommand() (*OuterCommand, error) {
	parent, err := toolchain.ReadParent()
	if err != nil {
		return nil, err
	}
	environ, err := parent.Environ()
	if err != nil {
		return nil, err
	}
	// The go command starts compile actions in the directory of its -C. It gives them a
	// GOFLAGS that includes its env file.
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	goflags, err := toolchain.SplitQuoted(os.Getenv("GOFLAGS"))
	if err != nil {
		return nil, fmt.Errorf("GOFLAGS: %w", err)
	}
	c := &OuterCommand{program: parent.Program, dir: dir}
	for _, v := range environ {
		if !strings.HasPrefix(v, "GOFLAGS=") {
			c.environ = append(c.environ, v)
		}
	}
	return c, c.parse(parent.Args, goflags)
}

// parse reads the command line and GOFLAGS.
func (c *OuterCommand) parse(args, goflags []string) error {
	command, err := toolchain.ParseGoCommand(args)
	if err != nil {
		return err
	}
	command.SetGOFLAGS(goflags)
	c.tests = command.Name == "test" || command.Name == "vet"
	for _, f := range command.GOFLAGS {
		if f.Use == 0 {
			return fmt.Errorf("GOFLAGS: flag -%s is not known", f.Name)
		}
		if err := c.add(&c.goflags, f); err != nil {
			return err
		}
	}
	for _, f := range command.Flags {
		if f.Use == 0 {
			return fmt.Errorf("flag -%s is not known", f.Name)
		}
		c.tests = c.tests || command.Name == "list" && f.Name == "test"
		if err := c.add(&c.flags, f); err != nil {
			return err
		}
	}
	c.roots = command.Roots()
	if c.OfVersion() {
		c.noPlain = errors.New("packages of a module version are not known to go list")
	}
	return nil
}

// add adds a flag to c.goflags or c.flags, and notes what the flag means.
func (c *OuterCommand) add(to *[]string, f toolchain.GoFlag) error {
	name, value := f.Name, f.Value
	c.cover = c.cover || strings.HasPrefix(name, "cover")
	if name == "pgo" {
		c.pgo = value
	}
	switch {
	case f.Use == toolchain.PerPackage:
		value = c.perPackage(name, value)
	case f.Use == toolchain.Kept:
		if f.On() && (name == "race" || name == "msan" || name == "asan") {
			c.modes = append(c.modes, "-"+name)
		}
	case name == "buildmode":
		switch value {
		case "default", "exe", "archive":
		case "pie", "c-shared", "c-archive":
			// They compile packages alike, and the last two need a main.
			value = "pie"
			c.modes = append(c.modes, "-shared")
		default:
			return fmt.Errorf("-buildmode=%s", value)
		}
	case name == "a":
		if f.On() {
			c.noPlain = errors.New("-a")
		}
		return nil
	case f.Use == toolchain.Special:
		if name == "compiler" && value == "gc" || name == "linkshared" && !f.On() {
			return nil
		}
		return fmt.Errorf("-%s", name)
	default:
		return nil
	}
	if f.HasValue {
		name += "=" + value
	}
	*to = append(*to, "-"+name)
	return nil
}

// perPackage returns the value of -gcflags or -asmflags for a go command that names other
// packages. A value without a pattern is for the packages that the command line names. It
// gets a pattern that matches no package. It is not dropped, because it overrides the
// same flag in GOFLAGS.
func (c *OuterCommand) perPackage(name, value string) string {
	_, flags, ok := strings.Cut(value, "=")
	if !ok || strings.HasPrefix(strings.TrimSpace(value), "-") {
		c.named = true
		return forNamed + strings.TrimSpace(value)
	}
	words, _ := toolchain.SplitQuoted(flags)
	for _, word := range words {
		if name == "gcflags" && slices.Contains(silentWords, word) {
			c.words = append(c.words, word)
		}
	}
	c.asm = c.asm || name == "asmflags"
	return value
}

// forNamed is a pattern that matches no package. It begins the value of a -gcflags or
// -asmflags that is for the packages that the command line names.
const forNamed = "scavenger.invalid/none="

// OfVersion reports whether the go command builds package@version, such as
// example.com/cmd@latest. It then ignores the main module.
func (c *OuterCommand) OfVersion() bool {
	return slices.ContainsFunc(c.roots, func(root string) bool { return strings.Contains(root, "@") })
}

// ForStdlib returns the flags and the environment of a go command in dir that
// compiles the standard library as this one does.
func (c *OuterCommand) ForStdlib(dir string) (flags, env []string) {
	return c.stdlibFlags(c.flags), c.env(dir, c.stdlibFlags(c.goflags))
}

// Profile returns the file of the last -pgo, "" if the go command looks for default.pgo. dir
// is where the go command runs. A program that is built with -trimpath has only the last
// element of its name.
func (c *OuterCommand) Profile(dir string) string {
	switch {
	case c.pgo == "" || c.pgo == "auto":
		return ""
	case filepath.IsAbs(c.pgo):
		return c.pgo
	default:
		return filepath.Join(dir, c.pgo)
	}
}

// DefaultProfile returns the name of default.pgo beside a main package. dir is where the go
// command runs; if it builds package@version, that of an empty module. module is that of
// the package.
func (c *OuterCommand) DefaultProfile(dir, importPath string, module debug.Module) (string, error) {
	ctx, cancel := toolchain.LimitCacheProg(context.Background())
	defer cancel()
	g := toolchain.GoList{Program: c.program, Dir: dir}
	g.Flags, g.Env = c.ForStdlib(dir)
	if c.OfVersion() {
		g.Flags, g.Env = nil, append(g.Env, "GOWORK=off")
		modules, err := g.Packages(ctx, "Dir", []string{"-m"}, module.Path+"@"+module.Version)
		if err != nil {
			return "", err
		}
		below := strings.TrimPrefix(importPath, module.Path)
		return filepath.Join(modules[0].Dir, filepath.FromSlash(below), "default.pgo"), nil
	}
	packages, err := g.Packages(ctx, "ImportPath,Dir", []string{"-e", "-find"}, c.roots...)
	if err != nil {
		return "", err
	}
	if c.tests {
		importPath = strings.TrimSuffix(importPath, ".test")
	}
	for _, p := range packages {
		if p.ImportPath == importPath {
			return filepath.Join(p.Dir, "default.pgo"), nil
		}
	}
	return "", fmt.Errorf("no directory of %s", importPath)
}

// stdlibFlags returns flags for compiling the standard library. A -gcflags or -asmflags
// for the packages that the command line names is given to those of them that are of the
// standard library. ID flags are removed, because only we know them.
func (c *OuterCommand) stdlibFlags(flags []string) []string {
	var out []string
	for _, flag := range flags {
		name, value, _ := strings.Cut(flag, "=")
		if name != "-gcflags" && name != "-asmflags" {
			out = append(out, flag)
			continue
		}
		if i := strings.Index(value, action.IDFlag); i >= 0 { // the last word, and an ID
			value = strings.TrimSpace(value[:i])
		}
		out = append(out, name+"="+value)
		if words, ok := strings.CutPrefix(value, forNamed); ok {
			for _, root := range c.roots {
				if first, _, _ := strings.Cut(root, "/"); !strings.Contains(strings.ReplaceAll(first, "...", ""), ".") && !filepath.IsAbs(root) {
					out = append(out, name+"="+root+"="+words)
				}
			}
		}
	}
	return out
}

// silentWords are the flags of compile that people use and that make it neither print
// anything nor write another file. With others a package is compiled, because one that is
// taken from the plain cache prints nothing.
var silentWords = []string{"-B", "-N", "-dwarf=false", "-l", "-smallframes", "-spectre=all", "-spectre=index", "-spectre=ret"}

// env returns the environment for a go command that sees the same build, but not its
// -toolexec.
func (c *OuterCommand) env(dir string, goflags []string) []string {
	return append(slices.Clip(c.environ), "PWD="+dir,
		// Never empty: the go command would then read GOFLAGS from its env file, which
		// may contain a -toolexec.
		"GOFLAGS="+toolchain.JoinQuoted(append([]string{"-buildvcs=false"}, goflags...)),
		// The running build has downloaded all that it needs.
		"GOPROXY=off")
}
