// How to run a go command that sees what the running one does.

package link

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/plain"
)

// outerGo returns how to run a go command that compiles the standard library as the
// running one does, with the same flags. It also runs in the same directory, because
// patterns and files in flags may be relative. A go command that builds package@version
// ignores the module in its directory, so for that it runs in an empty module.
func (l *linking) outerGo() (nestedGo, error) {
	outer, err := plain.ReadOuterCommand()
	if err != nil {
		return nestedGo{}, err
	}
	var n nestedGo
	if n.dir, err = l.WorkingDir(); err != nil {
		return n, err
	}
	n.flags, n.env = outer.ForStdlib(n.dir)
	n.env = append(n.env, l.cgoEnabled())
	if outer.OfVersion() {
		n.env = append(n.env, "GOWORK=off")
		if n.dir, err = l.emptyModule(); err != nil {
			return n, err
		}
	}
	info, err := l.buildInfo()
	if err != nil {
		return n, err
	}
	for _, s := range info.Settings {
		if s.Key == "-pgo" {
			file, err := l.profile(outer, s.Value, info.Main)
			if err != nil {
				return n, fmt.Errorf("the profile %s: %w", s.Value, err)
			}
			n.flags = append(slices.Clip(n.flags), "-pgo="+file)
		}
	}
	return n, nil
}

// profile returns the file of the profile that modinfo has as -pgo: with -trimpath that is
// only the last element of its name. outer is nil if the go command cannot be read. module is
// that of the main package.
func (l *linking) profile(outer *plain.OuterCommand, recorded string, module debug.Module) (string, error) {
	if filepath.IsAbs(recorded) {
		return recorded, nil
	}
	dir, err := l.WorkingDir()
	if err != nil {
		return "", err
	}
	if outer == nil {
		// The packages that it gives are compared with the program's.
		file := filepath.Join(dir, recorded)
		_, err := os.Stat(file)
		return file, err
	}
	if file := outer.Profile(dir); file != "" {
		return file, nil
	}
	if outer.OfVersion() {
		if dir, err = l.emptyModule(); err != nil {
			return "", err
		}
	}
	return outer.DefaultProfile(dir, l.ImportPath, module)
}
