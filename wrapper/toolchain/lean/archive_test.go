package lean

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchaintest"
)

func TestReadMembers(t *testing.T) {
	f, err := os.Open(toolchaintest.CompileArchive(t, "package a\n\nfunc F() int { return 1 }\n"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	members, err := ReadMembers(f)
	if err != nil || len(members) != 2 || members[0].Name != ExportMember || members[1].Name != "_go_.o" {
		t.Fatalf("members %v, %v", members, err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		head := make([]byte, len("go object "))
		if _, err := f.ReadAt(head, m.Offset); err != nil || string(head) != "go object " {
			t.Errorf("%s begins with %q, %v", m.Name, head, err)
		}
	}
	if last := members[1]; last.Offset+last.Size+last.Size%2 != info.Size() {
		t.Errorf("%v ends before the archive, which has %d bytes", last, info.Size())
	}
}

func TestDamagedArchive(t *testing.T) {
	for name, text := range map[string]string{
		"empty":    "",
		"object":   "\x7fELF\x01\x02\x03\x04",
		"size":     archiveMagic + strings.Repeat("x", headerSize),
		"negative": archiveMagic + strings.Repeat(" ", 48) + "-5        `\n",
	} {
		f, err := os.Open(write(t, text))
		if err != nil {
			t.Fatal(err)
		}
		if members, err := ReadMembers(f); err == nil {
			t.Errorf("%s: no error, members %v", name, members)
		}
		f.Close()
	}
}

func TestContentID(t *testing.T) {
	if id, err := ContentID(toolchaintest.CompileArchive(t, "package a\n")); err != nil || id != "content" {
		t.Errorf("of an archive: %q, %v", id, err)
	}
	const id = "\nbuild id \"a/b/c\"\n"
	for _, test := range []struct{ name, text, want string }{
		{"long", id, "c"},
		{"short", "\nbuild id \"c\"\n", "c"},
		{"followed", id + strings.Repeat("\n", 5000), "c"},
		{"cut off", id[:len(id)-3], ""},
		{"none", "go object\n", ""},
		{"not at the beginning", strings.Repeat("\n", 5000) + id, ""},
	} {
		if got, err := ContentID(write(t, test.text)); err != nil || got != test.want {
			t.Errorf("%s: %q, %v, want %q", test.name, got, err, test.want)
		}
	}
	if id, err := ContentID(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Errorf("of no file: %q", id)
	}
}

// write writes a file and returns its name.
func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}
