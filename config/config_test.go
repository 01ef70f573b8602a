package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
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

func environ(vars ...string) func(string) string {
	return func(name string) string {
		for i := 0; i+1 < len(vars); i += 2 {
			if vars[i] == name {
				return vars[i+1]
			}
		}
		return ""
	}
}

func TestLoad(t *testing.T) {
	dir := tree(t, map[string]string{
		"go.mod":         "module example.com/app // a comment\n",
		"sub/x.go":       "package sub\n",
		"scavenger.toml": "packages = [\"example.com/app\", \"example.com/lib\"]\nexcludePackages = \"example.com/app/gen, example.com/app/mock\"\nappName = 'shop'\nserverUrl = \"http://c:8080\"\n",
	})
	for _, from := range []string{dir, filepath.Join(dir, "sub")} {
		c, err := Load(from, environ())
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
	c, err := Load(dir, environ("SCAVENGER_PACKAGES", "a/b;c:d,e", "SCAVENGER_API_KEY", "secret"))
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

func TestLoadErrors(t *testing.T) {
	for text, want := range map[string]string{
		"packages = [":                     ":1:12: ",
		"\nappName = \"x\"\nappName = 1":   ":3:",
		"a = 1":                            ":1:1: unknown key \"a\"; known are packages, ",
		"[packages]\nx = 1":                ":1:2: packages: want a list of strings, have map[",
		"  appName = [1]":                  ":1:3: appName: want a string, have [1]",
		"packages = [1]":                   ":1:1: packages: want a list of strings, have 1 in it",
		"packages = [\"./x\"]":             "package pattern \"./x\": relative",
		"packages = [\"example.com/a b\"]": "package pattern \"example.com/a b\": not an import path",
	} {
		dir := tree(t, map[string]string{"go.mod": "module m\n", FileName: text})
		_, err := Load(dir, environ())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

func TestMainModules(t *testing.T) {
	dir := tree(t, map[string]string{
		"go.work":       "go 1.24\n\nuse (\n\t./a\n\t./deep/b\n\t./gone\n)\n",
		"a/go.mod":      "module example.com/a\n",
		"deep/b/go.mod": "module example.com/a/b\n",
		"a/x/x.go":      "package x\n",
	})
	c, err := Load(filepath.Join(dir, "a", "x"), environ())
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
	c, err = Load(filepath.Join(dir, "a", "x"), environ("GOWORK", "off"))
	if err != nil {
		t.Fatal(err)
	}
	if want := []Module{{"example.com/a", ""}}; !slices.Equal(c.Modules, want) {
		t.Errorf("modules with GOWORK=off %v, want %v", c.Modules, want)
	}
}

func TestMatch(t *testing.T) {
	c := &Config{Packages: []string{"example.com/shop", "example.com/.../api", "net..."}, ExcludePackages: []string{"example.com/shop/gen/..."}}
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

// Settings that change what is compiled are in the compile ID, all others in
// the link ID.
func TestIDs(t *testing.T) {
	ids := func(text string) (compile, link string) {
		c, err := Load(tree(t, map[string]string{"go.mod": "module m\n", FileName: text}), environ())
		if err != nil {
			t.Fatal(err)
		}
		var a, b strings.Builder
		c.WriteCompileID(&a)
		c.WriteLinkID(&b)
		return a.String(), b.String()
	}
	compile, link := ids("")
	for _, k := range keys {
		c, l := ids(k.name + " = \"example.com/x\"")
		if (c != compile) != k.build || (l != link) == k.build {
			t.Errorf("%s: compile ID changes: %v, link ID changes: %v", k.name, c != compile, l != link)
		}
	}
}
