package config

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// tree writes files, by slash separated path, to a new directory.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func environ(vars ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i+1 < len(vars); i += 2 {
			if vars[i] == name {
				return vars[i+1], true
			}
		}
		return "", false
	}
}

// load loads the settings of a directory.
func load(dir string, vars ...string) (*Config, error) {
	return Load(Source{Dir: dir, Lookup: environ(vars...)})
}

func TestLoad(t *testing.T) {
	dir := tree(t, map[string]string{
		"go.mod":         "module example.com/app // a comment\n",
		"sub/x.go":       "package sub\n",
		"scavenger.toml": "packages = [\"example.com/app\", \"example.com/lib\"]\nexcludePackages = \"example.com/app/gen, example.com/app/mock\"\nappName = 'shop'\nserverUrl = \"http://c:8080\"\n",
	})
	for _, from := range []string{dir, filepath.Join(dir, "sub")} {
		c, err := load(from)
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"example.com/app", "example.com/lib"}; !slices.Equal(c.Packages, want) {
			t.Errorf("packages %q, want %q", c.Packages, want)
		}
		if want := []string{"example.com/app/gen", "example.com/app/mock"}; !slices.Equal(c.ExcludePackages, want) {
			t.Errorf("excludePackages %q, want %q", c.ExcludePackages, want)
		}
		if c.Run["appName"] != "shop" || c.Run["serverUrl"] != "http://c:8080" || len(c.Run) != 2 {
			t.Errorf("run-time settings %q", c.Run)
		}
	}
	c, err := load(dir, "SCAVENGER_PACKAGES", "a/b;c:d,e", "SCAVENGER_API_KEY", "secret")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a/b", "c", "d", "e"}; !slices.Equal(c.Packages, want) {
		t.Errorf("packages of the variable %q, want %q", c.Packages, want)
	}
	if _, ok := c.Run["apiKey"]; ok {
		t.Error("a variable of the build was baked in")
	}
}

func TestMainModules(t *testing.T) {
	dir := tree(t, map[string]string{
		"go.work":       "go 1.24\n\nuse (\n\t./a\n\t./deep/b\n\t./gone\n)\n",
		"a/go.mod":      "module example.com/a\n",
		"deep/b/go.mod": "module example.com/a/b\n",
		"a/x/x.go":      "package x\n",
	})
	c, err := load(filepath.Join(dir, "a", "x"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Module{{"example.com/a", "a"}, {"example.com/a/b", "deep/b"}}
	if !slices.Equal(c.Modules, want) {
		t.Errorf("modules %v, want %v", c.Modules, want)
	}
	for importPath, want := range map[string]string{
		"example.com/a":          "a",
		"example.com/a/x":        "a/x",
		"example.com/a/b/c":      "deep/b/c",
		"example.com/other":      "example.com/other",
		"command-line-arguments": "",
	} {
		if got := c.SourceDir(importPath); got != want {
			t.Errorf("SourceDir(%q) = %q, want %q", importPath, got, want)
		}
	}
	c, err = load(filepath.Join(dir, "a", "x"), "GOWORK", "off")
	if err != nil {
		t.Fatal(err)
	}
	if want := []Module{{"example.com/a", ""}}; !slices.Equal(c.Modules, want) {
		t.Errorf("modules with GOWORK=off %v, want %v", c.Modules, want)
	}
}

func TestMatch(t *testing.T) {
	c := &Config{Packages: []string{"example.com/shop", "example.com/.../api", "net...", "example.org.dotted"},
		ExcludePackages: []string{"example.com/shop/gen/..."}, AdditionalPackages: []string{"example.com/shop/gen/kept"}}
	for importPath, want := range map[string]bool{
		"example.com/shop":           true,
		"example.com/shop/cart":      true,
		"example.com/shopping":       false,
		"example.com/x/y/api":        true,
		"example.com/x/apis":         false,
		"example.com/shop/gen":       false,
		"example.com/shop/gen/x":     false,
		"example.com/shop/generated": true,
		"net/http":                   true,
		"command-line-arguments":     false,
		"example.org/dotted":         true,
		"example.org/dotted/x":       true,
		"example.org/dottedx":        false,
		"example.org/dotted.v2":      false,
		"example.org/x/dotted":       false,
		"example.com/shop/gen/kept":  true,
	} {
		if got := c.Match(importPath); got != want {
			t.Errorf("Match(%q) = %v, want %v", importPath, got, want)
		}
	}
	c = &Config{Modules: []Module{{Path: "example.com/a"}}}
	for importPath, want := range map[string]bool{
		"example.com/a/b": true, "example.com/ab": false, "fmt": false, "command-line-arguments": true,
	} {
		if got := c.Match(importPath); got != want {
			t.Errorf("default Match(%q) = %v, want %v", importPath, got, want)
		}
	}
}

func TestVariable(t *testing.T) {
	for name, want := range map[string]string{"serverUrl": "SCAVENGER_SERVER_URL", "packages": "SCAVENGER_PACKAGES", "excludePackages": "SCAVENGER_EXCLUDE_PACKAGES"} {
		if got := Variable(name); got != want {
			t.Errorf("Variable(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestFromModules(t *testing.T) {
	dir := tree(t, map[string]string{
		"a/go.mod":                          "module example.com/a\n",
		"a/x/x.go":                          "package x\n",
		"a/vendor/example.com/a/sub/s.go":   "package sub\n",
		"cache/example.com/a/sub@v1/go.mod": "module example.com/a/sub\n",
		"work/x.go":                         "package x\n",
	})
	c := &Config{Modules: []Module{{Path: "example.com/a"}}}
	for _, test := range []struct {
		importPath string
		dirs       []string
		want       bool
	}{
		{"example.com/a/x", []string{"a/x"}, true},
		{"example.com/a/x", []string{"work", "a/x"}, true}, // a generated or replaced file first
		{"example.com/a/x", []string{"work"}, true},
		{"example.com/a/sub", []string{"a/vendor/example.com/a/sub"}, false},
		{"example.com/a/sub", []string{"cache/example.com/a/sub@v1"}, false},
		{"command-line-arguments", []string{"cache/example.com/a/sub@v1"}, true},
	} {
		var dirs []string
		for _, d := range test.dirs {
			dirs = append(dirs, filepath.Join(dir, filepath.FromSlash(d)))
		}
		if got := c.FromModules(test.importPath, dirs); got != test.want {
			t.Errorf("FromModules(%q, %q) = %v", test.importPath, test.dirs, got)
		}
	}
	c.Packages = []string{"example.com/a"}
	if !c.FromModules("example.com/a/sub", []string{filepath.Join(dir, "cache/example.com/a/sub@v1")}) {
		t.Error("a package that a pattern names was left out")
	}
}
