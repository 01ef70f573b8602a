// hitrt/api is a module of its own, which ./... does not reach: here it is tested.

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func inAPI(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = "hitrt/api"
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go %s in hitrt/api: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestAPIModule(t *testing.T) {
	inAPI(t, "vet", "./...")
	inAPI(t, "test", "./...")
}

// The module may be required by any program: it has no requirements, needs no newer
// Go than scavenger-wrap itself, and imports the standard library only.
func TestAPIRequirements(t *testing.T) {
	var mod struct {
		Go                        string
		Toolchain                 string
		Require, Replace, Exclude []any
	}
	if err := json.Unmarshal([]byte(inAPI(t, "mod", "edit", "-json")), &mod); err != nil {
		t.Fatal(err)
	}
	if len(mod.Require)+len(mod.Replace)+len(mod.Exclude) > 0 || mod.Toolchain != "" {
		t.Errorf("hitrt/api/go.mod has more than module and go lines: %+v", mod)
	}
	if mod.Go != "1.24" {
		t.Errorf("hitrt/api/go.mod says go %s, want the oldest release that programs may be built with", mod.Go)
	}
	for imported := range strings.FieldsSeq(inAPI(t, "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./...")) {
		if !slices.Contains([]string{module + "/hitrt/api", module + "/hitrt/api/internal/binding"}, imported) {
			t.Errorf("hitrt/api imports %s", imported)
		}
	}
}
