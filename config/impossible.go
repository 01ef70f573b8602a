// Patterns that no package can match.
//
// One program does not show whether a pattern is wrong: with packages = ["…/cart",
// "…/stock"] a program that has no stock is built as it should be. But a package
// of a main module has a directory, and any other is of a module that go.mod
// requires. A pattern for which there is neither is a mistake, whatever is built.

package config

import (
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/mod/semver"
)

// CannotMatch returns those of the [Config.Unmatched] patterns that no package of
// the main modules, and none that they can import, would match.
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

// A ground is what patterns can be about.
type universe struct {
	dirs     map[string]string // main modules and where they are
	required []string          // module paths
}

// ground returns false if not everything is known.
func (c *Config) universe() (*universe, bool) {
	u := &universe{dirs: map[string]string{}}
	for _, m := range c.tree.main {
		if m.mod == nil || m.mod.Go == nil || semver.Compare("v"+m.mod.Go.Version, "v1.17") < 0 { // which does not list all
			return nil, false
		}
		u.dirs[m.path] = m.dir
		for _, r := range m.mod.Require {
			u.required = append(u.required, r.Mod.Path)
		}
	}
	return u, len(u.dirs) > 0
}

// bears reports whether there may be a package that matches a pattern.
func (u *universe) mayMatch(pattern string) bool {
	head, _, wild := strings.Cut(strings.TrimSuffix(pattern, "/"), "...")
	if wild && !strings.HasSuffix(head, "/") {
		head = path.Dir(head) // of the element that "..." is in the rest is not known
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

// meets reports whether one of two paths, of which the first may be dotted, is in
// the other.
func overlaps(head, modulePath string) bool {
	_, below := cutPath(head, modulePath)
	return below || matchPattern(head, modulePath)
}

// cutPath returns what is left of a pattern below a module path.
func cutPath(pattern, modulePath string) (rest string, ok bool) {
	if isDotted(pattern) {
		modulePath = strings.ReplaceAll(modulePath, "/", ".")
		rest, ok = strings.CutPrefix(pattern, modulePath)
		return strings.TrimPrefix(rest, "."), ok && (rest == "" || rest[0] == '.')
	}
	rest, ok = strings.CutPrefix(pattern, modulePath)
	return strings.TrimPrefix(rest, "/"), ok && (rest == "" || rest[0] == '/')
}

// hasDir reports whether a directory is there; each dot of a dotted name may
// stand for a slash.
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
