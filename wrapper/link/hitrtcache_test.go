package link

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
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

// What nobody has used for a month goes, and so does the link to a scavenger-wrap that is
// gone. What is in use stays.
func TestForgetUnused(t *testing.T) {
	dir := t.TempDir()
	exe := filepath.Join(t.TempDir(), "scavenger-wrap")
	age := func(name string) {
		t.Helper()
		old := time.Now().Add(-31 * 24 * time.Hour)
		if err := os.Chtimes(filepath.Join(dir, name), old, old); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"hitrt-new", "hitrt-old"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{"tool-gone": exe + "-gone", "tool-new": exe + "-gone", "tool-used": exe} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, filepath.Join(dir, name, "compile")); err != nil {
			t.Skip(err)
		}
	}
	if err := os.WriteFile(exe, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	age("hitrt-old")
	age("tool-gone")
	age("tool-used")

	forgetUnused(dir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if want := []string{"hitrt-new", "tool-new", "tool-used"}; !slices.Equal(left, want) {
		t.Errorf("left are %q, want %q", left, want)
	}
}
