// The directory that settings are looked for in.

package action

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// WorkingDir returns the working directory of the go command. The go command starts tools
// in that directory, except for the link of a C library or plugin, which it starts beside
// the object file. In that case the system is asked for the directory of our parent, the
// go command. If the system does not tell, such a link finds a settings file only if
// -config or SCAVENGER_CONFIG names it by an absolute path.
func (a *Action) WorkingDir() (string, error) {
	if mode, _ := toolchain.FlagValue(a.Args, "-buildmode"); a.Tool == "link" && (mode == "c-shared" || mode == "plugin") {
		if dir, err := os.Readlink(filepath.Join("/proc", fmt.Sprint(os.Getppid()), "cwd")); err == nil {
			return dir, nil
		}
	}
	return os.Getwd()
}
