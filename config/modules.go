// The main modules of a build. They are found as the go command finds them, by go.work or
// go.mod in the working directory or a parent.

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

	// Rel is the module's directory, relative to the root of the workspace or module and
	// separated by slashes. It is "" for the root itself, and Path for a module outside.
	Rel string
}

// A moduleTree holds the modules of a build.
type moduleTree struct {
	root     string // the directory of go.work or go.mod; "" outside a module
	main     []*mainModule
	replaced []replacement
}

// A replacement is a module that a replace directive finds in a directory. Its import
// path and its directory may both be within those of a main module, so that its packages
// could be mistaken for the main module's.
type replacement struct{ path, dir string }

// findTree finds the modules of the build that from describes.
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
	if file == "" || filepath.Dir(file) == filepath.Clean(os.TempDir()) {
		return t, nil // the go command ignores a go.mod in the directory for temporary files
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
			continue // the go command reports it
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

// addReplacements adds those of a file's replacements that matter. dir is the directory
// of the file. A replacement whose directory has no go.mod is not in use, because the go
// command would refuse it.
func (t *moduleTree) addReplacements(files modFiles, dir string, replaces []*modfile.Replace) {
	before := slices.Clone(t.replaced) // those of go.work, which take precedence
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
		rel := m.path // outside the root, only the import path is the same on every machine
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

// idDir returns the directory of a replacement as action IDs must contain it, because
// [Config.FromModules] depends on it. It returns "" if the import paths of the
// replacement and of a main module already tell how their directories relate.
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

// FromModules reports whether a package whose import path is within that of a main module
// can be a package of that module. A dependency may have such an import path too:
// example.com/aws/service/s3 is often a module of its own. FromModules is true for every
// package that a pattern names, since the question does not arise there.
//
// dir is the directory of the package's files as its archive records it. With -trimpath
// that is the import path, which contains a version unless the module is a main module.
//
// The build cache must not contain packages for which FromModules would now return
// something else. So it only depends on what is in action IDs: dir is in that of the
// package, and [Config.WriteCompileID] writes the replacements. A go.mod near the source
// would tell the same, but is in no ID.
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
	// The package is in the module whose directory is the nearest above dir.
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
	// "@v" is a version, since import paths contain no "@".
	return ofMain && !strings.Contains(dir[len(nearest):], "@v")
}

// SourceDir returns the directory of a package as the report shows it: relative to the
// root for a package of a main module, and otherwise its import path. It only depends on
// the import path and on what [Config.WriteCompileID] writes, so that binaries are the
// same wherever they are built.
func (c *Config) SourceDir(importPath string) string {
	if importPath == commandLine {
		return ""
	}
	// Modules may be nested, so the longest module path wins.
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

// Root returns the directory of go.work or go.mod, which is "" outside a module, and the
// main modules.
func Root(from Source) (root string, modules []Module, err error) {
	t, err := findTree(from)
	if err != nil {
		return "", nil, err
	}
	return t.root, t.modules(), nil
}

// ModuleDirs returns the directory of go.work or go.mod, which is "" outside a module, and
// the directories of the main modules.
func ModuleDirs(from Source) (root string, dirs []string, err error) {
	t, err := findTree(from)
	if err != nil {
		return "", nil, err
	}
	for _, m := range t.main {
		dirs = append(dirs, m.dir)
	}
	return t.root, dirs, nil
}
