package toolchain

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain/lean"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchaintest"
)

func TestMembers(t *testing.T) {
	archive := toolchaintest.CompileArchive(t, "package a\n\nfunc F() int { return 1 }\n")
	if data, err := ReadMember(archive, lean.MetadataMember); err != nil || data != nil {
		t.Errorf("before: member %q, error %v", data, err)
	}
	for _, want := range []string{"odd", "even"} {
		if err := AppendMember(archive, want, []byte(want)); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"odd", "even"} {
		data, err := ReadMember(archive, want)
		if err != nil || string(data) != want {
			t.Errorf("readMember(%q) = %q, %v", want, data, err)
		}
	}
	if id, err := lean.ContentID(archive); err != nil || id != "content" {
		t.Errorf("contentID = %q, %v, want content", id, err)
	}
	if goos, goarch, err := ObjectTarget(archive); err != nil || goos == "" || goarch == "" {
		t.Errorf("objectTarget = %q, %q, %v", goos, goarch, err)
	}
}

func TestDamagedArchive(t *testing.T) {
	const magic, headerSize = "!<arch>\n", 60
	dir := t.TempDir()
	for name, text := range map[string]string{
		"empty":    "",
		"object":   "\x7fELF\x01\x02\x03\x04",
		"size":     magic + strings.Repeat("x", headerSize),
		"negative": magic + strings.Repeat(" ", 48) + "-5        `\n",
		"beyond":   magic + lean.ExportMember + strings.Repeat(" ", 39) + "999       `\n" + lean.MetadataTag + "short",
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if data, err := ReadMember(file, lean.MetadataMember); err == nil {
			t.Errorf("%s: no error, data %q", name, data)
		}
	}
}
