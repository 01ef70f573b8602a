// The directory that settings are looked for in.

package action

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// WorkingDir returns the working directory of the go command. It starts tools in
// its own, except for the link of a C library or plugin, which happens beside the
// object file. Where the system tells the directory of another process, that of
// the go command, our parent, is taken; elsewhere such a link finds only the
// settings file that -config or SCAVENGER_CONFIG names by an absolute path.
func (a *Action) WorkingDir() (string, error) {
	if mode, _ := toolchain.FlagValue(a.Args, "-buildmode"); a.Tool == "link" && (mode == "c-shared" || mode == "plugin") {
		if dir, err := os.Readlink(filepath.Join("/proc", fmt.Sprint(os.Getppid()), "cwd")); err == nil {
			return dir, nil
		}
	}
	return os.Getwd()
}
