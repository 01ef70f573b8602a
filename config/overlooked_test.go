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
		{".", "", []string{"example.com/a", "example.com/b"}, a + "no file; build in the directory of the module, or name the file: SCAVENGER_CONFIG="},
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
