// The directory that settings are looked for in.

package wrapper

import (
	"fmt"
	"os"
	"path/filepath"
)

// workingDir returns the working directory of the go command. It starts tools in
// its own, except for the link of a C library or plugin, which happens beside the
// object file. Where the system tells the directory of another process, that of
// the go command, our parent, is taken; elsewhere such a link finds only the
// settings file that -config or SCAVENGER_CONFIG names by an absolute path.
func (a *action) workingDir() (string, error) {
	if mode, _ := flagValue(a.args, "-buildmode"); a.tool == "link" && (mode == "c-shared" || mode == "plugin") {
		if dir, err := os.Readlink(filepath.Join("/proc", fmt.Sprint(os.Getppid()), "cwd")); err == nil {
			return dir, nil
		}
	}
	return os.Getwd()
}
