// The command line of the go command.
//
// The front-end adds flags of ours to one, and passes on the flags that it does not
// know. An action reads the one that started it, in order to run a second go command
// that sees the same build; it gives up if it does not know one of the flags.

package toolchain

import (
	"bytes"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// A FlagUse is what a flag of the go command means for a package that it compiles.
type FlagUse int

// The uses of flags. The zero value is that of a flag that is not known.
const (
	Dropped    FlagUse = iota + 1 // nothing
	Kept                          // something, and go list has the flag too
	PerPackage                    // something, if the flag's pattern matches the package
	Special                       // something that is different for each flag
)

// A flagKind describes a flag of the go command.
type flagKind struct {
	use   FlagUse
	value bool // it takes one, maybe as an argument of its own
}

// buildFlags are the flags of all commands that build.
var buildFlags = map[string]flagKind{
	"C": {Dropped, true}, "a": {Special, false}, "asan": {Kept, false}, "asmflags": {PerPackage, true},
	"buildmode": {Special, true}, "buildvcs": {Dropped, false}, "compiler": {Special, true},
	"cover": {Dropped, false}, "covermode": {Dropped, true}, "coverpkg": {Dropped, true},
	"debug-actiongraph": {Dropped, true}, "debug-runtime-trace": {Dropped, true}, "debug-trace": {Dropped, true},
	"gccgoflags": {Dropped, true}, "gcflags": {PerPackage, true}, "installsuffix": {Kept, true},
	"json": {Dropped, false}, "ldflags": {Dropped, true}, "linkshared": {Special, false},
	"mod": {Kept, true}, "modcacherw": {Kept, false}, "modfile": {Kept, true}, "msan": {Kept, false},
	"n": {Dropped, false}, "o": {Dropped, true}, "overlay": {Kept, true}, "p": {Kept, true},
	"pgo": {Dropped, true}, "pkgdir": {Special, true}, "race": {Kept, false}, "tags": {Kept, true},
	"toolexec": {Dropped, true}, "trimpath": {Kept, false}, "v": {Dropped, false},
	"work": {Dropped, false}, "x": {Dropped, false},
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

// kindOf returns the kind of a flag of a command.
func kindOf(command, name string) flagKind {
	switch own := commandFlags[command]; {
	case slices.Contains(own, name):
		return flagKind{Dropped, false}
	case slices.Contains(own, name+"="):
		return flagKind{Dropped, true}
	}
	return buildFlags[name]
}

// A GoFlag is a flag on a command line of the go command.
type GoFlag struct {
	Name     string // without dashes
	Value    string
	HasValue bool
	Use      FlagUse
}

// On reports whether a flag without a value of its own is set.
func (f GoFlag) On() bool { return !f.HasValue || f.Value == "true" || f.Value == "1" }

// A GoCommand is a parsed command line of the go command. The zero value stands for an
// unknown one.
type GoCommand struct {
	Name     string   // build, test, …
	Dir      string   // -C, "" for the working directory
	Flags    []GoFlag // those of the go command, in order
	Packages []string // the packages that it names; for run, followed by the program's arguments
	GOFLAGS  []GoFlag // see SetGOFLAGS

	head []string // the command, and -C
	tail []part   // all that follows
}

// A part is a flag with its value, or, if flag is "", words that are no flag.
type part struct {
	flag  string
	words []string
}

// ParseGoCommand parses the arguments of a go command. It returns an error for commands
// that do not build, and for arguments that go will refuse.
func ParseGoCommand(args []string) (*GoCommand, error) {
	c := new(GoCommand)
	args = c.takeDir(args)
	if len(args) == 0 || commandFlags[args[0]] == nil {
		return nil, fmt.Errorf("not known for go %s", strings.Join(args[:min(1, len(args))], ""))
	}
	c.Name, c.head = args[0], append(c.head, args[0])
	args = c.takeDir(args[1:])
	for len(args) > 0 {
		n, err := c.takeFlag(args)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			n = c.takeWords(args)
		}
		args = args[n:]
	}
	return c, nil
}

// takeDir reads a -C, which must be the first flag, and returns the arguments after it.
func (c *GoCommand) takeDir(args []string) []string {
	n := 0
	if len(args) > 1 && OneDash(args[0]) == "-C" {
		c.Dir, n = args[1], 2
	} else if len(args) > 0 && strings.HasPrefix(OneDash(args[0]), "-C=") {
		c.Dir, n = OneDash(args[0])[len("-C="):], 1
	}
	c.head = append(c.head, args[:n]...)
	return args[n:]
}

// takeFlag reads a flag at the beginning of args, and returns how many arguments it
// has read: 0 if there is no flag.
func (c *GoCommand) takeFlag(args []string) (n int, err error) {
	arg := OneDash(args[0])
	if !strings.HasPrefix(arg, "-") || arg == "-" || c.ends(arg) {
		return 0, nil
	}
	f := ParseFlag(arg)
	if c.Name == "test" {
		f.Name = strings.TrimPrefix(f.Name, "test.")
	}
	kind := kindOf(c.Name, f.Name)
	f.Use, n = kind.use, 1
	if kind.value && !f.HasValue {
		if len(args) == 1 {
			return 0, fmt.Errorf("flag -%s has no value", f.Name)
		}
		f.Value, f.HasValue, n = args[1], true, 2
	}
	c.Flags = append(c.Flags, f)
	c.tail = append(c.tail, part{f.Name, args[:n]})
	return n, nil
}

// ends reports whether an argument ends the flags of the go command. arg has been through
// OneDash, which makes "-" of "--".
func (c *GoCommand) ends(arg string) bool {
	return arg == "-" || c.Name == "test" && (arg == "-args" || strings.HasPrefix(arg, "-args="))
}

// takeWords reads arguments that are no flags, and returns how many it has read. For
// most commands that is the rest of the line. But go test takes flags after its
// packages, and hands unknown flags to the test binary: the next word may then be the
// value of such a flag, and more flags may follow it. Without one, the first word after
// the packages and the flags ends the flags.
func (c *GoCommand) takeWords(args []string) int {
	n := len(args)
	words := args
	switch {
	case c.Name != "test":
		if args[0] == "--" {
			words = args[1:]
		}
		c.Packages = words
	case !strings.HasPrefix(args[0], "-"):
		unknown := slices.ContainsFunc(c.Flags, func(f GoFlag) bool { return f.Use == 0 })
		if c.Packages != nil && !unknown {
			break
		}
		if n = slices.IndexFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "-") }); n < 0 {
			n = len(args)
		}
		if c.Packages == nil {
			c.Packages = args[:n]
		}
	}
	c.tail = append(c.tail, part{"", args[:n]})
	return n
}

