// The go command on PATH. A link to scavenger-wrap may be called go (installgo.go), and
// the go command is then the next one: we must never start ourselves.

package command

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// modulePath is the import path of scavenger-wrap.
const modulePath = "github.com/naver/scavenger/scavenger-wrap"

// startedVariable lists scripts called go that have been started. Whatever starts us with
// it passes them over: `exec scavenger-wrap go "$@"` may be all that such a script does.
const startedVariable = "SCAVENGER_WRAP_STARTED"

// findGo returns the first go on PATH, or else in GOROOT, that is not scavenger-wrap. self
// is our executable. A go that is a script, or some other program that looks for the go
// command, is noted in the environment of what we start.
func findGo(self string) (string, error) {
	started := filepath.SplitList(os.Getenv(startedVariable))
	dirs := filepath.SplitList(os.Getenv("PATH"))
	if root := os.Getenv("GOROOT"); root != "" {
		dirs = append(dirs, filepath.Join(root, "bin"))
	}
	var ours []string
	for _, dir := range dirs {
		if !filepath.IsAbs(dir) {
			continue // as os/exec does
		}
		file, err := exec.LookPath(filepath.Join(dir, "go"))
		if err != nil {
			continue
		}
		program := mainPackage(file)
		switch {
		case program == modulePath || sameFile(self, file), slices.Contains(started, file):
			ours = append(ours, file)
			continue
		case program != "cmd/go":
			list := strings.Join(append(started, file), string(os.PathListSeparator))
			if err := os.Setenv(startedVariable, list); err != nil {
				return "", err
			}
		}
		return file, nil
	}
	if len(ours) > 0 {
		return "", fmt.Errorf("%s starts scavenger-wrap, and there is no other go on PATH: put the bin directory of Go into it too", strings.Join(ours, " and "))
	}
	return "", &exec.Error{Name: "go", Err: exec.ErrNotFound}
}

// mainPackage returns the import path of the main package of a Go program, "" of another.
func mainPackage(file string) string {
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return ""
	}
	return info.Path
}

// avoidSelf puts the directory of the go command first in PATH if the first go there is
// scavenger-wrap. What commands ask the go command for is not to be marked.
func avoidSelf() {
	self, err := os.Executable()
	if err != nil {
		return
	}
	first, err := exec.LookPath("go")
	if err != nil || !sameFile(self, first) && mainPackage(first) != modulePath {
		return
	}
	// If there is no other go, the one that is there says so.
	if file, err := findGo(self); err == nil {
		_ = os.Setenv("PATH", filepath.Dir(file)+string(os.PathListSeparator)+os.Getenv("PATH"))
	}
}
