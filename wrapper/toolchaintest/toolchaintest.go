// Package toolchaintest runs the tests of several rooms with each supported release of
// Go, and compiles archives for them.
//
// It may import nothing of ours, and only tests may import it.
package toolchaintest

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// releases are the releases that are supported, beside the one that runs the
// tests.
var releases = []string{"local", "go1.24.11", "go1.25.3", "go1.27.0"}

// A Toolchain is one release of Go and a directory to use it in.
type Toolchain struct {
	*testing.T
	name, Dir string
}

// Local returns the release that runs the tests.
func Local(t *testing.T) Toolchain { return Toolchain{t, "local", t.TempDir()} }

// Each runs a test with each release. Those that cannot be downloaded are skipped, and
// all but the one that runs the tests unless -run names TestToolchain…: that is 70 MB
// each to download and unpack.
func Each(t *testing.T, test func(Toolchain)) {
	asked := strings.Contains(flag.Lookup("test.run").Value.String(), "Toolchain")
	for _, name := range releases {
		t.Run(name, func(t *testing.T) {
			if name != "local" && !asked {
				t.Skip("downloads another release of Go; asked for by name, it runs: go test -run Toolchain")
			}
			tc := Toolchain{t, name, t.TempDir()}
			tc.Write("go.mod", "module example.com/app\n\ngo 1.24\n")
			cmd := tc.Command("go", "version")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Skipf("%s cannot be downloaded: %s", name, out)
			}
			test(tc)
		})
	}
}

// Write writes a file in Dir and returns its path.
func (tc Toolchain) Write(name, text string) string {
	tc.Helper()
	file := filepath.Join(tc.Dir, name)
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		tc.Fatal(err)
	}
	return file
}

// Command returns a command that runs in Dir, with this release of Go.
func (tc Toolchain) Command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = tc.Dir
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN="+tc.name, "GOENV=off", "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=1")
	return cmd
}

// Run runs a go command and returns its standard output.
func (tc Toolchain) Run(args ...string) string {
	tc.Helper()
	cmd := tc.Command("go", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		tc.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return strings.TrimSpace(string(out))
}

// Compile compiles a package of one file that may import others by archive.
func (tc Toolchain) Compile(path, text string, imports map[string]string) (archive string) {
	tc.Helper()
	cfg := ""
	for p, a := range imports {
		cfg += "packagefile " + p + "=" + a + "\n"
	}
	base := strings.ReplaceAll(path, "/", "_")
	archive = filepath.Join(tc.Dir, base+".a")
	tc.Run("tool", "compile", "-p", path, "-pack", "-complete", "-o", archive, "-importcfg", tc.Write(base+".cfg", cfg), tc.Write(base+".go", text))
	return archive
}

// CompileArchive compiles a package with the real compiler.
func CompileArchive(t *testing.T, source string) string {
	t.Helper()
	dir := t.TempDir()
	file, archive := filepath.Join(dir, "a.go"), filepath.Join(dir, "a.a")
	if err := os.WriteFile(file, []byte(source), 0o666); err != nil {
		t.Fatal(err)
	}
	cfg := filepath.Join(dir, "importcfg")
	if err := os.WriteFile(cfg, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "tool", "compile", "-pack", "-p=example.com/a", "-buildid=action/content", "-importcfg="+cfg, "-o="+archive, file)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("compile: %v\n%s", err, out)
	}
	return archive
}
