// Settings files that do not count, although they look as if they did.

package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// An Overlooked is a settings file of a main module that a build does not read, because
// the working directory is elsewhere in the workspace.
type Overlooked struct {
	Module string // path of the module
	File   string // relative to the root of the workspace if it is in there

	instead string // the file that is read, or "no file"
}

// Message says that the file does not count, and what to do.
func (o Overlooked) Message() string {
	return fmt.Sprintf("%s does not count: builds in this directory read %s; build in the directory of the module, or name the file: %s=%s",
		o.File, o.instead, fileVariable, o.File)
}

// Overlooked returns the settings files of main modules that this build does not read. If
// somebody named the file to be read, there are none.
func (c *Config) Overlooked() []Overlooked {
	var all []Overlooked
	instead := c.File
	if instead == "" {
		instead = "no file"
	}
	for _, m := range c.tree.main {
		if len(c.searched) == 0 || slices.ContainsFunc(c.searched, func(dir string) bool { return sameDir(dir, m.dir) }) {
			continue
		}
		for _, name := range []string{FileName, PropertiesName} {
			file := filepath.Join(m.dir, name)
			if !exists(file) {
				continue
			}
			if rel, err := filepath.Rel(c.tree.root, file); err == nil && filepath.IsLocal(rel) {
				file = rel
			}
			all = append(all, Overlooked{m.path, file, instead})
		}
	}
	return all
}

func sameDir(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}
