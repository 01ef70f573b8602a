package link

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/registry"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchaintest"
)

// hitrt may take the signals of a program in which nothing else can ask for them.
func TestLeavesSignals(t *testing.T) {
	archive := toolchaintest.CompileArchive(t, "package a\n\nfunc F() {}\n")
	goexit := filepath.Join(t.TempDir(), "goexit.a")
	data, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	// Objects hold the names of what they refer to.
	if err := os.WriteFile(goexit, append(data, "runtime.Goexit"...), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		mode     string
		packages map[string]string
		main     string
		want     bool
	}{
		"program":         {"exe", nil, archive, true},
		"pie":             {"pie", nil, archive, true},
		"no mode":         {"", nil, archive, true},
		"c-shared":        {"c-shared", nil, archive, false},
		"c-archive":       {"c-archive", nil, archive, false},
		"plugin":          {"plugin", nil, archive, false},
		"os/signal":       {"exe", map[string]string{"os/signal": archive}, archive, false},
		"loads plugins":   {"exe", map[string]string{"plugin": archive}, archive, false},
		"Goexit in main":  {"exe", nil, goexit, false},
		"Goexit in other": {"exe", map[string]string{"b": goexit}, archive, false},
	} {
		main := &registry.Metadata{ImportPath: "a"}
		packages := []*registry.Metadata{main}
		if _, ok := test.packages["b"]; ok {
			packages = append(packages, &registry.Metadata{ImportPath: "b"})
		}
		l := &linking{args: []string{"-o", "a.out", "-buildmode=" + test.mode, test.main}, cfg: &toolchain.Importcfg{Packages: test.packages}, main: main}
		if test.mode == "" {
			l.args = []string{"-o", "a.out", test.main}
		}
		if got, err := l.leavesSignals(packages); err != nil || got != test.want {
			t.Errorf("%s: %v, %v, want %v", name, got, err, test.want)
		}
	}
}
