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

// What the web page shows of a package can be written as it is.
func TestMatchFromPage(t *testing.T) {
	shown := []string{"gopkg.in.yaml·v3", "git·corp.shop.Store~_", "single·v2"}
	c, err := load(tree(t, map[string]string{"go.mod": "module example.com\n"}), "SCAVENGER_PACKAGES", strings.Join(shown, ","))
	if err != nil {
		t.Fatal(err)
	}
	selected, err := Patterns(shown)
	if err != nil {
		t.Fatal(err)
	}
	for importPath, want := range map[string]bool{
		"gopkg.in/yaml.v3": true, "gopkg.in/yaml.v3/x": true, "gopkg.in/yaml.v2": false,
		"git.corp/shop/Store": true, "git.corp/shop/Stores": false, "single.v2": true,
	} {
		if got := c.Match(importPath); got != want {
			t.Errorf("Match(%q) = %v, want %v", importPath, got, want)
		}
		if got := selected(importPath); got != want {
			t.Errorf("pattern of %q = %v, want %v", importPath, got, want)
		}
		if !slices.ContainsFunc(c.Literals(), func(s string) bool { return !want || strings.Contains(importPath, s) }) {
			t.Errorf("%q contains none of %q", importPath, c.Literals())
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
	root := tree(t, map[string]string{
		"a/go.mod": `module example.com/a

go 1.24

require (
	example.com/a/in v1.0.0
	example.com/a/beside v1.0.0
)

replace example.com/a/in => ./in

replace (
	example.com/a/beside v1.0.0 => ../beside
	example.com/a/merged => "./merged"
	example.com/a/fork => example.com/fork v1.0.0
	example.com/other => ./other
	example.com => ..
)
`,
		"go.mod":              "module example.com\n",
		"a/in/go.mod":         "module example.com/a/in\n",
		"beside/go.mod":       "module example.com/a/beside\n",
		"a/merged/x.go":       "package x\n",
		"a/other/go.mod":      "module example.com/other\n",
		"work/in/go.mod":      "module example.com/a/in\n",
		"work/go.work":        "go 1.24\n\nuse ../a\n\nreplace example.com/a/in => ./in\n",
		"lib@v1.0.0/a/go.mod": "module example.com/a\n",
	})
	for _, test := range []struct {
		importPath, dir string // the latter below root, unless it begins with a dash
		want            bool
	}{
		{"example.com/a", "a", true},
		{"example.com/a/x", "a/x", true},
		{"example.com/a/x_test", "a/x", true},
		{"example.com/a/x", "", true},
		{"example.com/a/x", "-/nowhere/x", true},
		{"example.com/a/in", "a/in", false},
		{"example.com/a/in_test", "a/in", false},
		{"example.com/a/in/deep", "a/in/deep", false},
		{"example.com/a/inside", "a/inside", true},
		{"example.com/a/beside/x", "beside/x", false},
		{"example.com/a/beside/x", "a/beside/x", true},
		{"example.com/a/merged", "a/merged", true},
		{"example.com/a/x", "x", false}, // of the parent, were it to have one
		{"example.com/a/sub", "a/vendor/example.com/a/sub", false},
		{"example.com/a/sub", "cache/example.com/a/sub@v1.0.0", false},
		{"example.com/a/sub/x", "a/.cache/example.com/a/sub@v1.0.0/x", false},
		{"example.com/a/fork/x", "cache/example.com/fork@v1.0.0/x", false},
		{"example.com/a/sub/x", "-example.com/a/sub@v1.0.0/x", false},
		{"example.com/a/x", "-example.com/a/x", true},
		{"command-line-arguments", "cache/example.com/a/sub@v1.0.0", true},
	} {
		c, err := load(filepath.Join(root, "a"))
		if err != nil {
			t.Fatal(err)
		}
		dir, ok := strings.CutPrefix(test.dir, "-")
		if !ok && dir != "" {
			dir = filepath.Join(root, filepath.FromSlash(dir))
		}
		if got := c.FromModules(test.importPath, dir); got != test.want {
			t.Errorf("FromModules(%q, %q) = %v", test.importPath, test.dir, got)
		}
		c.Packages = []string{"example.com"}
		if !c.FromModules(test.importPath, dir) {
			t.Errorf("FromModules(%q, %q) of a package that a pattern names is false", test.importPath, test.dir)
		}
	}
	// A workspace's replacement comes first.
	c, err := load(filepath.Join(root, "work"))
	if err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]bool{"work/in": false, "a/x": true} {
		if got := c.FromModules("example.com/a/in", filepath.Join(root, filepath.FromSlash(dir))); got != want {
			t.Errorf("in a workspace, FromModules in %s is %v", dir, got)
		}
	}
	c, err = load(filepath.Join(root, "lib@v1.0.0", "a")) // which is called so, and no module cache
	if err != nil {
		t.Fatal(err)
	}
	if !c.FromModules("example.com/a/x", filepath.Join(root, "lib@v1.0.0", "a", "x")) {
		t.Error("a directory above the main module's makes a dependency of it")
	}
}

// The compile ID contains what decides to which module a package belongs. It does not
// contain the directory of the checkout.
func TestCompileID(t *testing.T) {
	id := func(files map[string]string) string {
		c, err := load(filepath.Join(tree(t, files), "app"))
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		c.WriteCompileID(&b)
		return b.String()
	}
	const mod = "module example.com/app\n\ngo 1.24\n"
	const replace = "\nreplace example.com/app/lib => ./lib\n"
	plain := id(map[string]string{"app/go.mod": mod})
	nested := id(map[string]string{"app/go.mod": mod + replace, "app/lib/go.mod": "module example.com/app/lib\n"})
	if plain == nested {
		t.Error("a nested module is in no ID")
	}
	if again := id(map[string]string{"app/go.mod": mod + replace, "app/lib/go.mod": "module example.com/app/lib\n"}); again != nested {
		t.Errorf("another checkout has another ID:\n%s%s", nested, again)
	}
	if merged := id(map[string]string{"app/go.mod": mod + replace}); merged != plain {
		t.Errorf("a replacement that is not in use is in the ID:\n%s", merged)
	}
	other := id(map[string]string{"app/go.mod": mod + "\nreplace example.com/other => ./lib\n", "app/lib/go.mod": "module example.com/other\n"})
	if other != plain {
		t.Errorf("a module with another path is in the ID:\n%s", other)
	}
}

// The main module is found as the go command finds it.
func TestModFiles(t *testing.T) {
	root := tree(t, map[string]string{
		"block/go.mod":       "module (\n\t\"example.com/block\" // a comment\n)\n",
		"newer/go.mod":       "module example.com/newer\n\ngo 1.99\n\nwonder 1\n\nreplace example.com/newer/x => ./x\n",
		"newer/x/go.mod":     "module example.com/newer/x\n",
		"mistake/go.mod":     "module example.com/mistake\n\nrequire (\n",
		"plain/go.mod":       "module example.com/plain\n",
		"plain/sub/x.go":     "package sub\n",
		"plain/ci/go.ci.mod": "module example.com/ci\n\nreplace example.com/ci/x => ./x\n",
		"plain/x/go.mod":     "module example.com/ci/x\n",
		"plain/overlay.json": `{"Replace": {"go.mod": "ci/go.ci.mod", "x/go.mod": ""}}`,
		"plain/wrong.json":   `{`,
		"bare/x.go":          "package bare\n",
		"bare/overlay.json":  `{"Replace": {"go.mod": "../plain/go.mod"}}`,
	})
	t.Setenv("TMPDIR", filepath.Join(root, "block"))
	for _, test := range []struct {
		dir, modFile, overlay, gowork string
		want                          string
		replaced                      int
	}{
		{dir: "newer", want: "example.com/newer", replaced: 1},
		{dir: "mistake", want: "example.com/mistake"},
		{dir: "plain", gowork: "auto", want: "example.com/plain"},
		{dir: "plain", modFile: "ci/go.ci.mod", want: "example.com/ci", replaced: 1},
		{dir: "plain/sub", modFile: filepath.Join(root, "plain/ci/go.ci.mod"), want: "example.com/ci", replaced: 1},
		{dir: "plain", overlay: "overlay.json", want: "example.com/ci"},
		{dir: "plain", overlay: "wrong.json", want: "example.com/plain"},
		{dir: "plain", overlay: "none.json", want: "example.com/plain"},
		{dir: "bare", overlay: "overlay.json", want: "example.com/plain"},
		{dir: "block", want: ""}, // ignored in the directory for temporary files
	} {
		c, err := Load(Source{Dir: filepath.Join(root, filepath.FromSlash(test.dir)), Lookup: environ("GOWORK", test.gowork), ModFile: test.modFile, Overlay: test.overlay})
		if err != nil {
			t.Errorf("%+v: %v", test, err)
			continue
		}
		got := ""
		if len(c.Modules) > 0 {
			got = c.Modules[0].Path
		}
		if got != test.want || len(c.tree.replaced) != test.replaced {
			t.Errorf("%+v: module %q, %d replacements", test, got, len(c.tree.replaced))
		}
	}
	t.Setenv("TMPDIR", root)
	if c, err := load(filepath.Join(root, "block")); err != nil || c.Modules[0].Path != "example.com/block" {
		t.Errorf("a block: %v, %v", c, err)
	}
}
