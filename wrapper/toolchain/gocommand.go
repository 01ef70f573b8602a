// The command line of the go command.

package toolchain

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// What a flag of the go command means for a package that it compiles.
type flagUse int

const (
	Dropped    flagUse = iota + 1 // nothing
	Kept                          // something, and go list has it too
	PerPackage                    // what its pattern says
	Special                       // see (*OuterCommand).add
)

// A GoFlag is what is to be known of a flag of the go command.
type GoFlag struct {
	Use   flagUse
	Value bool // it takes one, maybe as an argument of its own
}

// BuildFlags are the flags of all commands that build.
var BuildFlags = map[string]GoFlag{
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

// CommandFlags are the further flags of each command that builds, none of which
// has a say in how a package is compiled. Those that end in "=" take a value.
var CommandFlags = map[string][]string{
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

// KnownElsewhere reports whether any command has the flag.
func KnownElsewhere(name string) bool {
	for _, flags := range CommandFlags {
		if slices.Contains(flags, name) || slices.Contains(flags, name+"=") {
			return true
		}
	}
	return false
}

// RunPackages returns those of go run's arguments that are what it runs: Go
// files, or one package.
func RunPackages(args []string) []string {
	n := 0
	for n < len(args) && strings.HasSuffix(args[n], ".go") {
		n++
	}
	return args[:min(max(n, 1), len(args))]
}

// moduleFlags are the names of these flags.
var moduleFlags = []string{"modfile", "overlay"}

// A GoCall is a command line of the go command, taken apart.
type GoCall struct {
	Dir      string   // -C, "" for the working directory
	before   []string // the command, and -C
	after    []string // everything else
	Gcflags  []string // values of -gcflags, which is in neither
	toolexec *string  // that of -toolexec, nil if it is not given

	Module map[string]string // those of moduleFlags, which are in after too
}

// OurToolexec returns our flags in the toolexec value: those that stand there if
// that is us, otherwise that what stands there comes next.
func (c *GoCall) OurToolexec(exe string) ([]string, error) {
	if c.toolexec == nil {
		return nil, nil
	}
	words, err := SplitQuoted(*c.toolexec)
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
	return []string{"-next=" + JoinQuoted(words)}, nil
}

func (c *GoCall) Arguments(toolexec, gcflags []string) []string {
	args := append(slices.Clip(c.before), "-toolexec="+JoinQuoted(toolexec))
	for _, v := range gcflags {
		args = append(args, "-gcflags="+v)
	}
	return append(args, c.after...)
}

// SplitGoCall takes a command line apart. It returns false for commands that do
// not build, and for command lines that go will refuse.
func SplitGoCall(args []string) (*GoCall, bool) {
	c := &GoCall{Module: map[string]string{}}
	takeDir := func() {
		if len(args) > 1 && OneDash(args[0]) == "-C" {
			c.Dir, c.before, args = args[1], append(c.before, args[:2]...), args[2:]
		} else if len(args) > 0 && strings.HasPrefix(OneDash(args[0]), "-C=") {
			c.Dir, c.before, args = OneDash(args[0])[3:], append(c.before, args[0]), args[1:]
		}
	}
	takeDir()
	if len(args) == 0 || CommandFlags[args[0]] == nil {
		return nil, false
	}
	command := args[0]
	c.before, args = append(c.before, command), args[1:]
	takeDir()
	for len(args) > 0 {
		arg := args[0]
		name, value, hasValue := strings.Cut(strings.TrimPrefix(OneDash(arg), "-"), "=")
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
		takes := BuildFlags[name].Value || slices.Contains(CommandFlags[command], strings.TrimPrefix(name, "test.")+"=")
		if takes && !hasValue {
			if len(args) == 1 {
				return nil, false
			}
			n, value = 2, args[1]
		}
		switch name {
		case "gcflags":
			c.Gcflags = append(c.Gcflags, value)
		case "toolexec":
			c.toolexec = &value
		case "modfile", "overlay": // moduleFlags
			c.Module[name] = value
			fallthrough
		default:
			c.after = append(c.after, args[:n]...)
		}
		args = args[n:]
	}
	return c, true
}

// AddGOFLAGS takes from GOFLAGS what the command line does not have: a flag of
// the command line takes the place of all in GOFLAGS.
func (c *GoCall) AddGOFLAGS(goflags []string) {
	var gcflags []string
	var toolexec *string
	module := map[string]string{}
	for _, flag := range goflags {
		flag = OneDash(flag)
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
	maps.Copy(module, c.Module)
	c.Module = module
	if len(c.Gcflags) == 0 {
		c.Gcflags = gcflags
	}
	if c.toolexec == nil {
		c.toolexec = toolexec
	}
}

// ModuleWords returns the flags in the form in which actions take them.
func (c *GoCall) ModuleWords() []string {
	var words []string
	for _, name := range moduleFlags {
		if value := c.Module[name]; value != "" {
			words = append(words, "-"+name+"="+value)
		}
	}
	return words
}

// GoflagsIn returns the flags in GOFLAGS, with what the go command's env file has.
func GoflagsIn(goFile, dir string) ([]string, error) {
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

// OuterGoCall returns the command line of the go command that started this action.
func OuterGoCall() (*GoCall, error) {
	proc := filepath.Join("/proc", fmt.Sprint(os.Getppid()))
	program, err := os.Readlink(filepath.Join(proc, "exe"))
	if err != nil {
		return nil, err
	}
	if filepath.Base(program) != "go" {
		return nil, fmt.Errorf("started by %s, not by the go command", filepath.Base(program))
	}
	args, err := ReadStrings(filepath.Join(proc, "cmdline"))
	if err != nil {
		return nil, err
	}
	call, ok := SplitGoCall(args[1:])
	if !ok {
		return nil, errors.New("no command that builds")
	}
	return call, nil
}

// ReadStrings reads a file of strings that each end with a zero byte.
func ReadStrings(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if len(text) == 0 {
		return nil, fmt.Errorf("%s: empty", file)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00"), nil
}
