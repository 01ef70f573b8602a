package config

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/magiconair/properties"
)

// uiFile is what Scavenger's web page writes (scavenger-frontend, ConfForm.vue): the keys
// that have a value, in this order.
const uiFile = `serverUrl = http://collector.example.com:8080
apiKey = 4c94e0dd-ad04-4b17-9238-f46bba75c684
appName = 1
packages = com.navercorp.foo, example.com.shop
codeBase = /home1/irteam/service/tomcat/webapps/ROOT/WEB-INF
annotations = @org.springframework.stereotype.Controller
methodVisibility = public
excludeConstructors = true
excludeGetterSetter = true
environment = dev
appVersion = 0.0.1
excludePackages = com.navercorp.baz,example.com.shop.gen
asyncCodeBaseScanMode = true
`

func TestUIFile(t *testing.T) {
	c, err := load(tree(t, map[string]string{"go.mod": "module m\n", PropertiesName: uiFile}))
	if err != nil {
		t.Fatal(err)
	}
	if !c.Match("example.com/shop/cart") || c.Match("example.com/shop/gen") || c.Match("example.com/shopping") {
		t.Error("the patterns do not match")
	}
	if !c.ExportedOnly || !c.ExcludeConstructors || !c.ExcludeGetterSetter || !slices.Equal(c.Annotations, []string{"@org.springframework.stereotype.Controller"}) {
		t.Errorf("config %+v", c)
	}
	want := map[string]string{"serverUrl": "http://collector.example.com:8080", "apiKey": "4c94e0dd-ad04-4b17-9238-f46bba75c684", "appName": "1", "environment": "dev", "appVersion": "0.0.1"}
	if !maps.Equal(c.Run, want) {
		t.Errorf("run-time settings %q, want %q", c.Run, want)
	}
	if len(c.Notes) != 2 || !strings.Contains(c.Notes[0], ":5:1: codeBase has no effect: not needed") {
		t.Errorf("notes %q", c.Notes)
	}
}

func TestFileErrors(t *testing.T) {
	for _, test := range []struct{ file, text, want string }{
		{FileName, "packages = [", ":1:12: "},
		{FileName, "\nappName = \"x\"\nappName = 1", ":3:"},
		{FileName, "a = 1", `:1:1: unknown key "a"; the keys are packages, `},
		{FileName, "x = \"\"\n\n pakages = []", `unknown key "x"; the keys`},
		{FileName, "[packages]\nx = 1", ":1:2: packages: want a list of strings, have map["},
		{PropertiesName, "# c\n  severUrl = http://h", `scavenger.conf:2:3: unknown key "severUrl"; did you mean serverUrl?`},
		{PropertiesName, "appName = \\u12", `scavenger.conf:1:11: \u wants four hexadecimal digits`},
		{PropertiesName, "appName=a\nappName=\xff", "scavenger.conf:2:9: not UTF-8"},
		{PropertiesName, "excludeByRegex = a, (b", "scavenger.conf:1:21: excludeByRegex: error parsing regexp: missing closing ): `(b`"},
		{PropertiesName, "apiKey = k\nserverUrl = http://user:secret@host", "scavenger.conf:2:1: serverUrl: want a URL"},
		{FileName, "apiKey = secret-4c94", "scavenger.toml:1:10: apiKey: want a string in quotes"},
		{FileName, "apiKey = 4c94secret", ": apiKey: want a string in quotes"},
		{FileName, "apiKey = ['secret']", "scavenger.toml:1:1: apiKey: want a string"},
		{FileName, "packages = [\n\t\"a\", # ./b\n\t\"./b\",\n]\nexcludePackages = ['./b']", "scavenger.toml:3:3: packages: package pattern \"./b\""},
		{FileName, "packages = ['a']\nexcludePackages = ['a/b', './a']", "scavenger.toml:2:28: excludePackages: "},
		{PropertiesName, "packages = a,\\\n  b ,./c\nexcludePackages = ./c", "scavenger.conf:2:6: packages: package pattern \"./c\""},
		{PropertiesName, "packages = a\rexcludePackages = b:c*", "scavenger.conf:2:21: excludePackages: package pattern \"c*\""},
		{PropertiesName, "excludeByRegex = a\\\\.b, a\\\\.(c\n", "scavenger.conf:1:25: excludeByRegex: error parsing regexp"},
		{FileName, "appName = 'a'\n\n appName = 'b'", "scavenger.toml:3:2: appName is set a second time; it is at 1:1 already: remove one of the two"},
		{FileName, "\"apiKey\" = 'secret1'\napiKey = 'secret2'", "scavenger.toml:2:1: apiKey is set a second time; it is at 1:2 already"},
		{FileName, "packages = ['a']\n[packages]", "scavenger.toml:2:2: packages is set a second time; it is at 1:1 already"},
		{FileName, "licenseKey = 'secret1'\napi_key = 'secret2'", "scavenger.toml:2:1: api_key is another name of licenseKey, which is set at "},
		{PropertiesName, "schedulerIntervalMillis = 1000\nscheduler_interval_seconds = 2", "scavenger.conf:2:1: scheduler_interval_seconds is another name of schedulerIntervalMillis, which is set at "},
		{FileName, "# c\n appName.x = 1", "scavenger.toml:2:2: appName: want a string"},
		{FileName, "appName = shop", "scavenger.toml:1:11: appName: expected value but found \"shop\" instead: put strings in quotes"},
		{PropertiesName, "callStackTraceMode = true", "scavenger.conf:1:1: callStackTraceMode: who calls whom is not recorded"},
	} {
		_, err := load(tree(t, map[string]string{"go.mod": "module m\n", test.file: test.text}))
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: error %v, want %q", test.text, err, test.want)
		}
	}
}

