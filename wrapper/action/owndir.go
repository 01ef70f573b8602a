// The directory for what an action writes beside its output: marked files,
// importcfg files, the archive of the registry.

package action

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain/lean"
)

// An ownDir is such a directory. The zero value has not been made yet.
type ownDir struct {
	path string
	keep bool // leave it to the go command
}

// MakeDir makes the action's directory and returns its absolute path. out is the
// action's output. Only the go command gives each action a directory for its
// output; elsewhere many actions write into one directory at once, so ours has
// the name of the output.
//
// The path reaches no archive: everything in the directory is compiled with a
// -trimpath that takes it off, unless TMPDIR has a semicolon, too (docs/limits.md).
func (a *Action) MakeDir(out string) (dir string, err error) {
	if a.own.path != "" {
		return a.own.path, nil
	}
	if dir, err = filepath.Abs(out + ".scavenger"); err != nil {
		return "", err
	}
	if out == "" || out == os.DevNull || strings.ContainsAny(dir, ";=") || os.MkdirAll(dir, 0o777) != nil {
		// There is no place beside the output, -trimpath would not understand its
		// name, or only the output itself can be written.
		if dir, err = os.MkdirTemp("", "scavenger-"); err != nil {
			return "", err
		}
	}
	*a.own = ownDir{dir, lean.WorkDirectory(dir) != ""}
	return dir, nil
}

// RemoveDir removes the action's directory, but for one in the go command's work
// directory, which the go command removes or, with -work, keeps.
func (a *Action) RemoveDir() {
	if a.own.path != "" && !a.own.keep {
		_ = os.RemoveAll(a.own.path) // what stays is in nobody's way
	}
	*a.own = ownDir{}
}
