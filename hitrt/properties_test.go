package hitrt

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/magiconair/properties"
)

func TestParseProperties(t *testing.T) {
	for text, want := range map[string]map[string]string{
		"a = 1\nb=2\r\nc:3\rd 4":            {"a": "1", "b": "2", "c": "3", "d": "4"},
		"# a=1\n  ! b=2\n\n \t\n c = # no":  {"c": "# no"},
		"a=x\\\n   y\nb=x\\\\\nc=\\\r\n z":  {"a": "xy", "b": "x\\", "c": "z"},
		"a\\ b\\=c = d\\u00e9\\t\\q":        {"a b=c": "dé\tq"},
		"server_url=x\nserverUrl = y":       {"serverUrl": "y"},
		"\uFEFFappName = Wörter  ":          {"appName": "Wörter  "},
		"a":                                 {"a": ""},
		"a\\":                               {"a": ""},
		"= b":                               {"": "b"},
		"a = b = c\na2 = http://h:1/?x=1#y": {"a": "b = c", "a2": "http://h:1/?x=1#y"},
	} {
		got, err := parseProperties(text)
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("%q = %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{`a=\u12`, `a=\uwxyz`, `\u1=2`} {
		if got, err := parseProperties(text); err == nil {
			t.Errorf("%q = %q, want an error", text, got)
		}
	}
}

// This reader reads what a library reads, wherever that follows Java.
func FuzzProperties(f *testing.F) {
	f.Add("serverUrl = http://localhost:8080\napiKey = x\nexcludeConstructors = true\n")
	f.Add("a=b\\\n  c\n#d\n!e\nf\\u00e4:\\tg")
	f.Add("k\\ k = v\\\\\nl\fm")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseProperties(text)
		if err != nil {
			return
		}
		// The library takes "\r" for a blank, and the backslash at a line's end with it
		// for an escape; has no BOM; goes on behind "\u" with fewer digits; and lets a
		// key have a line break in it.
		if strings.ContainsAny(text, "\r\f\uFEFF\uFFFD_") || strings.Contains(text, `\u`) || strings.HasSuffix(text, `\`) || strings.ToValidUTF8(text, "") != text {
			return
		}
		want, err := (&properties.Loader{DisableExpansion: true}).LoadBytes([]byte(text))
		if err != nil {
			return
		}
		if strings.Contains(strings.Join(want.Keys(), ""), "\n") {
			return
		}
		if !maps.Equal(got, want.Map()) {
			t.Fatalf("%q = %q, the library says %q", text, got, want.Map())
		}
	})
}

func TestExpand(t *testing.T) {
	known := map[string]string{"A": "1", "app.name": "shop", "X": "$A"}
	for text, want := range map[string]string{
		"$A":             "1",
		"${A}b$A":        "1b1",
		"x${app.name}y":  "xshopy",
		"$":              "$",
		"$$A":            "$1",
		"${A":            "${A",
		"${}":            "${}",
		"${A b}":         "${A b}",
		"$B ${C}":        "$B ${C}",
		"$X":             "$A",
		"a$ b":           "a$ b",
		"plain":          "plain",
		"^com\\.x$|^y$ ": "^com\\.x$|^y$ ",
	} {
		var lost []string
		got := expand(text, func(name string) (string, bool) { v, ok := known[name]; return v, ok },
			func(name string) { lost = append(lost, name) })
		if got != want {
			t.Errorf("expand(%q) = %q, want %q (not known: %q)", text, got, want, lost)
		}
	}
}

func FuzzExpand(f *testing.F) {
	f.Add("a${b}c$d")
	f.Fuzz(func(t *testing.T, text string) {
		nothing := func(string) (string, bool) { return "", false }
		if got := expand(text, nothing, func(string) {}); got != text {
			t.Fatalf("expand(%q) = %q, though no name is known", text, got)
		}
		itself := func(name string) (string, bool) { return "", true }
		if got := expand(text, itself, func(string) {}); len(got) > len(text) {
			t.Fatalf("expand(%q) = %q, though all names are empty", text, got)
		}
	})
}

// Where a value comes from: the variable of the key, SCAVENGER_OPTIONS, the file,
// the binary; the first that has the key, even if it is blank.
func TestSettingsPrecedence(t *testing.T) {
	needsNetwork(t)
	file := filepath.Join(t.TempDir(), "scavenger.conf")
	const text = "app_name = file\nlicenseKey = file-key\nenvironment =\nhostname = ${HOST_PREFIX}-1\nscheduler_interval_seconds = 3\n"
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	p := &Program{Settings: `{"appName":"baked","environment":"baked","dataDir":"baked-$appName","serverUrl":"http://baked"}`}
	s := loadSettings(p, environment("SCAVENGER_CONFIG="+file, "HOST_PREFIX=h", "SCAVENGER_OPTIONS=server_url = http://options ; appVersion=7;debugMode",
		"SCAVENGER_DEBUG_MODE=true", "SCAVENGER_SCHEDULER_INITIAL_DELAY_SECONDS=2"))
	got := []string{s.appName, s.apiKey, s.environment, s.hostname, filepath.Base(s.dataDir), s.serverURL, s.appVersion, s.interval.String(), s.initialDelay.String()}
	want := []string{"file", "file-key", "", "h-1", "baked-file", "http://options", "7", "3s", "2s"}
	if strings.Join(got, " ") != strings.Join(want, " ") || s.logLevel != levelDebug || len(s.problems) > 0 {
		t.Errorf("settings %q, want %q; problems %q", got, want, s.problems)
	}
	s = loadSettings(p, environment("SCAVENGER_CONFIG="+file, "SCAVENGER_APP_NAME=", "SCAVENGER_API_KEY=variable"))
	if s.apiKey != "variable" || s.appName == "file" || s.appName == "baked" {
		t.Errorf("apiKey %q and appName %q, want that of the variable, and the default", s.apiKey, s.appName)
	}
	if all := strings.Join(s.problems, "\n"); !strings.Contains(all, "hostname has $HOST_PREFIX in it") {
		t.Errorf("problems %q", all)
	}
}

// The file is looked for at the Java agent's places.
func TestSettingsPlaces(t *testing.T) {
	home, dir := t.TempDir(), t.TempDir()
	t.Chdir(dir)
	lookup := environment("HOME=" + home)
	for _, place := range []string{
		filepath.Join(home, ".config", "scavenger.conf"), filepath.Join(dir, "conf", "scavenger.conf"), filepath.Join(dir, "scavenger.conf"),
	} {
		if err := os.MkdirAll(filepath.Dir(place), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(place, []byte("appName="+place), 0o666); err != nil {
			t.Fatal(err)
		}
		if s := loadSettings(&Program{}, lookup); s.appName != place {
			t.Errorf("with %s appName is %q", place, s.appName)
		}
	}
}

// Places that cannot be reached, or have something else in them, are no settings:
// nothing is said, and the next place counts.
func TestSettingsPlacesOutOfReach(t *testing.T) {
	const name = "scavenger.conf"
	long := strings.Repeat("x", 300)
	for what, make := range map[string]func(dir, home string) (HOME string, err error){
		"HOME is a device": func(_, _ string) (string, error) { return os.DevNull, nil },
		"HOME is nowhere":  func(_, home string) (string, error) { return filepath.Join(home, long), nil },
		"HOME has a NUL":   func(_, _ string) (string, error) { return "\x00", nil },
		"conf is a file": func(dir, home string) (string, error) {
			return home, os.WriteFile(filepath.Join(dir, "conf"), nil, 0o666)
		},
		"a directory": func(dir, home string) (string, error) { return home, os.Mkdir(filepath.Join(dir, name), 0o777) },
		"a loop":      func(dir, home string) (string, error) { return home, os.Symlink(name, filepath.Join(dir, name)) },
		"a link to nothing": func(dir, home string) (string, error) {
			return home, os.Symlink("nothing", filepath.Join(dir, name))
		},
		"too large": func(dir, home string) (string, error) {
			file := filepath.Join(dir, name)
			return home, errors.Join(os.WriteFile(file, nil, 0o666), os.Truncate(file, maxSettingsFile+1))
		},
		"conf may not be entered": func(dir, home string) (string, error) {
			return home, os.Mkdir(filepath.Join(dir, "conf"), 0)
		},
		"a file may not be read": func(dir, home string) (string, error) {
			if os.Geteuid() == 0 {
				return "", errors.New("root may")
			}
			return home, os.WriteFile(filepath.Join(dir, name), nil, 0)
		},
		"the working directory is gone": func(dir, home string) (string, error) { return home, os.Remove(dir) },
	} {
		dir, home := filepath.Join(t.TempDir(), "work"), t.TempDir()
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		t.Chdir(dir)
		later := filepath.Join(home, ".config", name)
		if err := os.Mkdir(filepath.Dir(later), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(later, []byte("appName=later"), 0o666); err != nil {
			t.Fatal(err)
		}
		used, err := make(dir, home)
		if err != nil {
			t.Logf("%s: %v", what, err) // not everywhere possible
			continue
		}
		s := loadSettings(&Program{}, environment("HOME="+used))
		var out strings.Builder
		s.explain(&out)
		if s.active() || out.String() != "" || used == home && s.appName != "later" {
			t.Errorf("%s: said %q, appName %q", what, out.String(), s.appName)
		}
	}
}

// A file that was named and cannot be read is said, whether or not anything else
// is set; what is no file is not opened.
func TestSettingsFileErrors(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.conf")
	if err := os.WriteFile(bad, []byte(`appName=\u1`), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		filepath.Join(dir, "none.conf"): "none.conf",
		dir:                             "is no settings file",
		bad:                             `bad.conf: \\u without`,
	} {
		s := loadSettings(&Program{}, environment("SCAVENGER_CONFIG="+name))
		var out strings.Builder
		s.explain(&out)
		if !strings.Contains(out.String(), "scavenger: reading settings: SCAVENGER_CONFIG: ") || !strings.Contains(out.String(), want) || strings.Count(out.String(), "\n") != 1 {
			t.Errorf("%s: said %q, want %q", name, out.String(), want)
		}
	}
	s := loadSettings(&Program{}, environment("SCAVENGER_CONFIG="+filepath.Join(dir, "none.toml")))
	if s.fileErr != nil {
		t.Errorf("a TOML file, which is for the build, is read: %v", s.fileErr)
	}
}

// A collector without a key is said where the environment asks for it. In the
// binary alone it is not: that is how the program is on its developer's machine.
func TestSettingsNoKey(t *testing.T) {
	needsNetwork(t)
	const message = "serverUrl is set, but apiKey is not"
	const baked = `{"serverUrl":"http://collector:8080"}`
	for _, test := range []struct {
		baked, environment string
		said               bool
	}{
		{"", "SCAVENGER_SERVER_URL=http://c", true},
		{"", "SCAVENGER_OPTIONS=serverUrl=http://c", true},
		{`{"apiKey":"$MISSING"}`, "SCAVENGER_SERVER_URL=http://c", true},
		{baked, "SCAVENGER_API_KEY=$MISSING", false},
		{baked, "X=", false},
		{`{"apiKey":"k"}`, "SCAVENGER_SERVER_URL=http://c", false},
		{`{"enabled":"false"}`, "SCAVENGER_SERVER_URL=http://c", false},
	} {
		s := loadSettings(&Program{Settings: test.baked}, environment(test.environment))
		var out strings.Builder
		s.explain(&out)
		if said := strings.Contains(out.String(), message); said != test.said || strings.Count(out.String(), "\n") > 1 {
			t.Errorf("%s, %s: said %q", test.baked, test.environment, out.String())
		}
	}
}

// A serverUrl that is none makes a program inert, and that is said.
func TestSettingsBadURL(t *testing.T) {
	needsNetwork(t)
	for variables, want := range map[string]int{
		"SCAVENGER_SERVER_URL=collector:port": 1,
		"SCAVENGER_SERVER_URL=":               0,
		"SCAVENGER_EXIT_TIMEOUT=soon":         0,
	} {
		s := loadSettings(&Program{}, environment("SCAVENGER_API_KEY=4c94e0dd", variables))
		var out strings.Builder
		s.explain(&out)
		if s.active() || strings.Count(out.String(), "serverUrl is not of the form") != want || strings.Count(out.String(), "\n") != want {
			t.Errorf("%s: active %v, said %q, want %d lines", variables, s.active(), out.String(), want)
		}
	}
}
