// The directory for what an action writes beside its output: marked files,
// importcfg files, the archive of the registry.

package wrapper

import (
	"os"
	"path/filepath"
	"strings"
)

// makeDir makes the action's directory and returns its absolute path. out is the
// action's output. Only the go command gives each action a directory for its
// output; elsewhere many actions write into one directory at once, so ours has
// the name of the output.
//
// The path reaches no archive: everything in the directory is compiled with a
// -trimpath that takes it off.
func (a *action) makeDir(out string) (dir string, err error) {
	if a.dir != "" {
		return a.dir, nil
	}
	if dir, err = filepath.Abs(out + ".scavenger"); err != nil {
		return "", err
	}
	if out == "" || out == os.DevNull || strings.ContainsAny(dir, ";=") || os.MkdirAll(dir, 0o777) != nil {
		// There is no place beside it, none that -trimpath understands, or the
		// output alone can be written.
		if dir, err = os.MkdirTemp("", "scavenger-"); err != nil {
			return "", err
		}
	}
	a.dir, a.keepDir = dir, workDirectory(dir) != ""
	return dir, nil
}

// removeDir removes the action's directory, but for one in the go command's work
// directory, which the go command removes or, with -work, keeps.
func (a *action) removeDir() {
	if a.dir != "" && !a.keepDir {
		_ = os.RemoveAll(a.dir) // what stays is in nobody's way
	}
	a.dir = ""
}
