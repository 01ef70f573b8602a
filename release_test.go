// A release: its configuration, the workflow that makes it of a tag, and what
// docs/releasing.md says of both.

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	"go.yaml.in/yaml/v3"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

const (
	releaseWorkflow      = ".github/workflows/release.yml"
	naverReleaseWorkflow = ".github/naver-scavenger/scavenger-wrap-release.yml"
)

// A releaseConfig is what the tests need of .goreleaser.yaml.
type releaseConfig struct {
	ProjectName string `yaml:"project_name"`
	Builds      []struct{ Ldflags, Goos, Goarch []string }
	Archives    []struct{ Files []string }
	Release     struct{ Disable bool }
}

func readYAML(t *testing.T, file string, v any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(readFile(t, file)), v); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// platforms returns what a release has a binary for: linux_amd64.
func (c releaseConfig) platforms() (list []string) {
	for _, system := range c.Builds[0].Goos {
		for _, arch := range c.Builds[0].Goarch {
			list = append(list, system+"_"+arch)
		}
	}
	return list
}

// Names that the configuration shares with the sources, the workflow and the manual.
func TestRelease(t *testing.T) {
	var c releaseConfig
	readYAML(t, ".goreleaser.yaml", &c)
	variable := regexp.MustCompile(`-X (\S+)/toolid\.(\w+)=v\{\{ \.Version \}\}`).FindStringSubmatch(c.Builds[0].Ldflags[0])
	if variable == nil || variable[1] != module+"/wrapper" ||
		!strings.Contains(readFile(t, "wrapper/toolid/toolid.go"), "\nvar "+variable[2]+" string\n") {
		t.Errorf("the linker is told %q, and wrapper/toolid has no such variable", c.Builds[0].Ldflags)
	}
	for _, pattern := range c.Archives[0].Files {
		if names, err := filepath.Glob(pattern); len(names) == 0 || err != nil {
			t.Errorf("there is no %s, %v", pattern, err)
		}
	}
	manual := readFile(t, "docs/releasing.md")
	for _, platform := range c.platforms() {
		if system, arch, _ := strings.Cut(platform, "_"); !strings.Contains(manual, system) || !strings.Contains(manual, arch) {
			t.Errorf("docs/releasing.md does not say that there is a binary for %s", platform)
		}
	}
	text := readFile(t, releaseWorkflow)
	command := regexp.MustCompile(`go run github\.com/goreleaser/\S+`).FindString(text)
	for _, file := range []string{"docs/releasing.md", ".goreleaser.yaml"} {
		if command == "" || !strings.Contains(readFile(t, file), command) {
			t.Errorf("%s has another goreleaser than the workflow's `%s`", file, command)
		}
	}
	image := "ghcr.io/naver/" + c.ProjectName
	for file, want := range map[string]string{
		releaseWorkflow:     "/" + c.ProjectName + "\n",
		"Dockerfile":        "COPY " + c.ProjectName + "_linux_${TARGETARCH}_*/" + c.ProjectName + " ",
		"docs/releasing.md": image,
		".gitignore":        "\n/dist/\n", // or the binaries would be of a modified checkout
	} {
		if !strings.Contains(readFile(t, file), want) {
			t.Errorf("%s lacks %q", file, want)
		}
	}
	if !c.Release.Disable {
		t.Error("goreleaser would publish, under a tag of Scavenger itself")
	}
}

// A release is built with a Go that go.mod allows and that the tests run with.
func TestReleaseGo(t *testing.T) {
	version := regexp.MustCompile(`(?m)^ +go-version: "(.*)"$`).FindStringSubmatch(readFile(t, releaseWorkflow))
	if version == nil || !regexp.MustCompile(`(?m)^ +go: \[.*"`+regexp.QuoteMeta(version[1])+`".*\]$`).MatchString(readFile(t, workflow)) {
		t.Errorf("%s builds with Go %q, which %s does not test", releaseWorkflow, version, workflow)
	}
}

