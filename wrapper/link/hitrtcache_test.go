package link

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// What is kept is taken as it was, or, once anything has changed it, not at all.
func TestKept(t *testing.T) {
	dir := t.TempDir()
	made, kept, taken := filepath.Join(dir, "made"), filepath.Join(dir, "cache", "kept"), filepath.Join(dir, "taken")
	want := bytes.Repeat([]byte("archive\n"), 100)
	if err := os.WriteFile(made, want, 0o666); err != nil {
		t.Fatal(err)
	}
	if takeKept(kept, taken) || takeKept("", taken) {
		t.Error("what nobody kept was taken")
	}
	keep("", made) // no place
	keep(kept, made)
	if !takeKept(kept, taken) {
		t.Fatal("not taken")
	}
	if got, err := os.ReadFile(taken); err != nil || !bytes.Equal(got, want) {
		t.Errorf("taken: %q, %v", got, err)
	}
	good, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"longer": append(bytes.Clone(good), 'x'), "shorter": good[:len(good)-1], "no archive": good[:10],
		"another archive": append(bytes.Clone(good[:len(good)-1]), 'x'), "empty": nil,
	} {
		if err := os.WriteFile(kept, text, 0o666); err != nil {
			t.Fatal(err)
		}
		if takeKept(kept, taken) {
			t.Errorf("%s: taken", name)
		}
	}
}
