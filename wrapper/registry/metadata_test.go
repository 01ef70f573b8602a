package registry

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchaintest"
)

func TestMetadata(t *testing.T) {
	archive := toolchaintest.CompileArchive(t, "package a\n")
	m := &Metadata{ImportPath: "example.com/a", Symbol: "s", Marks: 8, Main: &MainMetadata{Fingerprint: []byte{1, 2}}}
	if err := m.Attach(archive); err != nil {
		t.Fatal(err)
	}
	for _, tool := range []string{"nm", "objdump"} {
		if out, err := exec.Command("go", "tool", tool, archive).CombinedOutput(); err != nil {
			t.Errorf("go tool %s: %v\n%s", tool, err, out)
		}
	}
	if data, err := toolchain.ExportData(archive); err != nil || !strings.HasPrefix(string(data), "go object ") {
		t.Errorf("exportData = %.20q, %v", data, err)
	}
	got, err := ReadMetadata(archive)
	if err != nil || got.ImportPath != m.ImportPath || got.Marks != 8 || len(got.Main.Fingerprint) != 2 {
		t.Errorf("readMetadata = %+v, %v", got, err)
	}
	broken := toolchaintest.CompileArchive(t, "package a\n")
	if err := toolchain.AppendMetadata(broken, []byte("{")); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadMetadata(broken); err == nil || !strings.Contains(err.Error(), "reading metadata") {
		t.Errorf("broken metadata: %v", err)
	}
}
