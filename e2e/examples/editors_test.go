// What editors and profilers are told.

package examples

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"
)

// The build of VS Code's launch configuration, without the optimisation that its debugger
// turns off too. The editor and delve are not run.
func TestEditors(t *testing.T) {
	var file struct {
		Configurations []struct {
			Program    string
			BuildFlags []string
			Env        map[string]string
		}
	}
	if err := json.Unmarshal([]byte(readFile(t, "editors/launch.json")), &file); err != nil {
		t.Fatal(err)
	}
	launch := file.Configurations[0]
	var names []string
	for name := range launch.Env {
		names = append(names, name)
	}
	checkSettings(t, names)
	dir := newModule(t)
	args := append([]string{"go", "build", "-o", "app", "-gcflags=-N -l"}, launch.BuildFlags...)
	pkg := "." + launch.Program[len("${workspaceFolder}"):]
	run(t, dir, []string{pathWithWrapper(t)}, slices.Concat(args, []string{pkg})...)
	runAndReport(t, filepath.Join(dir, "app"), false)
}
