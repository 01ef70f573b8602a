// The main modules of a build, found as the go command finds them: go.work or
// go.mod in the working directory or a parent of it.

package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"golang.org/x/mod/modfile"
)

// A Module is one main module.
type Module struct {
	Path string // module path, as in go.mod
	Rel  string // its directory below the root (workspace or module), slash separated, "" for the root itself
}

// mainModules returns the main modules, sorted by path, and the root
// directory: the one that holds go.work or go.mod, "" outside a module.
func mainModules(dir string, getenv func(string) string) (root string, modules []Module, err error) {
	work := getenv("GOWORK")
	if work == "" {
		work = findUp(dir, "go.work")
	}
	if work != "" && work != "off" {
		return workspace(work)
	}
	mod := findUp(dir, "go.mod")
	if mod == "" {
		return "", nil, nil
	}
	p, err := modulePath(mod)
	if err != nil {
		return "", nil, err
	}
	return filepath.Dir(mod), []Module{{Path: p}}, nil
}

func workspace(file string) (root string, modules []Module, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", nil, fmt.Errorf("reading workspace: %w", err)
	}
	work, err := modfile.ParseWork(file, text, nil)
	if err != nil {
		return "", nil, fmt.Errorf("reading workspace: %w", err)
	}
	root = filepath.Dir(file)
	for _, use := range work.Use {
		dir := filepath.FromSlash(use.Path)
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(root, dir)
		}
		p, err := modulePath(filepath.Join(dir, "go.mod"))
		if errors.Is(err, fs.ErrNotExist) {
			continue // the go command says so better
		}
		if err != nil {
			return "", nil, err
		}
		rel := p // outside the root: only the import path says the same on every machine
		if r, err := filepath.Rel(root, dir); err == nil && filepath.IsLocal(r) {
			rel = filepath.ToSlash(r)
		}
		if rel == "." {
			rel = ""
		}
		modules = append(modules, Module{Path: p, Rel: rel})
	}
	sort.Slice(modules, func(i, j int) bool { return modules[i].Path < modules[j].Path })
	return root, modules, nil
}

func modulePath(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("reading module: %w", err)
	}
	return modfile.ModulePath(text), nil
}

// findUp returns the path of the file of that name in dir or the nearest
// parent that has one, "" if none has.
func findUp(dir, name string) string {
	for {
		file := filepath.Join(dir, name)
		if info, err := os.Stat(file); err == nil && !info.IsDir() {
			return file
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

// FromModules reports whether a package that matches by default, with an import
// path within a main module's, can be of that module, given directories of its
// source. A dependency can have such a path too: example.com/aws/service/s3 is
// often a module of its own. Its go.mod tells, or the vendor directory.
// Directories without go.mod above them, such as those of generated files, say
// nothing.
func (c *Config) FromModules(importPath string, dirs []string) bool {
	if len(c.Packages) > 0 || importPath == commandLine {
		return true
	}
	if key, _, _ := c.MatchedBy(importPath); key != "" {
		return true
	}
	known := true
	for _, dir := range dirs {
		if strings.HasSuffix(filepath.ToSlash(dir), "/vendor/"+importPath) {
			return false
		}
		file := findUp(dir, "go.mod")
		if file == "" {
			continue
		}
		p, err := modulePath(file)
		if err == nil && within(importPath, p) && slices.ContainsFunc(c.Modules, func(m Module) bool { return m.Path == p }) {
			return true
		}
		known = false
	}
	return known
}

// SourceDir returns where the sources of a package are said to be: relative to
// the root for a package of a main module, otherwise its import path. It
// depends on nothing but the import path and what [Config.WriteCompileID]
// writes, so that binaries are the same wherever they are built.
func (c *Config) SourceDir(importPath string) string {
	if importPath == commandLine {
		return ""
	}
	// The longest module path wins, as modules may be nested.
	best := -1
	for i, m := range c.Modules {
		if within(importPath, m.Path) && (best < 0 || len(m.Path) > len(c.Modules[best].Path)) {
			best = i
		}
	}
	if best < 0 {
		return importPath
	}
	m := c.Modules[best]
	return path.Join(m.Rel, strings.TrimPrefix(importPath[len(m.Path):], "/"))
}

// Root returns the directory that go.work or go.mod is in, "" outside a module,
// and the main modules.
func Root(dir string, getenv func(string) string) (root string, modules []Module, err error) {
	return mainModules(dir, getenv)
}
