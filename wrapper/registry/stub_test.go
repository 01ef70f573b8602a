package registry

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain/lean"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchaintest"
)

// The stub is the same wherever it is compiled. Main records its fingerprint in the
// compile action, and the link action may compile it again.
func TestStubFingerprint(t *testing.T) {
	dir, err := exec.Command("go", "env", "GOTOOLDIR").Output()
	if err != nil {
		t.Fatal(err)
	}
	var prints []string
	for range 2 {
		stub, err := CompileStub(filepath.Join(strings.TrimSpace(string(dir)), "compile"), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		print, err := toolchain.ReadFingerprint(stub)
		if err != nil {
			t.Fatal(err)
		}
		prints = append(prints, string(print))
	}
	if prints[0] != prints[1] {
		t.Errorf("fingerprints %x and %x of one stub", prints[0], prints[1])
	}
}

// internal/runtime/exithook has the form that the registry's source uses. What else the
// registry relies on shows in every script of e2e: hooks run at the end of the program,
// and the linker accepts our archive member and a patched fingerprint.
func TestToolchainExithook(t *testing.T) {
	toolchaintest.Each(t, func(tc toolchaintest.Toolchain) {
		imports := map[string]string{}
		for line := range strings.Lines(tc.Run("list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}", "internal/runtime/exithook")) {
			if p, archive, ok := strings.Cut(strings.TrimSpace(line), "="); ok && archive != "" {
				imports[p] = archive
			}
		}
		tc.Compile("example.com/registry", "package registry\n\nimport \"internal/runtime/exithook\"\n\nfunc init() { exithook.Add(exithook.Hook{F: func() {}, RunOnFailure: true}) }\n", imports)
		if id, err := lean.ContentID(imports["internal/runtime/exithook"]); err != nil || len(id) < 10 {
			tc.Errorf("content ID %q, %v", id, err)
		}
	})
}
