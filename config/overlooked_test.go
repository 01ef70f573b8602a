package config

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestOverlooked(t *testing.T) {
	root := tree(t, map[string]string{
		"go.work":          "go 1.24\n\nuse (\n\t./a\n\t./b\n\t./c\n)\n",
		"a/go.mod":         "module example.com/a\n",
		"a/scavenger.toml": "",
		"a/cmd/main.go":    "package main\n",
		"b/go.mod":         "module example.com/b\n",
		"b/scavenger.conf": "",
		"c/go.mod":         "module example.com/c\n",
		"other.toml":       "",
	})
	a := filepath.Join("a", FileName) + " does not count: builds in this directory read "
	for _, test := range []struct {
		dir, named string
		want       []string // modules
		message    string   // how the first begins
	}{
		{".", "", []string{"example.com/a", "example.com/b"}, a + "no file; build in its directory, or name the file: SCAVENGER_CONFIG="},
		{"c", "", []string{"example.com/a", "example.com/b"}, a + "no file; "},
		{"a/cmd", "", []string{"example.com/b"}, filepath.Join("b", PropertiesName) + " does not count: builds in this directory read " + filepath.Join(root, "a", FileName)},
		{".", "other.toml", nil, ""},
	} {
		c, err := load(filepath.Join(root, test.dir), fileVariable, test.named)
		if err != nil {
			t.Fatal(err)
		}
		all := c.Overlooked()
		if len(all) != len(test.want) {
			t.Errorf("in %s: %+v, want those of %q", test.dir, all, test.want)
			continue
		}
		for i, o := range all {
			if o.Module != test.want[i] {
				t.Errorf("in %s: %+v, want that of %s", test.dir, o, test.want[i])
			}
		}
		if len(all) > 0 && !strings.HasPrefix(all[0].Message(), test.message) {
			t.Errorf("in %s: %s, want %s", test.dir, all[0].Message(), test.message)
		}
	}
}

// So is the file of a package, for a build above it.
func TestOverlookedOf(t *testing.T) {
	root := tree(t, map[string]string{
		"go.mod":                 "module example.com/a\n",
		"scavenger.toml":         "",
		"cmd/app/scavenger.toml": "",
		"cmd/cli/scavenger.conf": "", // for the program, where it runs
	})
	for _, test := range []struct{ dir, named, of, want string }{
		{".", "", "cmd/app", filepath.Join("cmd", "app", FileName) + " does not count: builds in this directory read " + filepath.Join(root, FileName) + "; build in its directory, or name the file: "},
		{".", "", "cmd/cli", ""},
		{".", "", ".", ""},
		{"cmd", "", ".", ""},
		{"cmd/app", "", "cmd/app", ""},
		{".", "scavenger.toml", "cmd/app", ""},
	} {
		c, err := load(filepath.Join(root, test.dir), fileVariable, test.named)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, o := range c.OverlookedOf(filepath.Join(root, test.of)) {
			got += o.Message()
		}
		if !strings.HasPrefix(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("in %s, named %q, of %s: %q, want %q", test.dir, test.named, test.of, got, test.want)
		}
	}
}
