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

// Unfounded returns those of the [Config.Unmatched] patterns that no package of
// the main modules, and none that they can import, would match.
func (c *Config) Unfounded(importPaths []string) []Setting {
	unmatched := c.Unmatched(importPaths)
	if len(unmatched) == 0 {
		return nil
	}
	g, ok := c.ground()
	if !ok {
		return nil
	}
	var unfounded []Setting
	for _, s := range unmatched {
		if !g.bears(s.List[0]) {
			unfounded = append(unfounded, s)
		}
	}
	return unfounded
}

// A ground is what patterns can be about.
type ground struct {
	dirs     map[string]string // main modules and where they are
	required []string          // module paths
}

// ground returns false if not everything is known.
func (c *Config) ground() (*ground, bool) {
	g := &ground{dirs: map[string]string{}}
	for _, m := range c.tree.main {
		if m.mod == nil || m.mod.Go == nil || semver.Compare("v"+m.mod.Go.Version, "v1.17") < 0 { // which does not list all
			return nil, false
		}
		g.dirs[m.path] = m.dir
		for _, r := range m.mod.Require {
			g.required = append(g.required, r.Mod.Path)
		}
	}
	return g, len(g.dirs) > 0
}

// bears reports whether there may be a package that matches a pattern.
func (g *ground) bears(pattern string) bool {
	head, _, wild := strings.Cut(strings.TrimSuffix(pattern, "/"), "...")
	if wild && !strings.HasSuffix(head, "/") {
		head = path.Dir(head) // of the element that "..." is in the rest is not known
	}
	head = strings.TrimSuffix(head, "/")
	if head == "" || head == "." || head == commandLine {
		return true
	}
	for _, p := range g.required {
		if meets(head, p) {
			return true
		}
	}
	for p, dir := range g.dirs {
		if rest, below := cutPath(head, p); below && hasDir(dir, rest, isDotted(head)) || !below && matchPattern(head, p) {
			return true
		}
	}
	return false
}

// meets reports whether one of two paths, of which the first may be dotted, is in
// the other.
func meets(head, modulePath string) bool {
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