// actionlint finds what GitHub would refuse.
func TestWorkflowSyntax(t *testing.T) {
	linter, err := actionlint.NewLinter(os.Stderr, &actionlint.LinterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{workflow, naverWorkflow, releaseWorkflow, naverReleaseWorkflow} {
		faults, err := linter.Lint(file, []byte(readFile(t, file)), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range faults {
			t.Error(fault)
		}
	}
}

// A releaser runs the steps of the workflow for a tag, in a directory of the module.
type releaser struct {
	t         *testing.T
	dir, temp string
	tag       string
	commands  []string // replaced by programs that say how they were called
	calls     string   // what these said
}

// newReleaser puts the programs that are replaced into temp.
func newReleaser(t *testing.T, dir, tag string, commands ...string) *releaser {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the workflow's steps are for the bash of a Linux machine")
	}
	r := &releaser{t: t, dir: dir, temp: t.TempDir(), tag: tag, commands: commands}
	for _, name := range commands {
		script := "#!/bin/sh\necho \"" + name + " $*\" >>\"$RUNNER_TEMP/calls\"\ncase \"$*\" in *--password-stdin*) cat >>\"$RUNNER_TEMP/calls\" ;; esac\n"
		if err := os.WriteFile(filepath.Join(r.temp, name), []byte(script), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// run runs the steps, but for those that skip names.
func (r *releaser) run(skip string) error {
	r.t.Helper()
	var file struct {
		Jobs struct {
			Release struct{ Steps []struct{ Run string } }
		}
	}
	readYAML(r.t, releaseWorkflow, &file)
	for _, step := range file.Jobs.Release.Steps {
		if step.Run == "" || skip != "" && strings.HasPrefix(step.Run, skip) {
			continue
		}
		cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step.Run)
		cmd.Dir = r.dir
		added, err := os.ReadFile(filepath.Join(r.temp, "env"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		cmd.Env = slices.Concat(os.Environ(), strings.Fields(string(added)), []string{
			"PATH=" + r.temp + string(os.PathListSeparator) + os.Getenv("PATH"), "RUNNER_TEMP=" + r.temp, "GITHUB_ENV=" + filepath.Join(r.temp, "env"),
			"GITHUB_REF_NAME=" + r.tag, "GITHUB_REPOSITORY_OWNER=Naver", "GITHUB_REPOSITORY=Naver/scavenger", "GITHUB_ACTOR=someone",
			"GITHUB_SERVER_URL=https://github.com", "GH_TOKEN=secret",
		})
		if out, err := cmd.CombinedOutput(); err != nil {
			return errors.Join(err, errors.New(step.Run+"\n"+string(out)))
		}
	}
	text, err := os.ReadFile(filepath.Join(r.temp, "calls"))
	r.calls = string(text)
	return err
}

// The steps of the workflow with a release of either repository. gh, docker and go are
// replaced.
func TestReleaseSteps(t *testing.T) {
	const changelog = "# Changelog\n\n## Unreleased\n\nLater.\n\n## v1.3.0-rc.1\n\nA candidate.\n\n## v1.2.3\n\nNew.\n\n- More.\n\n## v1.2.2\n\nOld.\n"
	assets := []string{"scavenger-wrap_9_linux_amd64.tar.gz", "scavenger-wrap_9_windows_amd64.zip", "scavenger-wrap_9_linux_amd64.cdx.json", "checksums.txt"}
	for _, test := range []struct {
		tag, notes   string
		want, forbid []string
	}{
		{"v1.2.3", "New.\n\n- More.\n", []string{"gh release create v1.2.3 --draft --verify-tag --title scavenger-wrap v1.2.3 ",
			" -t ghcr.io/naver/scavenger-wrap:1.2.3 -t ghcr.io/naver/scavenger-wrap:latest "}, []string{"--latest", "--prerelease"}},
		{"scavenger-wrap/v1.3.0-rc.1", "A candidate.\n", []string{"gh release create scavenger-wrap/v1.3.0-rc.1 ", " --prerelease --latest=false ",
			" -t ghcr.io/naver/scavenger-wrap:1.3.0-rc.1 "}, []string{":latest"}},
		{"v1.2.4", "", nil, nil},
	} {
		dir := t.TempDir()
		files := map[string]string{"CHANGELOG.md": changelog}
		for _, name := range append([]string{"artifacts.json", "scavenger-wrap_linux_amd64_v1"}, assets...) {
			files["dist/"+name] = ""
		}
		for name, text := range files {
			if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777), os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666)); err != nil {
				t.Fatal(err)
			}
		}
		r := newReleaser(t, dir, test.tag, "gh", "docker", "go")
		err := r.run("")
		if test.notes == "" {
			if err == nil || !strings.Contains(err.Error(), "CHANGELOG.md has no section ## "+test.tag) {
				t.Errorf("%s, of which CHANGELOG.md says nothing: %v", test.tag, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", test.tag, err)
		}
		for _, want := range append(test.want, "go run github.com/goreleaser/", "docker login ghcr.io -u someone --password-stdin\nsecret\n",
			" --platform linux/amd64,linux/arm64 --push --label org.opencontainers.image.source=https://github.com/Naver/scavenger ") {
			if !strings.Contains(r.calls, want) {
				t.Errorf("%s: no %q in\n%s", test.tag, want, r.calls)
			}
		}
		for _, forbidden := range append(test.forbid, "artifacts.json", "linux_amd64_v1") {
			if strings.Contains(r.calls, forbidden) {
				t.Errorf("%s: %q in\n%s", test.tag, forbidden, r.calls)
			}
		}
		for _, name := range assets {
			if !strings.Contains(r.calls, " dist/"+name) {
				t.Errorf("%s: %s is not in the release\n%s", test.tag, name, r.calls)
			}
		}
		if notes := readFile(t, filepath.Join(r.temp, "notes.md")); strings.TrimSpace(notes) != strings.TrimSpace(test.notes) {
			t.Errorf("%s: the notes are %q, want %q", test.tag, notes, test.notes)
		}
	}
}

// A release of a repository in which the module is a directory, as in naver/scavenger: by
// goreleaser, with gh and docker replaced.
func TestHeavyRelease(t *testing.T) {
	program.Heavy(t)
	var c releaseConfig
	readYAML(t, ".goreleaser.yaml", &c)
	dir := newRepository(t, "scavenger-wrap/v1.2.3")
	r := newReleaser(t, dir, "scavenger-wrap/v1.2.3", "gh", "docker")
	if err := r.run("go test"); err != nil {
		t.Fatal(err)
	}
	for _, platform := range c.platforms() {
		name := "scavenger-wrap_1.2.3_" + platform
		checkArchive(t, dir, name, platform)
		for _, part := range []string{`"bomFormat": "CycloneDX"`, "github.com/urfave/cli/v2", `"version": "v1.2.3"`} {
			if text := readFile(t, filepath.Join(dir, "dist", name+".cdx.json")); !strings.Contains(text, part) {
				t.Errorf("the SBOM of %s lacks %s\n%.1000s", platform, part, text)
			}
		}
		if !strings.Contains(r.calls, " dist/"+name) {
			t.Errorf("the release lacks %s\n%s", name, r.calls)
		}
	}
	checksums := exec.Command("sha256sum", "--check", "--strict", "checksums.txt")
	checksums.Dir = filepath.Join(dir, "dist")
	if out, err := checksums.CombinedOutput(); err != nil || bytes.Count(out, []byte(": OK\n")) < 2*len(c.platforms()) {
		t.Errorf("checksums.txt: %v\n%s", err, out)
	}
	binaries, err := filepath.Glob(filepath.Join(dir, "dist", "scavenger-wrap_"+runtime.GOOS+"_"+runtime.GOARCH+"_*", "scavenger-wrap"))
	if err != nil || len(binaries) != 1 {
		t.Fatalf("for this machine there are the binaries %q, %v", binaries, err)
	}
	out, err := exec.Command(binaries[0], "version").CombinedOutput()
	if err != nil || string(out) != "scavenger-wrap v1.2.3\n" {
		t.Errorf("the binary says %q, %v", out, err)
	}
	checkImage(t, filepath.Join(dir, "dist"), binaries[0])
}

// newRepository returns the directory of a copy of this checkout in a repository of its own,
// whose root is no module, with a tag.
func newRepository(t *testing.T, tag string) string {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "scavenger-wrap")
	list, err := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Skipf("this is no checkout of git: %v", err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		info, err := os.Stat(name)
		if errors.Is(err, os.ErrNotExist) {
			continue // deleted, and not yet committed
		}
		target := filepath.Join(dir, name)
		if err == nil {
			err = errors.Join(os.MkdirAll(filepath.Dir(target), 0o777), os.WriteFile(target, []byte(readFile(t, name)), info.Mode()))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	// The section that docs/releasing.md asks for.
	text := strings.Replace(readFile(t, "CHANGELOG.md"), "## Unreleased\n", "## v1.2.3\n", 1)
	if err := os.WriteFile(filepath.Join(dir, "CHANGELOG.md"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"init", "-q"}, {"remote", "add", "origin", "https://github.com/naver/scavenger"}, {"add", "-A"},
		{"-c", "user.name=n", "-c", "user.email=e@example.com", "-c", "commit.gpgsign=false", "commit", "-q", "-m", "m"}, {"tag", tag}} {
		cmd := exec.Command("git", args...)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
	}
	return dir
}
