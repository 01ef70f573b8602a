// Patterns that no package can match.
//
// That one program contains no match does not make a pattern wrong: with packages =
// ["…/cart", "…/stock"], a program without stock is built as it should be. But a package
// of a main module has a directory, and any other package is in a module that go.mod
// requires. A pattern that fits neither is an error, whatever program is built.

package config

import (
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/mod/semver"
)

// CannotMatch returns those of the [Config.Unmatched] patterns that match neither a
// package of the main modules nor one that these can import.
func (c *Config) CannotMatch(importPaths []string) []Setting {
	unmatched := c.Unmatched(importPaths)
	if len(unmatched) == 0 {
		return nil
	}
	u, ok := c.universe()
	if !ok {
		return nil
	}
	var impossible []Setting
	for _, s := range unmatched {
		if !u.mayMatch(s.List[0]) {
			impossible = append(impossible, s)
		}
	}
	return impossible
}

// A universe says where the packages are that a build can contain.
type universe struct {
	dirs     map[string]string // the directories of main modules, by module path
	required []string          // the paths of required modules
}

// universe returns the universe of the build, and false if go.mod does not tell all of
// it.
func (c *Config) universe() (*universe, bool) {
	u := &universe{dirs: map[string]string{}}
	for _, m := range c.tree.main {
		if m.mod == nil || m.mod.Go == nil || semver.Compare("v"+m.mod.Go.Version, "v1.17") < 0 {
			return nil, false // before Go 1.17, go.mod does not list indirect requirements
		}
		u.dirs[m.path] = m.dir
		for _, r := range m.mod.Require {
			u.required = append(u.required, r.Mod.Path)
		}
	}
	return u, len(u.dirs) > 0
}

// mayMatch reports whether a package may exist that matches a pattern.
func (u *universe) mayMatch(pattern string) bool {
	head, _, wild := strings.Cut(strings.TrimSuffix(pattern, "/"), "...")
	if wild && !strings.HasSuffix(head, "/") {
		head = path.Dir(head) // the rest of the element that contains "..." is unknown
	}
	head = strings.TrimSuffix(head, "/")
	if head == "" || head == "." || head == commandLine {
		return true
	}
	for _, p := range u.required {
		if overlaps(head, p) {
			return true
		}
	}
	for p, dir := range u.dirs {
		if rest, below := cutPath(head, p); below && hasDir(dir, rest, isDotted(head)) || !below && matchPattern(head, p) {
			return true
		}
	}
	return false
}

// overlaps reports whether one of two paths is at or below the other. The first may be
// dotted.
func overlaps(head, modulePath string) bool {
	_, below := cutPath(head, modulePath)
	return below || matchPattern(head, modulePath)
}

// cutPath returns the part of a pattern that is below a module path. ok is false if the
// pattern is not at or below it.
func cutPath(pattern, modulePath string) (rest string, ok bool) {
	if isDotted(pattern) {
		modulePath = strings.ReplaceAll(modulePath, "/", ".")
		rest, ok = strings.CutPrefix(pattern, modulePath)
		return strings.TrimPrefix(rest, "."), ok && (rest == "" || rest[0] == '.')
	}
	rest, ok = strings.CutPrefix(pattern, modulePath)
	return strings.TrimPrefix(rest, "/"), ok && (rest == "" || rest[0] == '/')
}

// hasDir reports whether dir contains a directory of that name. In a dotted name each dot
// may stand for a slash.
func hasDir(dir, name string, dotted bool) bool {
	if name == "" {
		return true
	}
	for i := 0; dotted && i < len(name); i++ {
		if name[i] == '.' && isDir(filepath.Join(dir, name[:i])) && hasDir(filepath.Join(dir, name[:i]), name[i+1:], true) {
			return true
		}
	}
	return isDir(filepath.Join(dir, filepath.FromSlash(name)))
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}
