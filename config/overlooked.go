// Settings files that do not count, although they look as if they did.

package config

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// An Overlooked is a settings file of a main module that a build does not read, because
// the working directory is elsewhere in the workspace, or above the file.
type Overlooked struct {
	Module string // path of the module, if the file is at its root
	File   string // relative to the root of the workspace if it is in there

	instead string // the file that is read, or "no file"
}

// Message says that the file does not count, and what to do.
func (o Overlooked) Message() string {
	return fmt.Sprintf("%s does not count: builds in this directory read %s; build in its directory, or name the file: %s=%s",
		o.File, o.instead, fileVariable, o.File)
}

// Overlooked returns the settings files of main modules that this build does not read. If
// somebody named the file to be read, there are none.
func (c *Config) Overlooked() []Overlooked {
	var all []Overlooked
	for _, m := range c.tree.main {
		all = append(all, c.overlookedIn(m.dir, m.path, FileName, PropertiesName)...)
	}
	return all
}

// OverlookedOf returns the scavenger.toml in the directory of a package of a main module that
// this build does not read. A scavenger.conf there may be for the running program.
func (c *Config) OverlookedOf(dir string) []Overlooked {
	if !exists(filepath.Join(dir, FileName)) { // of most packages
		return nil
	}
	if slices.ContainsFunc(c.tree.main, func(m *mainModule) bool { return sameDir(dir, m.dir) }) {
		return nil // Overlooked has it
	}
	return c.overlookedIn(dir, "", FileName)
}

// overlookedIn returns those of the files in a directory that this build does not read.
func (c *Config) overlookedIn(dir, module string, names ...string) (all []Overlooked) {
	if len(c.searched) == 0 || slices.ContainsFunc(c.searched, func(searched string) bool { return sameDir(searched, dir) }) {
		return nil
	}
	for _, name := range names {
		file := filepath.Join(dir, name)
		if !exists(file) {
			continue
		}
		if rel, err := filepath.Rel(c.tree.root, file); err == nil && filepath.IsLocal(rel) {
			file = rel
		}
		all = append(all, Overlooked{module, file, cmp.Or(c.File, "no file")})
	}
	return all
}

func sameDir(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}
