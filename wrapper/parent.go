// The go command that started this action, read from the system: with the same
// program, environment, directory, flags and packages, another go command sees
// the same build.

package wrapper

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// An outerCommand is the go command that started this action, as far as it
// decides how packages are compiled.
type outerCommand struct {
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

// readOuterCommand returns an error if anything of the go command is not known
// for sure. It needs /proc: what ps prints has lost the boundaries of arguments.
func readOuterCommand() (*outerCommand, error) {
	proc := filepath.Join("/proc", fmt.Sprint(os.Getppid()))
	program, err := os.Readlink(filepath.Join(proc, "exe"))
	if err != nil {
		return nil, errors.New("this system does not tell how the go command was called")
	}
	if filepath.Base(program) != "go" {
		return nil, fmt.Errorf("started by %s, not by the go command", filepath.Base(program))
	}
	args, err := readStrings(filepath.Join(proc, "cmdline"))
	if err != nil {
		return nil, err
	}
	environ, err := readStrings(filepath.Join(proc, "environ"))
	if err != nil {
		return nil, err
	}
	// Compile actions run where -C has led the go command, which says in
	// $GOFLAGS what its env file has.
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	goflags, err := splitQuoted(os.Getenv("GOFLAGS"))
	if err != nil {
		return nil, fmt.Errorf("GOFLAGS: %w", err)
	}
	c := &outerCommand{program: program, dir: dir}
	for _, v := range environ {
		if !strings.HasPrefix(v, "GOFLAGS=") {
			c.environ = append(c.environ, v)
		}
	}
	return c, c.parse(args, goflags)
}

// readStrings reads a file of strings that each end with a zero byte.
func readStrings(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if len(text) == 0 {
		return nil, fmt.Errorf("%s: empty", file)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00"), nil
}

// What a flag of the go command means for a package that it compiles.
type flagUse int

const (
	dropped    flagUse = iota + 1 // nothing
	kept                          // something, and go list has it too
	perPackage                    // what its pattern says
	special                       // see (*outerCommand).add
)

// A goFlag is what is to be known of a flag of the go command.
type goFlag struct {
	use   flagUse
	value bool // it takes one, maybe as an argument of its own
}

// buildFlags are the flags of all commands that build.
var buildFlags = map[string]goFlag{
	"C": {dropped, true}, "a": {special, false}, "asan": {kept, false}, "asmflags": {perPackage, true},
	"buildmode": {special, true}, "buildvcs": {dropped, false}, "compiler": {special, true},
	"cover": {dropped, false}, "covermode": {dropped, true}, "coverpkg": {dropped, true},
	"debug-actiongraph": {dropped, true}, "debug-runtime-trace": {dropped, true}, "debug-trace": {dropped, true},
	"gccgoflags": {dropped, true}, "gcflags": {perPackage, true}, "installsuffix": {kept, true},
	"json": {dropped, false}, "ldflags": {dropped, true}, "linkshared": {special, false},
	"mod": {kept, true}, "modcacherw": {kept, false}, "modfile": {kept, true}, "msan": {kept, false},
	"n": {dropped, false}, "o": {dropped, true}, "overlay": {kept, true}, "p": {kept, true},
	"pgo": {dropped, true}, "pkgdir": {special, true}, "race": {kept, false}, "tags": {kept, true},
	"toolexec": {dropped, true}, "trimpath": {kept, false}, "v": {dropped, false},
	"work": {dropped, false}, "x": {dropped, false},
}

// commandFlags are the further flags of each command that builds, none of which
// has a say in how a package is compiled. Those that end in "=" take a value.
var commandFlags = map[string][]string{
	"build":   {},
	"install": {},
	"run":     {"exec="},
	"vet":     {"c=", "diff", "fix", "vettool="},
	"list":    {"compiled", "deps", "e", "export", "f=", "find", "test"},
	"test": {"artifacts", "bench=", "benchmem", "benchtime=", "blockprofile=", "blockprofilerate=", "c", "count=",
		"coverprofile=", "cpu=", "cpuprofile=", "exec=", "failfast", "fullpath", "fuzz=", "fuzzminimizetime=", "fuzztime=",
		"list=", "memprofile=", "memprofilerate=", "mutexprofile=", "mutexprofilefraction=", "outputdir=", "parallel=",
		"run=", "short", "shuffle=", "skip=", "timeout=", "trace=", "vet="},
}

// parse reads the command line and GOFLAGS.
func (c *outerCommand) parse(args, goflags []string) error {
	args = args[1:]
	if len(args) > 1 && oneDash(args[0]) == "-C" {
		args = args[2:]
	} else if len(args) > 0 && strings.HasPrefix(oneDash(args[0]), "-C=") {
		args = args[1:]
	}
	if len(args) == 0 || commandFlags[args[0]] == nil {
		return fmt.Errorf("not known for go %s", strings.Join(args[:min(1, len(args))], ""))
	}
	command := args[0]
	c.tests = command == "test" || command == "vet"
	for _, flag := range goflags {
		name, value, hasValue := strings.Cut(strings.TrimPrefix(oneDash(flag), "-"), "=")
		if f, ok := buildFlags[name]; ok {
			if err := c.add(&c.goflags, name, value, hasValue, f); err != nil {
				return err
			}
		} else if !knownElsewhere(name) { // what a command does not know in GOFLAGS it leaves aside
			return fmt.Errorf("GOFLAGS: flag -%s is not known", name)
		}
	}
	rest, err := c.parseFlags(command, args[1:])
	if err != nil {
		return err
	}
	c.roots = append(c.roots, rest...)
	if command == "run" {
		c.roots = runPackages(c.roots)
	}
	for _, root := range c.roots {
		if strings.Contains(root, "@") {
			c.noPlain = errors.New("packages of a module version are not known to go list")
		}
	}
	return nil
}

// knownElsewhere reports whether any command has the flag.
func knownElsewhere(name string) bool {
	for _, flags := range commandFlags {
		if slices.Contains(flags, name) || slices.Contains(flags, name+"=") {
			return true
		}
	}
	return false
}

// runPackages returns those of go run's arguments that are what it runs: Go
// files, or one package.
func runPackages(args []string) []string {
	n := 0
	for n < len(args) && strings.HasSuffix(args[n], ".go") {
		n++
	}
	return args[:min(max(n, 1), len(args))]
}

// parseFlags reads a command's flags and returns what follows them. Test has
// flags after its packages too, and then those of the test binary.
func (c *outerCommand) parseFlags(command string, args []string) (rest []string, err error) {
	seenPackages := false
	for len(args) > 0 {
		arg := args[0]
		if arg == "--" && command != "test" {
			return args[1:], nil
		}
		if !strings.HasPrefix(arg, "-") || arg == "-" {
			if command != "test" {
				return args, nil
			}
			if seenPackages { // an argument of the test binary
				return nil, nil
			}
			for len(args) > 0 && !strings.HasPrefix(args[0], "-") {
				c.roots, args = append(c.roots, args[0]), args[1:]
			}
			seenPackages = true
			continue
		}
		args = args[1:]
		name, value, hasValue := strings.Cut(strings.TrimPrefix(oneDash(arg), "-"), "=")
		if command == "test" {
			name = strings.TrimPrefix(name, "test.")
		}
		flag, ok := buildFlags[name]
		switch own := commandFlags[command]; {
		case slices.Contains(own, name):
			flag = goFlag{dropped, false}
			c.tests = c.tests || command == "list" && name == "test"
		case slices.Contains(own, name+"="):
			flag = goFlag{dropped, true}
		case command == "test" && (name == "args" || name == ""):
			return nil, nil
		case !ok:
			return nil, fmt.Errorf("flag -%s is not known", name)
		}
		if flag.value && !hasValue {
			if len(args) == 0 {
				return nil, fmt.Errorf("flag -%s has no value", name)
			}
			value, hasValue, args = args[0], true, args[1:]
		}
		if err := c.add(&c.flags, name, value, hasValue, flag); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// add takes up a flag: to is c.goflags or c.flags.
func (c *outerCommand) add(to *[]string, name, value string, hasValue bool, flag goFlag) error {
	on := !hasValue || value == "true" || value == "1"
	c.cover = c.cover || strings.HasPrefix(name, "cover")
	switch {
	case flag.use == perPackage:
		value = c.perPackage(name, value)
	case flag.use == kept:
		if on && (name == "race" || name == "msan" || name == "asan") {
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
		if on {
			c.noPlain = errors.New("-a")
		}
		return nil
	case flag.use == special:
		if name == "compiler" && value == "gc" || !flag.value && !on {
			return nil
		}
		return fmt.Errorf("-%s", name)
	default:
		return nil
	}
	if hasValue {
		name += "=" + value
	}
	*to = append(*to, "-"+name)
	return nil
}

// perPackage returns the value of -gcflags or -asmflags for a command that names
// other packages. A value without a pattern is for those that are named; here it
// still has to take the place of one in GOFLAGS.
func (c *outerCommand) perPackage(name, value string) string {
	_, flags, ok := strings.Cut(value, "=")
	if !ok || strings.HasPrefix(strings.TrimSpace(value), "-") {
		c.named = true
		return forNamed + strings.TrimSpace(value)
	}
	words, _ := splitQuoted(flags)
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

// forStdlib returns flags with those for the packages that the command line names
// given to the packages of the standard library among them, and without the
// ID flags of the front-end, which only we know.
func (c *outerCommand) forStdlib(flags []string) []string {
	var out []string
	for _, flag := range flags {
		name, value, _ := strings.Cut(flag, "=")
		if name != "-gcflags" && name != "-asmflags" {
			out = append(out, flag)
			continue
		}
		if i := strings.Index(value, idFlag); i >= 0 { // the last word, and an ID
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

// silentWords are the flags of compile that people give and that do not make it
// print anything or write another file: a package taken from the plain cache
// prints nothing.
var silentWords = []string{"-B", "-N", "-dwarf=false", "-l", "-smallframes", "-spectre=all", "-spectre=index", "-spectre=ret"}

// env returns the environment for a go command that is to see the same build,
// but for its -toolexec.
func (c *outerCommand) env() []string {
	return append(slices.Clip(c.environ), "PWD="+c.dir,
		// Never empty: the go command would look into its env file then, where
		// a -toolexec may stand.
		"GOFLAGS="+joinQuoted(append([]string{"-buildvcs=false"}, c.goflags...)),
		// All that the build needs is there already.
		"GOPROXY=off")
}
