package command

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
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

// Flags of ours are known behind commands whose flags are all the go command's own.
func TestOurFlag(t *testing.T) {
	for args, want := range map[string]string{
		"--config=x build":         "config",
		"-config x build":          "config",
		"build -log-level=debug .": "log-level",
		"build -v --config=x":      "config",
		"build -o app --config=x":  "config",
		"build -C d -o a -config=": "config",
		"-C d build -config x":     "config",
		"build -o app .":           "",
		"build -o -config=x":       "", // a file
		"run . -config=x":          "",
		"build . -config=x":        "",
		"test -config=x":           "", // the test binary's
		"tool x -config=x":         "",
		"":                         "",
	} {
		if got := ourFlag(strings.Fields(args)); got != want {
			t.Errorf("ourFlag(%q) = %q, want %q", args, got, want)
		}
	}
}

// Each pattern matches at least the packages that the setting matches.
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

// A flag of the command line overrides the same flag in GOFLAGS, also if it is empty.
func TestToolexecOfGOFLAGS(t *testing.T) {
	for args, want := range map[string]string{"build": "-next=other", "build -toolexec=": "", "build -toolexec=mine": "-next=mine"} {
		c, err := toolchain.ParseGoCommand(strings.Fields(args))
		if err != nil {
			t.Fatal(err)
		}
		c.SetGOFLAGS([]string{"-toolexec=other"})
		ours, err := ourToolexec(c, os.Args[0])
		if got := strings.Join(ours, " "); got != want || err != nil {
			t.Errorf("GOFLAGS=-toolexec=other go %s: %q, %v, want %q", args, got, err, want)
		}
	}
}
