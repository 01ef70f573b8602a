// The licences of the modules in the binary, which go with each copy of it.

package main

import (
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write THIRD-PARTY-LICENSES anew")

// A module of the standard library has no licence of its own: golang.org/x/mod has Go's.
func TestThirdPartyLicences(t *testing.T) {
	const file = "THIRD-PARTY-LICENSES"
	dirs := map[string]string{}
	for _, system := range []string{"linux", "darwin", "windows"} {
		cmd := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}\t{{.Dir}}{{end}}{{end}}", ".")
		cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "GOFLAGS=")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list for %s: %v", system, err)
		}
		for line := range strings.Lines(string(out)) {
			if name, dir, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
				dirs[name] = dir
			}
		}
	}
	var want strings.Builder
	want.WriteString("scavenger-wrap contains these modules, and the standard library of Go, whose licence is\nthat of golang.org/x/mod.\n")
	for _, name := range slices.Sorted(maps.Keys(dirs)) {
		var licences []string
		for _, pattern := range []string{"LICEN[CS]E*", "COPYING*", "NOTICE*"} {
			found, err := filepath.Glob(filepath.Join(dirs[name], pattern))
			if err != nil {
				t.Fatal(err)
			}
			licences = append(licences, found...)
		}
		if len(licences) == 0 {
			t.Errorf("%s has no licence", name)
		}
		for _, licence := range licences {
			text, err := os.ReadFile(licence)
			if err != nil {
				t.Fatal(err)
			}
			want.WriteString("\n==== " + name + "\n\n" + strings.TrimSpace(strings.ReplaceAll(string(text), "\r", "")) + "\n")
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(want.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if readFile(t, file) != want.String() {
		t.Errorf("%s is not what the modules say: go test . -run ThirdParty -update", file)
	}
}