// ParseFlag reads one argument.
func ParseFlag(arg string) GoFlag {
	name, value, hasValue := strings.Cut(strings.TrimPrefix(OneDash(arg), "-"), "=")
	return GoFlag{Name: name, Value: value, HasValue: hasValue}
}

// SetGOFLAGS adds the flags in GOFLAGS. The go command ignores a flag there that only
// other commands know.
func (c *GoCommand) SetGOFLAGS(words []string) {
	for _, word := range words {
		f := ParseFlag(word)
		kind, ok := buildFlags[f.Name]
		for command := range commandFlags {
			if !ok && kind.use == 0 {
				kind = kindOf(command, f.Name)
			}
		}
		f.Use = kind.use
		c.GOFLAGS = append(c.GOFLAGS, f)
	}
}

// Values returns the values of a flag. A flag on the command line overrides all of its
// name in GOFLAGS.
func (c *GoCommand) Values(name string) []string {
	for _, flags := range [][]GoFlag{c.Flags, c.GOFLAGS} {
		var values []string
		for _, f := range flags {
			if f.Name == name && f.HasValue {
				values = append(values, f.Value)
			}
		}
		if values != nil {
			return values
		}
	}
	return nil
}

// Value returns the last value of a flag, which is the one that counts. ok reports
// whether there is one.
func (c *GoCommand) Value(name string) (value string, ok bool) {
	values := c.Values(name)
	if len(values) == 0 {
		return "", false
	}
	return values[len(values)-1], true
}

// Module returns the values of the flags that say where go.mod is; both are optional.
func (c *GoCommand) Module() (modFile, overlay string) {
	modFile, _ = c.Value("modfile")
	overlay, _ = c.Value("overlay")
	return modFile, overlay
}

// With returns the arguments with another -toolexec and other -gcflags.
func (c *GoCommand) With(toolexec string, gcflags []string) []string {
	args := append(slices.Clip(c.head), "-toolexec="+toolexec)
	for _, v := range gcflags {
		args = append(args, "-gcflags="+v)
	}
	for _, p := range c.tail {
		if p.flag != "toolexec" && p.flag != "gcflags" {
			args = append(args, p.words...)
		}
	}
	return args
}

// Roots returns what the go command builds. For run that is its first arguments: some
// Go files, or one package.
func (c *GoCommand) Roots() []string {
	if c.Name != "run" {
		return c.Packages
	}
	n := 0
	for n < len(c.Packages) && strings.HasSuffix(c.Packages[n], ".go") {
		n++
	}
	return c.Packages[:min(max(n, 1), len(c.Packages))]
}

// ReadGOFLAGS returns the flags in GOFLAGS, also if it comes from the go command's env
// file.
func ReadGOFLAGS(goFile, dir string) ([]string, error) {
	goEnv := exec.Command(goFile, "env", "GOFLAGS")
	var stderr bytes.Buffer
	goEnv.Dir, goEnv.Stderr = dir, &stderr
	out, err := goEnv.Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOFLAGS: %w\n%s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	flags, err := SplitQuoted(string(out))
	if err != nil {
		return nil, fmt.Errorf("GOFLAGS: %w", err)
	}
	return flags, nil
}
