// Which packages are marked.

package config

import (
	"fmt"
	"slices"
	"strings"
)

// commandLine is the import path of a package that is given as a list of files, as in "go
// run main.go". It counts as a package of the main module.
const commandLine = "command-line-arguments"

// Match reports whether the package of that import path is to be marked.
func (c *Config) Match(importPath string) bool {
	_, _, ok := c.MatchedBy(importPath)
	return ok
}

// MatchedBy returns what Match returns, and the key and the pattern that decide. Both are
// empty if no pattern matches, or if the package matches as one of the main modules.
func (c *Config) MatchedBy(importPath string) (key, pattern string, ok bool) {
	for _, p := range c.AdditionalPackages {
		if matchPattern(p, importPath) {
			return "additionalPackages", p, true
		}
	}
	for _, p := range c.ExcludePackages {
		if matchPattern(p, importPath) {
			return "excludePackages", p, false
		}
	}
	if len(c.Packages) == 0 {
		return "", "", importPath == commandLine || c.OfModules(importPath)
	}
	for _, p := range c.Packages {
		if matchPattern(p, importPath) {
			return "packages", p, true
		}
	}
	return "", "", false
}

// OfModules reports whether an import path is at or below that of a main module.
func (c *Config) OfModules(importPath string) bool {
	for _, m := range c.Modules {
		if within(importPath, m.Path) {
			return true
		}
	}
	return false
}

// NeedsAnnotation reports whether functions of a package are marked only if they have one
// of [Config.Annotations].
func (c *Config) NeedsAnnotation(importPath string) bool {
	key, _, _ := c.MatchedBy(importPath)
	return len(c.Annotations) > 0 && key != "additionalPackages"
}

// Unmatched returns the patterns that match none of the import paths. Each is a Setting
// of its own, with its position.
func (c *Config) Unmatched(importPaths []string) []Setting {
	var unmatched []Setting
	for _, s := range c.Settings {
		if s.Key.Kind != Packages {
			continue
		}
		for i, p := range s.List {
			if !slices.ContainsFunc(importPaths, func(path string) bool { return matchPattern(p, path) }) {
				unmatched = append(unmatched, Setting{Key: s.Key, List: []string{p}, From: s.fromEntry(i)})
			}
		}
	}
	return unmatched
}

// Literals returns strings, at least one of which is contained in every import path that
// matches. A text that contains none of them names no matching package.
func (c *Config) Literals() []string {
	var all []string
	for _, p := range append(slices.Clip(c.Packages), c.AdditionalPackages...) {
		head, _, wild := strings.Cut(strings.TrimSuffix(p, "/"), "...")
		if !wild && isDotted(p) {
			head, _, _ = strings.Cut(head, ".")
		}
		all = append(all, strings.TrimSuffix(head, "/"))
	}
	if len(c.Packages) == 0 {
		for _, m := range c.Modules {
			all = append(all, m.Path)
		}
	}
	return all
}

// matchPattern reports whether an import path matches a pattern. A pattern is one of
//
//   - an import path, which also matches the packages below it;
//   - an import path with "..." wildcards, as the go command has them ("net/..." matches
//     net too);
//   - an import path with dots in place of its slashes, as Scavenger's web page shows it.
func matchPattern(pattern, importPath string) bool {
	pattern = strings.TrimSuffix(pattern, "/")
	if !strings.Contains(pattern, "...") {
		return within(importPath, pattern) || isDotted(pattern) && withinDotted(importPath, pattern)
	}
	if head, ok := strings.CutSuffix(pattern, "/..."); ok && !strings.Contains(head, "...") {
		return within(importPath, head)
	}
	parts := strings.Split(pattern, "...")
	rest, ok := strings.CutPrefix(importPath, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		_, after, ok := strings.Cut(rest, part)
		if !ok {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, parts[last])
}

// fromPage returns a pattern that was copied from Scavenger's web page with plain dots for
// middle ones, and without the "~_" that sets a directory apart from a type: both are there
// for the page's tree alone.
func fromPage(pattern string) string {
	if strings.Contains(pattern, "/") {
		return pattern
	}
	return strings.NewReplacer("·", ".", "~_", "").Replace(pattern)
}

// isDotted reports whether a pattern may have dots in place of slashes.
func isDotted(pattern string) bool {
	return strings.Contains(pattern, ".") && !strings.Contains(pattern, "/")
}

// withinDotted is within for a dir with dots in place of slashes: example.com/shop/cart
// is below example.com.shop, and example.com/shop.v2 is not.
func withinDotted(importPath, dotted string) bool {
	if len(importPath) < len(dotted) || len(importPath) > len(dotted) && importPath[len(dotted)] != '/' {
		return false
	}
	for i := range len(dotted) {
		if c := importPath[i]; c != dotted[i] && (c != '/' || dotted[i] != '.') {
			return false
		}
	}
	return true
}

// within reports whether an import path is dir or below it: example.com/shop/cart is
// below example.com/shop, and example.com/shopping is not.
func within(importPath, dir string) bool {
	rest, ok := strings.CutPrefix(importPath, dir)
	return ok && (rest == "" || rest[0] == '/')
}

// checkPattern returns an error for a pattern that can match no import path.
func checkPattern(p string) error {
	switch {
	case strings.HasPrefix(p, "./") || strings.HasPrefix(p, "../") || p == "." || p == "..":
		return fmt.Errorf("package pattern %q: relative patterns mean different packages in different directories; write the import path, such as example.com/shop/cart", p)
	case strings.Contains(p, "*"):
		return fmt.Errorf("package pattern %q: the wildcard is \"...\", and a package includes those below it", p)
	case p == "" || strings.ContainsAny(p, " \t\r\n\"'`\\"):
		return fmt.Errorf("package pattern %q: not an import path", p)
	}
	return nil
}

// Patterns returns what tells whether a package matches one of the patterns, which are as in
// settings. The error is for one that can match no import path.
func Patterns(list []string) (match func(importPath string) bool, err error) {
	list = slices.Clone(list)
	for i, p := range list {
		list[i] = fromPage(p)
		if err := checkPattern(list[i]); err != nil {
			return nil, err
		}
	}
	return func(importPath string) bool {
		return slices.ContainsFunc(list, func(p string) bool { return matchPattern(p, importPath) })
	}, nil
}
