package link

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/action"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/registry"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchaintest"
)

// fakeLink is a linker that refuses programs with hitrt, and shows what it was given.
const fakeLink = `#!/bin/sh
while [ $# -gt 0 ]; do
	if [ "$1" = -importcfg ]; then cp "$2" importcfg.seen; fi
	shift
done
if grep -q hitrt= importcfg.seen; then
	echo 'reference to internal symbol'
	exit 2
fi
`

// If a newer release does not link hitrt, or cannot even compile it, the program is
// linked with the stub of the registry.
func TestTryLink(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("shell script")
	}
	for name, hitrt := range map[string]string{
		"does not compile": "package hitrt\n\nimport \"no/such/package\"\n",
		"does not link":    "package hitrt\n\ntype Package struct{}\n\ntype Program struct {\n\tMain, Module, Version, Settings, Unlisted, Fingerprint string\n\tExecutable, Signals bool\n\tPackages []Package\n}\n\nfunc Register(*Program) bool { return true }\n\nfunc Exit() {}\n",
	} {
		t.Run(name, func(t *testing.T) {
			tc := toolchaintest.Local(t)
			tc.Write("go.mod", "module example.com/app\n\ngo 1.24\n")
			t.Chdir(tc.Dir)
			link := tc.Write("link", fakeLink)
			if err := os.Chmod(link, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(filepath.Join(tc.Run("env", "GOTOOLDIR"), "compile"), filepath.Join(tc.Dir, "compile")); err != nil {
				t.Fatal(err)
			}
			program := tc.Compile("example.com/app", "package main\n", nil)
			exithook := tc.Compile("internal/runtime/exithook", "package exithook\n\ntype Hook struct {\n\tF func()\n\tRunOnFailure bool\n}\n\nfunc Add(Hook) {}\n", nil)
			cfg := toolchain.ParseImportcfg("packagefile runtime=" + program + "\npackagefile internal/runtime/exithook=" + exithook)
			a, err := action.New(link, []string{"-o", "x", "-importcfg", "y", program}, action.Flags{}, fstest.MapFS{
				"hitrt/x.go": {Data: []byte(hitrt)}, "hitrt/datafile/x.go": {Data: []byte("package datafile\n")},
			})
			if err != nil {
				t.Fatal(err)
			}
			l := &linking{Action: a, config: &config.Config{Run: map[string]string{}}, args: a.Args, dir: t.TempDir(), cfg: cfg, main: &registry.Metadata{Main: &registry.MainMetadata{Fingerprint: make([]byte, toolchain.FingerprintSize)}}}
			stderr := captureStderr(t, func() {
				if err := l.tryLink("go1.99"); err != nil {
					t.Error(err)
				}
			})
			if want := "scavenger-wrap: go1.99 is newer than this version of scavenger-wrap"; !strings.HasPrefix(stderr, want) || !strings.Contains(stderr, "built without reporting (") {
				t.Errorf("message is %q, want %q…", stderr, want)
			}
			if linked := strings.Contains(stderr, "reference to internal symbol"); linked != (name == "does not link") {
				t.Errorf("the message is %q for a package that %s", stderr, name)
			}
			seen, err := os.ReadFile("importcfg.seen")
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(seen), registry.Path+"=") {
				t.Errorf("linked without the stub:\n%s", seen)
			}
		})
	}
}

// captureStderr returns what f writes to the process's standard error.
func captureStderr(t *testing.T, f func()) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	stderr := os.Stderr
	os.Stderr = file
	f()
	os.Stderr = stderr
	text, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
