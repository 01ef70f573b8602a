package wrapper

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/config"
)

func TestWithIDFlags(t *testing.T) {
	patterns := []string{"a/...", "b/..."}
	for _, test := range []struct{ given, want []string }{
		{nil, nil},
		{[]string{"-N -l"}, []string{"-N -l M"}},
		{[]string{""}, []string{"M"}},
		{[]string{"all=-N -l"}, []string{"all=-N -l", "a/...=-N -l M", "b/...=-N -l M", "-N -l M"}},
		{[]string{"std=-N"}, []string{"std=-N"}},
		{[]string{"a/x=-N", " c = -l"}, []string{"a/x=-N M", "c=-l M"}},
		{[]string{"c="}, []string{"c=M"}},
		{[]string{"wrong"}, []string{"wrong"}},
	} {
		want := append([]string{"a/...=M", "b/...=M", "M"}, test.want...)
		if got := withIDFlags(test.given, patterns, "M"); !slices.Equal(got, want) {
			t.Errorf("withIDFlags(%q):\n%q, want\n%q", test.given, got, want)
		}
	}
}

// Each pattern matches at least what the setting does.
func TestIDPatterns(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.com/app\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for packages, want := range map[string]string{
		"":                            "example.com/app/...",
		"example.com/a,example.com/b": "example.com/a/... example.com/b/...",
		"example.com/a/.../b":         "example.com/a/...",
		"exam...":                     "exam...",
		"example.com.shop":            "example...",
		"app":                         "app...",
	} {
		c, err := config.Load(config.Source{Dir: dir, Lookup: func(name string) (string, bool) {
			if name == "SCAVENGER_PACKAGES" {
				return packages, true
			}
			return "", false
		}})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(idPatterns(c), " "); got != want {
			t.Errorf("packages %s: %s, want %s", packages, got, want)
		}
	}
}

func TestSplitGoCall(t *testing.T) {
	for _, test := range []struct{ args, before, after, gcflags, toolexec, dir string }{
		{args: "build", before: "build"},
		{args: "-C d build -v .", before: "-C d build", after: "-v .", dir: "d"},
		{args: "build -C=d -gcflags -N -o x . -gcflags=-l", before: "build -C=d", after: "-o x . -gcflags=-l", gcflags: "-N", dir: "d"},
		{args: "test -run -gcflags=x ./a -gcflags=-l -u y -toolexec=t -args -gcflags=-N", before: "test",
			after: "-run -gcflags=x ./a -u y -args -gcflags=-N", gcflags: "-l", toolexec: "t"},
		{args: "run --gcflags=-l -- . -gcflags=-N", before: "run", after: "-- . -gcflags=-N", gcflags: "-l"},
	} {
		c, ok := splitGoCall(strings.Fields(test.args))
		if !ok {
			t.Errorf("%s: not taken apart", test.args)
			continue
		}
		for _, field := range [][2]string{{strings.Join(c.before, " "), test.before}, {strings.Join(c.after, " "), test.after},
			{strings.Join(c.gcflags, " "), test.gcflags}, {deref(c.toolexec), test.toolexec}, {c.dir, test.dir}} {
			if field[0] != field[1] {
				t.Errorf("%s: %q, want %q", test.args, field[0], field[1])
			}
		}
	}
	for _, args := range []string{"", "mod tidy", "generate", "-C d", "build -tags"} {
		if _, ok := splitGoCall(strings.Fields(args)); ok {
			t.Errorf("%s: taken for a build", args)
		}
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// A flag of the command line takes the place of one in GOFLAGS, an empty one too.
func TestToolexecOfGOFLAGS(t *testing.T) {
	for args, want := range map[string]string{"build": "-next=other", "build -toolexec=": "", "build -toolexec=mine": "-next=mine"} {
		c, _ := splitGoCall(strings.Fields(args))
		c.addGOFLAGS([]string{"-toolexec=other"})
		ours, err := c.ourToolexec(os.Args[0])
		if got := strings.Join(ours, " "); got != want || err != nil {
			t.Errorf("GOFLAGS=-toolexec=other go %s: %q, %v, want %q", args, got, err, want)
		}
	}
}

func TestSetGcflags(t *testing.T) {
	frame := strings.Repeat("\xff", 16)
	cfg := func(line string) *importcfg {
		return parseImportcfg("packagefile a=b\nmodinfo " + strconv.Quote(frame+"path\tx\n"+line+"build\t-race=true\n"+frame) + "\n")
	}
	for value, want := range map[string]string{
		"":          "",
		"-l":        "build\t-gcflags=-l\n",
		"all=-N -l": "build\t-gcflags=\"all=-N -l\"\n",
	} {
		c := cfg("build\t-gcflags=\"x -scavenger=1\"\n")
		if err := c.setGcflags(value); err != nil {
			t.Fatal(err)
		}
		got, err := c.modinfo()
		if err != nil || got != "path\tx\n"+want+"build\t-race=true\n" {
			t.Errorf("setGcflags(%q): %q, %v", value, got, err)
		}
	}
}

// What says where go.mod is reaches the actions: from the command line, which comes
// first, and from GOFLAGS, of which the last counts.
func TestModuleFlags(t *testing.T) {
	for _, test := range []struct{ args, goflags, want string }{
		{"build .", "", ""},
		{"build -modfile=a.mod -overlay o.json .", "", "-modfile=a.mod -overlay=o.json"},
		{"build -modfile a.mod -modfile b.mod .", "-modfile=c.mod -overlay=o.json", "-modfile=b.mod -overlay=o.json"},
		{"build -modfile= .", "-modfile=c.mod", ""},
		{"test ./x --modfile=a.mod -args -overlay=o.json", "", "-modfile=a.mod"},
		{"run . -modfile=a.mod", "-v --modfile=c.mod -modfile=d.mod", "-modfile=d.mod"},
	} {
		c, ok := splitGoCall(strings.Fields(test.args))
		if !ok {
			t.Fatalf("%s: not taken apart", test.args)
		}
		c.addGOFLAGS(strings.Fields(test.goflags))
		words := c.moduleWords()
		if got := strings.Join(words, " "); got != test.want {
			t.Errorf("%s with GOFLAGS=%s: %q, want %q", test.args, test.goflags, got, test.want)
		}
		args, flags, err := actionArgs(append(append([]string{"scavenger-wrap"}, words...), "/go/compile", "-p", "x"))
		if err != nil || len(args) != 4 || flags.module["modfile"] != c.module["modfile"] || flags.module["overlay"] != c.module["overlay"] {
			t.Errorf("%q: %q, %v, %v", words, args, flags.module, err)
		}
	}
}
