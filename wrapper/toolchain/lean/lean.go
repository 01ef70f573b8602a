// Package lean holds those parts of wrapper/toolchain that wrapper/early needs. It does
// without strings and path/filepath: wrapper/early says why.
//
// It may import nothing of ours, and of the standard library what wrapper/early may.
package lean

import (
	"os"
	"slices"
)

// Dir returns the directory of a file, "" if the path has none.
func Dir(file string) string {
	for i := len(file) - 1; i >= 0; i-- {
		if os.IsPathSeparator(file[i]) {
			return file[:i]
		}
	}
	return ""
}

// Base returns the last element of a path.
func Base(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if os.IsPathSeparator(path[i]) {
			return path[i+1:]
		}
	}
	return path
}

// HasPrefix reports whether s begins with prefix.
func HasPrefix(s, prefix string) bool { return len(s) >= len(prefix) && s[:len(prefix)] == prefix }

// WorkDirectory returns the work directory of a go command, in which each action has its
// object directory. file is a file in an object directory. WorkDirectory returns "" if it
// is not known.
func WorkDirectory(file string) string {
	for dir := Dir(file); dir != ""; dir = Dir(dir) {
		if HasPrefix(Base(dir), "go-build") {
			return dir
		}
	}
	return ""
}

// The flags of compile that the go command sets without being asked: with a value,
// without one, and those that stand for a build flag.
var (
	packageValues = []string{"-asmhdr", "-buildid", "-c", "-embedcfg", "-goversion", "-importcfg", "-installsuffix",
		"-lang", "-o", "-p", "-symabis", "-trimpath"}
	packageFlags = []string{"-complete", "-nolocalimports", "-pack", "-std"}
	modeFlags    = []string{"-asan", "-msan", "-race", "-shared"}
)

// OfPackage reports whether the go command sets a flag of compile without being asked,
// and whether the flag has a value.
func OfPackage(name string) (known, hasValue bool) {
	hasValue = slices.Contains(packageValues, name)
	return hasValue || slices.Contains(packageFlags, name), hasValue
}

// IsModeFlag reports whether a flag of compile stands for a build flag.
func IsModeFlag(flag string) bool { return slices.Contains(modeFlags, flag) }
