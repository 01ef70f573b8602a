//go:build linux

// The genrule and its test in Bazel itself.

package examples

import (
	"archive/zip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// A bazel starts Bazel in a workspace.
type bazel struct {
	t        *testing.T
	dir      string
	startup  []string // options of its own
	marked   []string // what BUILD.bazel says that .bazelrc has to have
	commands []string // options that let it do without the network
}

// newBazel makes a workspace of the example. Of Bazel it needs the release that Debian has: newer
// ones fetch more. Where `bazel` is bazelisk, the variable says which it is to be.
func newBazel(t *testing.T) *bazel {
	t.Helper()
	known := func() bool {
		out, err := exec.Command("bazel", "--version").Output()
		// Debian's, which is 4.2.3, does not know its number.
		return err == nil && (strings.HasPrefix(string(out), "bazel 4.") || string(out) == "bazel no_version\n")
	}
	if !known() {
		t.Setenv("USE_BAZEL_VERSION", "4.2.4")
		if !known() {
			t.Skip("there is no Bazel 4")
		}
	}
	if _, err := exec.LookPath("zip"); err != nil {
		t.Skip("there is no zip, with which Bazel packs what a test leaves")
	}
	cache, modules := goEnv(t, "GOCACHE"), goEnv(t, "GOMODCACHE")
	b := &bazel{t: t, dir: newModule(t, "bazel/BUILD.bazel", "bazel/build.sh", "bazel/program_test.bzl")}
	for _, line := range regexp.MustCompile(`(?m)^# build:marked (.*)$`).FindAllStringSubmatch(readFile(t, "bazel/BUILD.bazel"), -1) {
		options := strings.NewReplacer("GOCACHE=/var/cache/go-build", "GOCACHE="+cache, "GOMODCACHE=/var/cache/go-mod", "GOMODCACHE="+modules,
			"--sandbox_writable_path=/var/cache", "--sandbox_writable_path="+cache+" --sandbox_writable_path="+modules).Replace(line[1])
		b.marked = append(b.marked, strings.Fields(options)...)
	}
	if len(b.marked) < 4 {
		t.Fatalf("bazel/BUILD.bazel does not say what .bazelrc must have: %q", b.marked)
	}
	// Tests depend on tools for coverage, which Bazel fetches although nothing needs them.
	tools := t.TempDir()
	const none = "filegroup(name = \"coverage_report_generator\", visibility = [\"//visibility:public\"])\n" +
		"filegroup(name = \"lcov_merger\", visibility = [\"//visibility:public\"])\n"
	for name, text := range map[string]string{filepath.Join(b.dir, "WORKSPACE"): "", filepath.Join(tools, "WORKSPACE"): "", filepath.Join(tools, "BUILD"): none} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	b.commands = []string{"--override_repository=remote_coverage_tools=" + tools}
	root := t.TempDir()
	b.startup = []string{"--output_user_root=" + root, "--nohome_rc"}
	t.Cleanup(func() {
		b.start("shutdown")
		exec.Command("chmod", "-R", "u+w", root).Run() // what Bazel makes cannot be removed
	})
	return b
}

// start runs a command of Bazel and returns what it prints.
func (b *bazel) start(args ...string) (string, error) {
	b.t.Helper()
	cmd := exec.Command("bazel", append(b.startup, args...)...)
	cmd.Dir = b.dir
	cmd.Env = append(slices.DeleteFunc(os.Environ(), isSetting), pathWithWrapper(b.t))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// build runs a command that builds, with marks.
func (b *bazel) build(command string, args ...string) (string, error) {
	b.t.Helper()
	return b.start(slices.Concat([]string{command}, b.commands, b.marked, args)...)
}

// outputs is what the program of the test left, which Bazel has packed.
func (b *bazel) outputs() string {
	b.t.Helper()
	dir := b.t.TempDir()
	z, err := zip.OpenReader(filepath.Join(b.dir, "bazel-testlogs", "app_test", "test.outputs", "outputs.zip"))
	if err != nil {
		b.t.Fatal(err)
	}
	defer z.Close()
	if err := os.CopyFS(dir, z); err != nil {
		b.t.Fatal(err)
	}
	return filepath.Join(dir, "scavenger")
}

// Bazel with its sandbox: a build, a test that ends, one that takes too long, and the program
// as `bazel run` starts it.
func TestHeavyBazel(t *testing.T) {
	program.Heavy(t)
	b := newBazel(t)
	report := func(data string) {
		t.Helper()
		checkReport(t, run(t, ".", nil, built.File(t), "report", "--format=json", data))
	}
	out, err := b.build("test", "--test_output=all", "//:app_test")
	if err != nil || !strings.Contains(out, "total 42") {
		t.Fatalf("bazel test: %v\n%s", err, out)
	}
	report(b.outputs())

	// SIGTERM after the time, and SIGKILL after 15 s more.
	out, err = b.build("test", "--test_output=all", "--test_arg=serve", "--test_timeout=20", "//:app_test")
	if err == nil || !strings.Contains(out, "TIMEOUT") || !strings.Contains(out, "total 42") {
		t.Fatalf("bazel test of what does not end: %v\n%s", err, out)
	}
	data := b.outputs()
	if marks, err := filepath.Glob(filepath.Join(data, "*.marks")); err != nil || len(marks) != 1 {
		t.Errorf("Bazel kept %q of the calls of the last second, %v", marks, err)
	}
	report(data)

	script := filepath.Join(t.TempDir(), "app")
	if out, err := b.build("run", "--script_path="+script, "//:app"); err != nil {
		t.Fatalf("bazel run: %v\n%s", err, out)
	}
	data = filepath.Join(t.TempDir(), "data")
	serve(t, script, []string{"SCAVENGER_DATA_DIR=" + data}, func() {})
	report(data)
}
