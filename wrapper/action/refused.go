// Builds in which scavenger-wrap cannot do its work. They are told at their first action,
// in which the go command asks a tool for its version.

package action

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// Refused returns an error if the build is to be refused. self is the name that
// scavenger-wrap was started by.
//
// The go command starts assembler and cgo in the directory of each package, and looks for
// a relative path of the -toolexec there. A tool of an SDK is no -toolexec.
func (a *Action) Refused(self string) error {
	switch {
	case a.Flags.SDK == "" && a.VersionOnly() && filepath.Base(self) != self && !filepath.IsAbs(self):
		exe, err := os.Executable()
		if err != nil {
			return err
		}
		return fmt.Errorf("-toolexec=%s: the go command looks for a relative path in the directory of each package: write -toolexec=%s", self, exe)
	case a.Tool == "tinygo":
		return errors.New("tinygo has a compiler of its own, which starts no -toolexec: nothing can be marked; build with go")
	case a.asksGccgo():
		return ErrGccgo
	}
	return nil
}

// ErrGccgo is the error about a build with gccgo.
var ErrGccgo = errors.New("gccgo starts no -toolexec when it compiles: nothing can be marked; build without -compiler=gccgo")

// asksGccgo reports whether the go command asks gccgo for its version. Of C compilers it
// asks in the same way, with another language.
func (a *Action) asksGccgo() bool {
	i := slices.Index(a.Args, "-x")
	return slices.Contains(a.Args, "-###") && i >= 0 && i+1 < len(a.Args) && a.Args[i+1] == "go"
}
