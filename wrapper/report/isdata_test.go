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

// What rotates files takes no call away.
func TestRotated(t *testing.T) {
	functions := []testFunc{fn("store.Open", "store.go", 1), fn("store.Shut", "store.go", 2)}
	for suffix, want := range map[string]Status{".1": Called, "-20260131": Called, "~": Called, ".tmp": NeverCalled} {
		dir := t.TempDir()
		p := testProcess{id: "1", app: "shop", started: at(1), calls: calls{"Open": at(2)}}
		leave(t, dir, "a", functions, p)
		path := store(dir, "a", functions, p).Path()
		if err := os.Rename(path, path+suffix); err != nil {
			t.Fatal(err)
		}
		leave(t, dir, "a", functions, testProcess{id: "2", app: "shop", started: at(3), calls: calls{"Shut": at(4)}})
		r := mustRead(t, dir)
		if got := statuses(r)["store.Open"]; got != want {
			t.Errorf("%s: Open is %s, want %s", suffix, got, want)
		}
		if want == Called && r.Processes.Total != 2 {
			t.Errorf("%s: %d processes, want 2", suffix, r.Processes.Total)
		}
	}
	dir := t.TempDir()
	leave(t, dir, "a", functions, testProcess{id: "1", app: "shop", started: at(1), calls: calls{"Open": at(2)}})
	put(t, dir, "hits-0123456789abcdef.hits.1.gz", []byte("\x1f\x8b\x08\x00"))
	if r, err := Read(dir); err != nil || kinds(r) != "damaged" {
		t.Errorf("%+v, %v, want a damaged file", r, err)
	}
}