func TestFindFile(t *testing.T) {
	dir := tree(t, map[string]string{
		"go.mod": "module m\n", "scavenger.toml": "appName = 'root'", "a/scavenger.conf": "appName = a", "a/b/x.go": "", "c/x.go": "",
		"etc/other.conf": "appName = other", "both/scavenger.conf": "", "both/scavenger.toml": "",
	})
	other := filepath.Join(dir, "etc", "other.conf")
	for _, test := range []struct{ dir, file, variable, want string }{
		{"", "", "", "root"},
		{"c", "", "", "root"},
		{"a/b", "", "", "a"},
		{"a/b", other, "x", "other"},
		{"a/b", "etc/other.conf", "", "other"},
		{"c", "", other, "other"},
		{"c", "", "etc/other.conf", "other"},
		{"c", "none.conf", "", "-config=none.conf: no such file in "},
		{"c", filepath.Join(dir, "none.conf"), "", "none.conf: no such file"},
		{"c", "", "none.conf", "SCAVENGER_CONFIG=none.conf: no such file in "},
		{"both", "", "", "scavenger.toml: there is also scavenger.conf, and settings stand in one file: remove scavenger.conf"},
	} {
		c, err := Load(Source{Dir: filepath.Join(dir, filepath.FromSlash(test.dir)), File: test.file, Lookup: environ("SCAVENGER_CONFIG", test.variable)})
		if err != nil {
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("%+v: %v", test, err)
			}
			continue
		}
		if got := c.Run["appName"]; got != test.want {
			t.Errorf("%+v: appName %q", test, got)
		}
	}
	if err := os.Remove(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatal(err)
	}
	if c, err := load(filepath.Join(dir, "c")); err != nil || c.File != "" {
		t.Errorf("outside a module %q is found (%v)", c.File, err)
	}
}

// In a scavenger.conf the last of several values counts, as it does in Java, and that is
// noted. The same value under two names is no error.
func TestSetTwice(t *testing.T) {
	c, err := load(tree(t, map[string]string{"go.mod": "module m\n",
		PropertiesName: "appName = a\nserver_url = http://h\nserverUrl = http://h\n appName = b\napiKey = k\nenvironment = x\nenvironment = x\n"}))
	if err != nil {
		t.Fatal(err)
	}
	if c.Run["appName"] != "b" || len(c.Notes) != 1 || !strings.Contains(c.Notes[0], "scavenger.conf:4:2: appName is set a second time; the value at ") || !strings.HasSuffix(c.Notes[0], "scavenger.conf:1:1 does not count") {
		t.Errorf("run-time settings %q, notes %q", c.Run, c.Notes)
	}
}

// Values of keys that act at build time are expanded. Values that are built in are not.
func TestExpand(t *testing.T) {
	c, err := load(tree(t, map[string]string{"go.mod": "module m\n",
		PropertiesName: "packages = $TEAM/a, ${appName}, $none/x\nappName = shop\napiKey = $KEY\nschedulerIntervalMillis = ${I}\nexcludeByRegex = ^a$|b$\n"}),
		"TEAM", "example.com/team", "KEY", "secret", "I", "x")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"example.com/team/a", "shop", "$none/x"}; !slices.Equal(c.Packages, want) {
		t.Errorf("packages %q, want %q", c.Packages, want)
	}
	if c.Run["apiKey"] != "$KEY" || c.Run["schedulerIntervalMillis"] != "${I}" {
		t.Errorf("run-time settings %q", c.Run)
	}
	if re := c.ExcludeByRegex[0].String(); re != "^(?:^a$|b$)$" {
		t.Errorf("regular expression %s", re)
	}
}

// In TOML the entries of a list are expanded.
func TestExpandList(t *testing.T) {
	c, err := load(tree(t, map[string]string{"go.mod": "module m\n", FileName: "packages = ['$TEAM/a', '${TEAM}/b', '$appName']\nappName = 'shop'\nexcludePackages = '$TEAM/c'"}), "TEAM", "example.com/team")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"example.com/team/a", "example.com/team/b", "shop"}; !slices.Equal(c.Packages, want) || !slices.Equal(c.ExcludePackages, []string{"example.com/team/c"}) {
		t.Errorf("packages %q, want %q; excludePackages %q", c.Packages, want, c.ExcludePackages)
	}
}

