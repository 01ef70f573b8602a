// The go command that started this action, read from the system: with the same
// program, environment, directory, flags and packages, another go command sees
// the same build.

package plain

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
	environ []string // what it was started with, but for GOFLAGS
	goflags []string // GOFLAGS, and
	flags   []string // build flags, without those that have no say in a compiled package
	roots   []string // what its command line says for packages
	tests   bool     // the packages' tests are built too

	modes []string // flags of compile that stand for build flags: -race, …
	words []string // of -gcflags, as far as they are known
	asm   bool     // there are -asmflags
	cover bool     // there may be packages of the standard library for -cover
	named bool     // a -gcflags or -asmflags is for the packages of the command line only

	noPlain error // why the plain archives of the build's packages cannot be asked for
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
	// Compile actions run where -C has led the go command, which says in
	// $GOFLAGS what its env file has.
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

// add takes up a flag: to is c.goflags or c.flags.
func (c *OuterCommand) add(to *[]string, f toolchain.GoFlag) error {
	name, value := f.Name, f.Value
	c.cover = c.cover || strings.HasPrefix(name, "cover")
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

// perPackage returns the value of -gcflags or -asmflags for a command that names
// other packages. A value without a pattern is for those that are named; here it
// still has to take the place of one in GOFLAGS.
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

// forNamed begins the value of a -gcflags or -asmflags that is for the packages
// that the command line names.
const forNamed = "scavenger.invalid/none="

// OfVersion reports whether the go command builds what a version names, such as
// example.com/cmd@latest, for which no main module counts.
func (c *OuterCommand) OfVersion() bool {
	return slices.ContainsFunc(c.roots, func(root string) bool { return strings.Contains(root, "@") })
}

// ForStdlib returns the flags and the environment of a go command in dir that
// compiles the standard library as this one does.
func (c *OuterCommand) ForStdlib(dir string) (flags, env []string) {
	return c.stdlibFlags(c.flags), c.env(dir, c.stdlibFlags(c.goflags))
}

// stdlibFlags returns flags with those for the packages that the command line names
// given to the packages of the standard library among them, and without the
// ID flags of the front-end, which only we know.
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

// silentWords are the flags that people give compile and that make it neither print
// anything nor write another file. A package taken from the plain cache prints nothing.
var silentWords = []string{"-B", "-N", "-dwarf=false", "-l", "-smallframes", "-spectre=all", "-spectre=index", "-spectre=ret"}

// env returns the environment for a go command that is to see the same build,
// but for its -toolexec.
func (c *OuterCommand) env(dir string, goflags []string) []string {
	return append(slices.Clip(c.environ), "PWD="+dir,
		// Never empty: the go command would look into its env file then, where
		// a -toolexec may stand.
		"GOFLAGS="+toolchain.JoinQuoted(append([]string{"-buildvcs=false"}, goflags...)),
		// All that the build needs is there already.
		"GOPROXY=off")
}
