package toolchain

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchaintest"
)

func TestImportcfg(t *testing.T) {
	long := strings.Repeat("x", 100_000) // modinfo of a large program
	text := "# import config\npackagefile fmt=/cache/fmt.a\nimportmap a=vendor/a\nmodinfo \"" + long + "\"\nwhat-is-to-come a=b\n"
	c := ParseImportcfg(text)
	c.Add("fmt", "/ours/fmt.a")
	c.Add("net/http", "/ours/http.a")
	file := filepath.Join(t.TempDir(), "importcfg")
	if err := c.Write(file); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := text + "packagefile net/http=/ours/http.a\n"; string(got) != want {
		t.Errorf("written importcfg:\n%s\nwant:\n%s", got, want)
	}
	if info, err := c.Modinfo(); err != nil || info != long[32:] {
		t.Errorf("modinfo has %d bytes, error %v", len(info), err)
	}
	if err := c.WritePackages(file, []string{"fmt", "net/http", "unsafe"}); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(file); string(got) != "packagefile fmt=/cache/fmt.a\npackagefile net/http=/ours/http.a\n" {
		t.Errorf("importcfg for compile:\n%s", got)
	}
	for _, bad := range []string{"modinfo short\n", "modinfo \"short\"\n", "modinfo \"\n"} {
		if _, err := ParseImportcfg(bad).Modinfo(); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
	if _, err := ReadImportcfg(filepath.Join(t.TempDir(), "none")); err == nil || !strings.HasPrefix(err.Error(), "reading importcfg: open ") {
		t.Errorf("missing file: %v", err)
	}
}

func FuzzImportcfg(f *testing.F) {
	f.Add("packagefile a=b\nmodinfo \"x\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		c := ParseImportcfg(text)
		file := filepath.Join(t.TempDir(), "importcfg")
		if err := c.Write(file); err != nil {
			t.Fatal(err)
		}
		again, err := ReadImportcfg(file)
		if err != nil || len(again.Packages) != len(c.Packages) {
			t.Errorf("%d packages of %d after a round trip, error %v", len(again.Packages), len(c.Packages), err)
		}
	})
}

func TestSetGcflags(t *testing.T) {
	frame := strings.Repeat("\xff", 16)
	cfg := func(line string) *Importcfg {
		return ParseImportcfg("packagefile a=b\nmodinfo " + strconv.Quote(frame+"path\tx\n"+line+"build\t-race=true\n"+frame) + "\n")
	}
	for value, want := range map[string]string{
		"":          "",
		"-l":        "build\t-gcflags=-l\n",
		"all=-N -l": "build\t-gcflags=\"all=-N -l\"\n",
	} {
		c := cfg("build\t-gcflags=\"x -scavenger=1\"\n")
		if err := c.SetGcflags(value); err != nil {
			t.Fatal(err)
		}
		got, err := c.Modinfo()
		if err != nil || got != "path\tx\n"+want+"build\t-race=true\n" {
			t.Errorf("setGcflags(%q): %q, %v", value, got, err)
		}
	}
}

// The modinfo line of importcfg.link contains what nestedGo in wrapper/link takes from
// it. With -n the go command shows it without building anything.
func TestToolchainModinfo(t *testing.T) {
	toolchaintest.Each(t, func(tc toolchaintest.Toolchain) {
		tc.Write("main.go", "package main\n\nfunc main() {}\n")
		for flags, want := range map[string][]debug.BuildSetting{
			"-race -tags=a,b -trimpath": {{Key: "-race", Value: "true"}, {Key: "-tags", Value: "a,b"}, {Key: "-trimpath", Value: "true"}, {Key: "CGO_ENABLED", Value: "1"}},
			"-asan -gcflags=all=-l":     {{Key: "-asan", Value: "true"}, {Key: "-gcflags", Value: "all=-l"}},
			"-msan -cover":              {{Key: "-msan", Value: "true"}, {Key: "-cover", Value: "true"}},
			"-pgo=x.pprof":              {{Key: "-pgo", Value: filepath.Join(tc.Dir, "x.pprof")}},
		} {
			tc.Write("x.pprof", "")
			cmd := tc.Command("go", slices.Concat([]string{"build", "-n", "-o", os.DevNull}, strings.Fields(flags), []string{"."})...)
			cmd.Env = append(cmd.Env, "GOAMD64=v2")
			// -asan and -msan fail where there is no C compiler for them.
			out, _ := cmd.CombinedOutput()
			_, text, ok := strings.Cut(string(out), "\nmodinfo ")
			if !ok {
				if strings.Contains(flags, "san") {
					continue
				}
				tc.Errorf("%s: no modinfo in\n%s", flags, out)
				continue
			}
			line, _, _ := strings.Cut(text, "\n")
			modinfo, err := ParseImportcfg("modinfo " + line).Modinfo()
			if err != nil {
				tc.Fatal(err)
			}
			info, err := debug.ParseBuildInfo(modinfo)
			if err != nil {
				tc.Fatal(err)
			}
			for _, s := range want {
				if !slices.Contains(info.Settings, s) {
					tc.Errorf("%s: no %s=%s in\n%s", flags, s.Key, s.Value, info)
				}
			}
			if tc.Run("env", "GOARCH") == "amd64" && !slices.Contains(info.Settings, debug.BuildSetting{Key: "GOAMD64", Value: "v2"}) {
				tc.Errorf("no GOAMD64 in\n%s", info)
			}
		}
	})
}
