package report

import (
	"os"
	"path/filepath"
	"testing"
)

// A directory is one with data if a file in it has the name of a data file.
func TestIsData(t *testing.T) {
	for name, want := range map[string]bool{
		"hits-0123456789abcdef.hits": true,
		"codebase-0123456789ab.json": true,
		"main.go":                    false,
		"hits-0123.hits.tmp":         false,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
		if got := IsData(dir); got != want {
			t.Errorf("%s: %t, want %t", name, got, want)
		}
	}
	if dir := t.TempDir(); IsData(dir) || IsData(filepath.Join(dir, "none")) {
		t.Error("an empty directory, or none, has data")
	}
}
