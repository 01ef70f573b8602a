// The main modules of a build, found as the go command finds them: go.work or
// go.mod in the working directory or a parent of it.

package config

import (
	"cmp"
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

// A moduleTree is what is known of the modules of a build.
type moduleTree struct {
	root     string // the directory that holds go.work or go.mod, "" outside a module
	main     []*mainModule
	replaced []replacement
}

// A replacement is a module that is not a main one but whose packages can be taken
// for a main module's: by their import paths, and as a replace directive has them
// in a directory that may be within the main module's.
type replacement struct{ path, dir string }

// findTree finds the modules of a build.
func findTree(from Source) (*moduleTree, error) {
	files := newModFiles(from)
	work, _ := from.Lookup("GOWORK")
	if work == "" || work == "auto" {
		work = files.findUp(from.Dir, "go.work")
	}
	t := new(moduleTree)
	if work != "" && work != "off" {
		return t, t.readWorkspace(files, work)
	}
	file := files.findUp(from.Dir, "go.mod")
	if file == "" || filepath.Dir(file) == filepath.Clean(os.TempDir()) { // where the go command ignores it
		return t, nil
	}
	t.root = filepath.Dir(file)
	if files.modFile != "" {
		file = files.modFile
	}
	m, err := files.module(t.root, file)
	if err != nil {
		return nil, fmt.Errorf("reading module: %w", err)
	}
	t.main = []*mainModule{m}
	t.addReplacements(files, t.root, m.replaces)
	return t, nil
}

func (t *moduleTree) readWorkspace(files modFiles, file string) error {
	text, err := files.read(file)
	if err != nil {
		return fmt.Errorf("reading workspace: %w", err)
	}
	work, err := modfile.ParseWork(file, text, nil)
	if err != nil {
		return fmt.Errorf("reading workspace: %w", err)
	}
	t.root = filepath.Dir(file)
	for _, use := range work.Use {
		dir := filepath.FromSlash(use.Path)
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(t.root, dir)
		}
		m, err := files.module(dir, filepath.Join(dir, "go.mod"))
		if errors.Is(err, fs.ErrNotExist) {
			continue // the go command says so better
		}
		if err != nil {
			return fmt.Errorf("reading module: %w", err)
		}
		t.main = append(t.main, m)
	}
	sort.Slice(t.main, func(i, j int) bool { return t.main[i].path < t.main[j].path })
	t.addReplacements(files, t.root, work.Replace)
	for _, m := range t.main {
		t.addReplacements(files, m.dir, m.replaces)
	}
	return nil
}

// addReplacements takes up those of a file's replacements that matter. One whose
// directory has no go.mod is not in use: the go command refuses it otherwise.
func (t *moduleTree) addReplacements(files modFiles, dir string, replaces []*modfile.Replace) {
	before := slices.Clone(t.replaced) // of go.work, which comes first
	for _, r := range replaces {
		related := func(m *mainModule) bool { return within(r.Old.Path, m.path) || within(m.path, r.Old.Path) }
		isMain := func(m *mainModule) bool { return m.path == r.Old.Path }
		if r.New.Version != "" || !slices.ContainsFunc(t.main, related) || slices.ContainsFunc(t.main, isMain) ||
			slices.ContainsFunc(before, func(have replacement) bool { return have.path == r.Old.Path }) {
			continue
		}
		to := filepath.FromSlash(r.New.Path)
		if !filepath.IsAbs(to) {
			to = filepath.Join(dir, to)
		}
		if files.has(filepath.Join(to, "go.mod")) {
			t.replaced = append(t.replaced, replacement{r.Old.Path, to})
		}
	}
	slices.SortFunc(t.replaced, func(a, b replacement) int {
		return cmp.Or(strings.Compare(a.path, b.path), strings.Compare(a.dir, b.dir))
	})
}

// modules returns the main modules, sorted by path.
func (t *moduleTree) modules() []Module {
	var modules []Module
	for _, m := range t.main {
		rel := m.path // outside the root: only the import path says the same on every machine
		if r, err := filepath.Rel(t.root, m.dir); err == nil && filepath.IsLocal(r) {
			rel = filepath.ToSlash(r)
		}
		if rel == "." {
			rel = ""
		}
		modules = append(modules, Module{Path: m.path, Rel: rel})
	}
	return modules
}

// place says where a replacement is as far as that has a say in [Config.FromModules]:
// "" where its path says it, seen from a main module, otherwise its directory.
func (t *moduleTree) idDir(r replacement) string {
	for _, m := range t.main {
		if rest, ok := strings.CutPrefix(r.path, m.path+"/"); ok && r.dir == filepath.Join(m.dir, filepath.FromSlash(rest)) {
			return ""
		}
		if rest, ok := strings.CutPrefix(m.path, r.path+"/"); ok && m.dir == filepath.Join(r.dir, filepath.FromSlash(rest)) {
			return ""
		}
	}
	return r.dir
}

// FromModules reports whether a package that matches by default, with an import
// path within a main module's, can be of that module. A dependency can have such a
// path too: example.com/aws/service/s3 is often a module of its own.
//
// dir is the directory that the package's archive says its files are in: that of
// the package, or with -trimpath its import path, in which a module that is no main
// one has a version. It is in the package's action ID, and what else decides, the
// replacements, is in what [Config.WriteCompileID] writes. So the build cache has
// no package for which this would now be otherwise. A go.mod near the source would
// say the same, and is in no ID.
func (c *Config) FromModules(importPath, dir string) bool {
	if len(c.Packages) > 0 || importPath == commandLine {
		return true
	}
	if key, _, _ := c.MatchedBy(importPath); key != "" {
		return true
	}
	dir = filepath.ToSlash(dir)
	if strings.HasSuffix(dir, "/vendor/"+importPath) {
		return false
	}
	// The nearest module directory above is that of the package's module.
	nearest, ofMain := "", true
	look := func(moduleDir string, isMain bool) {
		moduleDir = filepath.ToSlash(moduleDir)
		if within(dir, moduleDir) && len(moduleDir) > len(nearest) {
			nearest, ofMain = moduleDir, isMain
		}
	}
	for _, m := range c.tree.main {
		look(m.dir, true)
	}
	for _, r := range c.tree.replaced {
		look(r.dir, false)
	}
	// A version: no import path has an @.
	return ofMain && !strings.Contains(dir[len(nearest):], "@v")
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
func Root(from Source) (root string, modules []Module, err error) {
	t, err := findTree(from)
	if err != nil {
		return "", nil, err
	}
	return t.root, t.modules(), nil
}
