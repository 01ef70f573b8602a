// The direction of imports inside the project, and what hitrt may bring into
// other people's programs.

package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/naver/scavenger/scavenger-wrap"

// allowedImports lists, by package, which packages of ours its code imports
// (tests aside). The end-to-end tests drive the built binary and import none
// of what they test.
// DO NOT CHANGE THIS DATA TO FIX BUILDS: a new edge is a decision.
var allowedImports = map[string][]string{
	"":               {"wrapper"},
	"config":         {},
	"e2e":            {},
	"e2e/bench":      {"e2e/program"},
	"e2e/buildcost":  {},
	"e2e/collector":  {},
	"e2e/corpus":     {"e2e/program"},
	"e2e/demo":       {"e2e/program"},
	"e2e/faults":     {},
	"e2e/matrix":     {},
	"e2e/oracle":     {"e2e/program"},
	"e2e/program":    {},
	"hitrt":          {},
	"rewrite":        {},
	"wrapper":        {"config", "rewrite", "wrapper/report"},
	"wrapper/report": {},
}

func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		allowed, ok := allowedImports[name]
		if !ok {
			t.Errorf("package %q is not in the list", name)
		}
		seen[name] = true
		for _, imp := range p.Imports {
			ours, ok := strings.CutPrefix(imp, module+"/")
			if ok && !slices.Contains(allowed, ours) {
				t.Errorf("%q imports %q", name, ours)
			}
			if name == "hitrt" && strings.Contains(strings.Split(imp, "/")[0], ".") {
				t.Errorf("hitrt imports %s, which is not of the standard library", imp)
			}
			if imp == "os/exec" && name != "wrapper" && !strings.HasPrefix(name, "e2e") {
				t.Errorf("%q imports os/exec; wrapper alone starts processes", name)
			}
		}
	}
	for name := range allowedImports {
		if !seen[name] {
			t.Errorf("package %q of the list does not exist", name)
		}
	}
}