func TestNoAPIKey(t *testing.T) {
	c, err := load(tree(t, map[string]string{"go.mod": "module m\n", FileName: "appName = 'x'\nserverUrl = 'http://h'"}))
	if err != nil || len(c.Notes) != 1 || !strings.Contains(c.Notes[0], "scavenger.toml:2:1: serverUrl has no effect without apiKey") {
		t.Errorf("notes %q, %v", c.Notes, err)
	}
}

func FuzzProperties(f *testing.F) {
	f.Add(uiFile)
	f.Add("a\\\n  b = c\\\n  d\n!x\r\ne:f\\tg\\u00e9")
	differs := regexp.MustCompile(`[\r\f\x{FEFF}\x{FFFD}]|\\u|\\$`)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseProperties(text)
		lines := strings.Count(text, "\n") + strings.Count(text, "\r") + 1
		for _, p := range got {
			if p.line < 1 || p.line > lines || p.column < 1 || p.column > len(text) {
				t.Fatalf("%q is at %d:%d of %d lines", p.name, p.line, p.column, lines)
			}
		}
		// Where the library differs from Java: see hitrt's test of the same name.
		if err != nil || differs.MatchString(text) || strings.ToValidUTF8(text, "") != text {
			return
		}
		want, err := (&properties.Loader{DisableExpansion: true}).LoadBytes([]byte(text))
		if err != nil || strings.Contains(strings.Join(want.Keys(), ""), "\n") {
			return
		}
		values := map[string]string{}
		for _, p := range got {
			values[p.name] = p.value.(string)
		}
		if !maps.Equal(values, want.Map()) {
			t.Fatalf("%q = %q, the library says %q", text, values, want.Map())
		}
	})
}

// No file makes the parser panic, or accept a value that it cannot use.
func FuzzTOML(f *testing.F) {
	f.Add("packages = ['a']\nserverUrl = \"http://h\"\n[x]\ny = 1")
	f.Add("\"packages\" = [\n'a',\n]\nexitTimeout = 1\n")
	f.Fuzz(func(t *testing.T, text string) {
		properties, err := parseTOML(text)
		if err != nil {
			return
		}
		for _, p := range properties {
			if name, ok := lookUp(p.name); ok {
				if s, err := newSetting(name, p.value); err == nil && s.List == nil && s.Value == "" {
					t.Fatalf("%q: %v is taken for no value", text, p.value)
				}
			}
		}
	})
}

// Whatever a file contains, errors name the file and positions are within it.
func FuzzFile(f *testing.F) {
	f.Add("packages = ['a', './b']\n", true)
	f.Add("packages = a, \\\r\n b;c\rexcludeByRegex = a\\\\.b,(\n", false)
	f.Add("\uFEFFappName = a # b\nappName = c\napp_name = d\nannotations = @a;//b", false)
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module m\n\ngo 1.24\n"), 0o666); err != nil {
		f.Fatal(err)
	}
	position := regexp.MustCompile(`\.(?:toml|conf):(\d+):(\d+)$`)
	f.Fuzz(func(t *testing.T, text string, isTOML bool) {
		name := filepath.Join(dir, "x.conf")
		if isTOML {
			name = filepath.Join(dir, "x.toml")
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		c, err := Load(Source{Dir: dir, File: name, Lookup: environ()})
		if err != nil {
			if !strings.HasPrefix(err.Error(), name) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		lines := strings.Count(text, "\n") + strings.Count(text, "\r") + 1
		for _, s := range append(slices.Clone(c.Settings), c.CannotMatch(nil)...) {
			m := position.FindStringSubmatch(s.From)
			if m == nil {
				t.Fatalf("%q: %s is from %s", text, s.Key.Name, s.From)
			}
			line, _ := strconv.Atoi(m[1])
			column, _ := strconv.Atoi(m[2])
			if line > lines || column > len(text)+1 {
				t.Fatalf("%q: %s is from %s", text, s.Key.Name, s.From)
			}
		}
	})
}

// A pattern without wildcards matches itself and what is below it. It matches no path
// that continues its last element. Every path that a pattern matches contains its
// literal.
func FuzzMatch(f *testing.F) {
	f.Add("example.com/shop", "example.com/shopping")
	f.Add("a.b.c", "a.b/c")
	f.Add(".../x...", "a/b/x/c")
	f.Fuzz(func(t *testing.T, pattern, path string) {
		if checkPattern(pattern) != nil || strings.HasSuffix(pattern, "/") {
			return
		}
		c := &Config{Packages: []string{pattern}}
		if !strings.Contains(pattern, "...") {
			for _, p := range []string{pattern, pattern + "/x"} {
				if !c.Match(p) {
					t.Errorf("%q does not match %q", pattern, p)
				}
			}
			if c.Match(pattern + "x") {
				t.Errorf("%q matches %q", pattern, pattern+"x")
			}
		}
		if c.Match(path) && !strings.Contains(path, c.Literals()[0]) {
			t.Errorf("%q matches %q, which lacks %q", pattern, path, c.Literals()[0])
		}
	})
}
