// Builders other than the go command. What the go command tells a tool in
// TOOLEXEC_IMPORTPATH, they keep to themselves: they compile every main package as main.
// The builder of rules_go (Bazel) has the import path on its own command line.

package toolchain

import (
	"os"
	"strings"
)

// builderVerb is the word with which rules_go starts its builder to compile a package.
const builderVerb = "compilepkg"

// BuilderImportPath returns the import path of the package that the builder of rules_go
// compiles, if that has started this process. It returns "" if another program has, or if
// the system does not tell how it was called.
func BuilderImportPath() string {
	args, err := parentArgs()
	if err != nil {
		return ""
	}
	return builderImportPath(args)
}

// builderImportPath finds the import path in the arguments of rules_go's builder, which
// may be in a file that Bazel has written.
func builderImportPath(args []string) string {
	if len(args) < 2 || args[1] != builderVerb && !strings.HasPrefix(args[1], "-param=") {
		return ""
	}
	var expanded []string
	for _, arg := range args[1:] {
		file, ok := strings.CutPrefix(arg, "-param=")
		if !ok {
			expanded = append(expanded, arg)
			continue
		}
		text, err := os.ReadFile(file) // the builder has our working directory
		if err != nil {
			return ""
		}
		expanded = append(expanded, paramsFile(string(text))...)
	}
	if len(expanded) == 0 || expanded[0] != builderVerb {
		return ""
	}
	path, _ := FlagValue(expanded, "-importpath")
	return path
}

// paramsFile returns the arguments in a file of Bazel's "shell" format: one a line, some
// in single quotes, with backslashes for what cannot stand there.
func paramsFile(text string) []string {
	var args []string
	var arg strings.Builder
	quoted, escaped := false, false
	for i := range len(text) {
		switch b := text[i]; {
		case escaped:
			arg.WriteByte(b)
			escaped = false
		case b == '\'':
			quoted = !quoted
		case !quoted && b == '\\':
			escaped = true
		case !quoted && b == '\n':
			args = append(args, arg.String())
			arg.Reset()
		default:
			arg.WriteByte(b)
		}
	}
	if arg.Len() > 0 {
		args = append(args, arg.String())
	}
	return args
}

// IsGeneratedTestMain reports whether the files are those of the main package of a test
// binary that a builder other than the go command has generated. Such a package is one
// file, and imports testing/internal/testdeps, which is there for nothing else.
func IsGeneratedTestMain(files []string, cfg *Importcfg) bool {
	_, ok := cfg.Packages["testing/internal/testdeps"]
	return ok && len(files) == 1
}
