package toolchain

import (
	"os"
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
	if goos, goarch, err := ObjectTarget(archive); err != nil || goos == "" || goarch == "" {
		t.Errorf("objectTarget = %q, %q, %v", goos, goarch, err)
	}
}

// A member of an archive that is cut off, at its end or its beginning, is not read.
func TestDamagedMember(t *testing.T) {
	archive := toolchaintest.CompileArchive(t, "package a\n")
	if err := AppendMetadata(archive, []byte("data")); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"data": whole[:len(whole)-2], "magic": whole[1:]} {
		if err := os.WriteFile(archive, text, 0o666); err != nil {
			t.Fatal(err)
		}
		if data, err := ReadMember(archive, lean.MetadataMember); err == nil {
			t.Errorf("%s: no error, data %q", name, data)
		}
	}
}
