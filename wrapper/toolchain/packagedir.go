// The directory of a package, as its archive records it.

package toolchain

import (
	"bufio"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// PackageDir returns the directory of a package's files as the archive records it. That
// is the directory of the package, or what -trimpath makes of it. PackageDir returns ""
// if it is not known.
//
// The files that compile gets may be elsewhere: -overlay takes them from anywhere, and
// cgo and cover write theirs to the object directory.
func PackageDir(flags, files []string) string {
	out, _ := FlagValue(flags, "-o")
	objects, err := filepath.Abs(filepath.Dir(out))
	if err != nil {
		return ""
	}
	rewrites, _ := FlagValue(flags, "-trimpath")
	for _, file := range files {
		file, err := filepath.Abs(file)
		if err != nil {
			return ""
		}
		if filepath.Dir(file) == objects {
			if file = lineDirective(file); !strings.ContainsAny(file, `/\`) {
				continue // generated from no file
			}
		}
		return path.Dir(filepath.ToSlash(rewritePath(file, rewrites)))
	}
	return ""
}

// lineDirective returns the file that the //line directive at the start of a generated
// file names, or "" if there is none. If cover and cgo have both changed the file, there
// are two directives, and the last one names the original.
func lineDirective(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	found := ""
	lines := bufio.NewScanner(f)
	for n := 0; n < 10 && lines.Scan(); n++ {
		at, ok := strings.CutPrefix(lines.Text(), "//line ")
		if !ok && found != "" {
			break
		}
		if ok {
			found = withoutPosition(at)
		}
	}
	return found
}

// withoutPosition takes line and column off a "FILE:1:1".
func withoutPosition(at string) string {
	for range 2 {
		if i := strings.LastIndexByte(at, ':'); i > 1 && strings.Trim(at[i+1:], "0123456789") == "" {
			at = at[:i]
		}
	}
	return at
}

// rewritePath returns what the compiler records for a file. rewrites is the value of its
// -trimpath, "FROM=>TO;FROM=>TO", of which the first that fits counts.
func rewritePath(file, rewrites string) string {
	for rewrite := range strings.SplitSeq(rewrites, ";") {
		from, to := rewrite, ""
		if i := strings.LastIndex(rewrite, "=>"); i >= 0 {
			from, to = rewrite[:i], rewrite[i+len("=>"):]
		}
		rest, ok := strings.CutPrefix(file, from)
		switch {
		case !ok || from == "":
		case rest == "":
			return to
		case os.IsPathSeparator(rest[0]) && to == "":
			return rest[1:]
		case os.IsPathSeparator(rest[0]):
			return to + rest
		}
	}
	return file
}
