// Reading and replacing flags in a tool's argument list. The set of flags is
// left open, as each Go release may add some: only those that are asked for
// are looked at, and the others stay where they are.

package toolchain

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain/lean"
)

// HasFlag reports whether a boolean flag such as "-race" is set.
func HasFlag(args []string, name string) bool {
	for _, arg := range args {
		arg = OneDash(arg)
		if arg == name || arg == name+"=true" || arg == name+"=1" {
			return true
		}
	}
	return false
}

// FlagValue returns the value of the last flag of that name ("-p"), written
// as "-p x" or "-p=x". ok reports whether there is one.
func FlagValue(args []string, name string) (value string, ok bool) {
	for i, arg := range args {
		arg = OneDash(arg)
		if arg == name && i+1 < len(args) {
			value, ok = args[i+1], true
		} else if v, found := strings.CutPrefix(arg, name+"="); found {
			value, ok = v, true
		}
	}
	return value, ok
}

// SetFlag returns a copy of args in which the flag of that name has another
// value; it is added in front if args has none.
func SetFlag(args []string, name, value string) []string {
	out := slices.Clone(args)
	found := false
	for i, arg := range out {
		arg = OneDash(arg)
		if arg == name && i+1 < len(out) {
			out[i+1], found = value, true
		} else if strings.HasPrefix(arg, name+"=") {
			out[i], found = name+"="+value, true
		}
	}
	if !found {
		out = append([]string{name, value}, out...)
	}
	return out
}

// OneDash makes "--p" of the flag package's two spellings "-p".
func OneDash(arg string) string {
	if strings.HasPrefix(arg, "--") {
		return arg[1:]
	}
	return arg
}

// givenValueFlags are the flags of compile that take a value as an argument of its own and
// that are not on the command line of every package.
var givenValueFlags = []string{"-D", "-I", "-coveragecfg", "-linkobj", "-pgoprofile"}

// compileFlag reports whether we know a flag of compile, and whether it takes a value. Only
// the last flag on a command line matters, so one of a later release has to be known only if
// the go command puts it last.
func compileFlag(name string) (known, takesValue bool) {
	if slices.Contains(givenValueFlags, name) {
		return true, true
	}
	return lean.OfPackage(name)
}

// SplitSources splits compile's arguments into the flags and the files that
// follow them. The files need not end in ".go": -overlay replaces them by files
// of any name.
func SplitSources(args []string) (flags, files []string) {
	i := len(args)
	for i > 0 && !strings.HasPrefix(args[i-1], "-") {
		i--
	}
	if i > 0 && i < len(args) {
		last := OneDash(args[i-1])
		known, takesValue := compileFlag(last)
		// After an unknown flag, an argument that is not a .go file is assumed to be
		// its value.
		if takesValue || !known && last != "-" && !strings.Contains(last, "=") && !strings.HasSuffix(args[i], ".go") {
			i++
		}
	}
	return args[:i:i], args[i:]
}

// PackagePath returns the import path of the package that is being compiled, without the
// " [x.test]" of a test variant. p is compile's -p, which is "main" for all main
// programs. Outside the go command nothing else is known.
func PackagePath(toolexecImportPath, p string) string {
	if path, _, _ := strings.Cut(toolexecImportPath, " "); path != "" {
		return path
	}
	return p
}

// IsTestMain reports whether the files are those of the generated main package
// of a test binary: _testmain.go or, under -cover, covervars.go and
// _testmain.cover.go. No file of a user's begins with an underscore.
func IsTestMain(files []string) bool {
	return slices.ContainsFunc(files, func(file string) bool {
		return strings.HasPrefix(filepath.Base(file), "_testmain.")
	})
}

// GivenMore reports whether there are flags that the go command does not set on its own.
// With such flags the compiler may print something about a package that compiles. (If a
// marked package does not compile, the user reads what the compiler prints about the
// original.)
func GivenMore(flags []string) bool {
	for i := 0; i < len(flags); i++ {
		name, _, hasValue := strings.Cut(OneDash(flags[i]), "=")
		known, takesValue := compileFlag(name)
		switch {
		case takesValue:
			if !hasValue {
				i++
			}
		case name == "-dynlink": // the go command sets it for the host of a plugin
		case !known && !lean.IsModeFlag(name):
			return true
		}
	}
	return false
}
