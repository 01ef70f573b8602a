package wrapper

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// compileTestArchive compiles a package with the real compiler.
func compileTestArchive(t *testing.T, source string) string {
	t.Helper()
	dir := t.TempDir()
	file, archive := filepath.Join(dir, "a.go"), filepath.Join(dir, "a.a")
	if err := os.WriteFile(file, []byte(source), 0o666); err != nil {
		t.Fatal(err)
	}
	cfg := filepath.Join(dir, "importcfg")
	if err := os.WriteFile(cfg, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "tool", "compile", "-pack", "-p=example.com/a", "-buildid=action/content", "-importcfg="+cfg, "-o="+archive, file)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("compile: %v\n%s", err, out)
	}
	return archive
}

func TestMembers(t *testing.T) {
	archive := compileTestArchive(t, "package a\n\nfunc F() int { return 1 }\n")
	if data, err := readMember(archive, metadataMember); err != nil || data != nil {
		t.Errorf("before: member %q, error %v", data, err)
	}
	for _, want := range []string{"odd", "even"} {
		if err := appendMember(archive, want, []byte(want)); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"odd", "even"} {
		data, err := readMember(archive, want)
		if err != nil || string(data) != want {
			t.Errorf("readMember(%q) = %q, %v", want, data, err)
		}
	}
	if id, err := contentID(archive); err != nil || id != "content" {
		t.Errorf("contentID = %q, %v, want content", id, err)
	}
	if goos, goarch, err := objectTarget(archive); err != nil || goos == "" || goarch == "" {
		t.Errorf("objectTarget = %q, %q, %v", goos, goarch, err)
	}
}

func TestMetadata(t *testing.T) {
	archive := compileTestArchive(t, "package a\n")
	m := &metadata{ImportPath: "example.com/a", Symbol: "s", Marks: 8, Main: &mainMetadata{Fingerprint: []byte{1, 2}}}
	if err := m.attach(archive); err != nil {
		t.Fatal(err)
	}
	for _, tool := range []string{"nm", "objdump"} {
		if out, err := exec.Command("go", "tool", tool, archive).CombinedOutput(); err != nil {
			t.Errorf("go tool %s: %v\n%s", tool, err, out)
		}
	}
	if data, err := exportData(archive); err != nil || !strings.HasPrefix(string(data), "go object ") {
		t.Errorf("exportData = %.20q, %v", data, err)
	}
	got, err := readMetadata(archive)
	if err != nil || got.ImportPath != m.ImportPath || got.Marks != 8 || len(got.Main.Fingerprint) != 2 {
		t.Errorf("readMetadata = %+v, %v", got, err)
	}
	broken := compileTestArchive(t, "package a\n")
	if err := appendMetadata(broken, []byte("{")); err != nil {
		t.Fatal(err)
	}
	if _, err := readMetadata(broken); err == nil || !strings.Contains(err.Error(), "reading metadata") {
		t.Errorf("broken metadata: %v", err)
	}
}

func TestDamagedArchive(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"empty":    "",
		"object":   "\x7fELF\x01\x02\x03\x04",
		"size":     archiveMagic + strings.Repeat("x", headerSize),
		"negative": archiveMagic + strings.Repeat(" ", 48) + "-5        `\n",
		"beyond":   archiveMagic + exportMember + strings.Repeat(" ", 39) + "999       `\n" + metadataTag + "short",
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if data, err := readMember(file, metadataMember); err == nil {
			t.Errorf("%s: no error, data %q", name, data)
		}
	}
}

func TestFingerprint(t *testing.T) {
	archive := compileTestArchive(t, "package a\n\nfunc F() {}\n")
	want := []byte("12345678")
	if err := patchFingerprint(archive, want); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	i, err := fingerprintOffset(data)
	if err != nil || string(data[i:i+fingerprintSize]) != string(want) {
		t.Errorf("fingerprint at %d (%v)", i, err)
	}
	if err := patchFingerprint(archive, nil); err == nil {
		t.Error("an empty fingerprint was taken")
	}
}
