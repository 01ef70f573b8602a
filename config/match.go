// Which packages match.

package config

import (
	"fmt"
	"strings"
)

// commandLine is the import path of a package given as a list of files:
// go run main.go. It belongs to whoever typed it.
const commandLine = "command-line-arguments"

// Match reports whether the package of that import path is to be marked.
func (c *Config) Match(importPath string) bool {
	for _, p := range c.ExcludePackages {
		if matchPattern(p, importPath) {
			return false
		}
	}
	if len(c.Packages) == 0 {
		if importPath == commandLine {
			return true
		}
		for _, m := range c.Modules {
			if within(importPath, m.Path) {
				return true
			}
		}
	}
	for _, p := range c.Packages {
		if matchPattern(p, importPath) {
			return true
		}
	}
	return false
}

// Literals returns strings one of which every import path that matches
// contains. A text that holds none of them names no matching package.
func (c *Config) Literals() []string {
	var all []string
	for _, p := range c.Packages {
		head, _, _ := strings.Cut(p, "...")
		all = append(all, strings.TrimSuffix(head, "/"))
	}
	if len(c.Packages) == 0 {
		for _, m := range c.Modules {
			all = append(all, m.Path)
		}
	}
	return all
}

// matchPattern reports whether an import path matches a pattern: an import
// path, which also holds the packages below it, or one with "..." wildcards
// as the go command knows them ("net/..." matches net too).
func matchPattern(pattern, importPath string) bool {
	pattern = strings.TrimSuffix(pattern, "/")
	if !strings.Contains(pattern, "...") {
		return within(importPath, pattern)
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

// within reports whether an import path is dir or below it:
// example.com/shop holds example.com/shop/cart but not example.com/shopping.
func within(importPath, dir string) bool {
	rest, ok := strings.CutPrefix(importPath, dir)
	return ok && (rest == "" || rest[0] == '/')
}

// checkPattern refuses what cannot match an import path but looks as if it did.
func checkPattern(p string) error {
	switch {
	case strings.HasPrefix(p, "./") || strings.HasPrefix(p, "../") || p == "." || p == "..":
		return fmt.Errorf("package pattern %q: relative patterns mean different packages in different directories; write the import path, such as example.com/shop/cart", p)
	case strings.ContainsAny(p, " \t\"'`\\"):
		return fmt.Errorf("package pattern %q: not an import path", p)
	}
	return nil
}
