// Examples that build: each is done as its tool does it.

package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	"go.yaml.in/yaml/v3"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

func TestMake(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("there is no make")
	}
	dir := newModule(t, "make/Makefile")
	source := "SCAVENGER_WRAP_SOURCE=" + checkout(t)
	built.File(t) // make builds from the same sources
	run(t, dir, nil, "make", source)
	runAndReport(t, filepath.Join(dir, "bin", "app"), false)
	if out := run(t, dir, nil, "make", source, "report"); !strings.Contains(out, "Clear") {
		t.Errorf("make report does not say that Clear was never called:\n%s", out)
	}
	// An older scavenger-wrap, which marks nothing, is replaced.
	older := filepath.Join(t.TempDir(), "older.go")
	err := os.WriteFile(older, []byte("package main\n\nimport (\n\t\"os\"\n\t\"syscall\"\n)\n\n"+
		"func main() { panic(syscall.Exec(os.Args[1], os.Args[1:], os.Environ())) }\n"), 0o666)
	if err != nil {
		t.Fatal(err)
	}
	run(t, dir, nil, "go", "build", "-o", filepath.Join(dir, "bin", "scavenger-wrap"), older)
	run(t, dir, nil, "make", source)
	for _, want := range []bool{true, false} {
		if got := strings.Contains(readFile(t, filepath.Join(dir, "bin", "app")), "_scavenger_"); got != want {
			t.Errorf("the program has marks: %v, want %v", got, want)
		}
		run(t, dir, nil, "make", source, "MARKS=")
	}
	run(t, dir, nil, "make", "clean")
}

// The genrule's command, in an environment as bare as that of an action. Bazel itself is run by
// TestHeavyBazel.
func TestBazelGenrule(t *testing.T) {
	rule := regexp.MustCompile(`(?m)^    cmd = "(.*)",$`).FindStringSubmatch(readFile(t, "bazel/BUILD.bazel"))
	if rule == nil {
		t.Fatal("bazel/BUILD.bazel has no cmd")
	}
	dir := newModule(t, "bazel/build.sh")
	command := strings.NewReplacer("$(location build.sh)", "./build.sh", "$(location go.mod)", "go.mod", "$@", "out/app.bin").Replace(rule[1])
	cmd := exec.Command("env", "-i", pathWithWrapper(t), "GOCACHE="+goEnv(t, "GOCACHE"), "GOMODCACHE="+goEnv(t, "GOMODCACHE"), "sh", "-c", command)
	cmd.Dir = dir
	if err := os.Mkdir(filepath.Join(dir, "out"), 0o777); err != nil {
		t.Fatal(err)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	runAndReport(t, filepath.Join(dir, "out", "app.bin"), false)
}

// The workflow as actionlint sees it, and its commands. Actions of others are not run.
func TestGitHub(t *testing.T) {
	const file = "github/marked.yml"
	linter, err := actionlint.NewLinter(os.Stderr, &actionlint.LinterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	faults, err := linter.Lint(file, []byte(readFile(t, file)), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range faults {
		t.Error(fault)
	}
	var workflow struct {
		Jobs map[string]struct{ Steps []struct{ Run string } }
	}
	parseYAML(t, file, &workflow)
	dir := newModule(t)
	temp, paths := t.TempDir(), filepath.Join(t.TempDir(), "path")
	if err := os.Mkdir(filepath.Join(dir, ".scavenger"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(checkout(t), filepath.Join(dir, ".scavenger", "scavenger-wrap")); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, step := range workflow.Jobs["build"].Steps {
		if step.Run == "" {
			continue
		}
		path := os.Getenv("PATH")
		if added, err := os.ReadFile(paths); err == nil {
			path = strings.TrimSpace(string(added)) + string(os.PathListSeparator) + path
		}
		run(t, dir, []string{"RUNNER_TEMP=" + temp, "GITHUB_PATH=" + paths, "PATH=" + path}, "bash", "-e", "-c", step.Run)
		ran++
	}
	if ran < 3 {
		t.Errorf("%d steps ran", ran)
	}
	runAndReport(t, filepath.Join(dir, "app"), false)
}

// The job's commands, in the order of the file. GitLab's own check is not to be had here.
func TestGitLab(t *testing.T) {
	var file struct {
		Build struct {
			Image     string
			Variables map[string]string
			Cache     struct{ Paths []string }
			Script    []string
			Artifacts struct{ Paths []string }
		}
	}
	parseYAML(t, "gitlab/gitlab-ci.yml", &file)
	job := file.Build
	dir := newModule(t)
	env := []string{"CI_PROJECT_DIR=" + dir}
	for name, value := range job.Variables {
		value = strings.ReplaceAll(value, "$CI_PROJECT_DIR", dir)
		switch rel, _ := filepath.Rel(dir, value); {
		case name == "SCAVENGER_WRAP_SOURCE":
			value = checkout(t)
		case !slices.Contains(job.Cache.Paths, strings.Split(rel, "/")[0]+"/"):
			t.Errorf("%s is not in what the cache keeps, %v", name, job.Cache.Paths)
		default:
			value = goEnv(t, name) // the machine's, so that nothing is compiled anew
		}
		env = append(env, name+"="+value)
	}
	if err := os.Mkdir(filepath.Join(dir, ".cache"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, line := range job.Script {
		run(t, dir, env, "bash", "-e", "-c", line)
	}
	if !slices.Contains(job.Artifacts.Paths, "app") {
		t.Errorf("the artifacts are %v, without app", job.Artifacts.Paths)
	}
	runAndReport(t, filepath.Join(dir, "app"), false)
}

// installGo makes the link that stands for the go command.
func installGo(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	run(t, dir, nil, built.File(t), "install-go", dir)
	return filepath.Join(dir, "go")
}

// What ko and goreleaser start with the go that they are told. They themselves are run by
// TestHeavyKo and TestHeavyGoreleaser.
func TestKo(t *testing.T) {
	var file struct {
		DefaultPlatforms []string `yaml:"defaultPlatforms"`
		Builds           []struct{ ID, Main string }
	}
	parseYAML(t, "ko/ko.yaml", &file)
	if len(file.Builds) != 1 || len(file.DefaultPlatforms) != 2 {
		t.Fatalf("ko/ko.yaml is not what this test knows: %+v", file)
	}
	buildWithLink(t, "-o", "app.bin", file.Builds[0].Main)
}

func TestGoreleaser(t *testing.T) {
	var file struct {
		Version int
		Builds  []struct {
			Main, Tool   string
			Env          []string
			Goos, Goarch []string
		}
	}
	parseYAML(t, "goreleaser/goreleaser.yaml", &file)
	if len(file.Builds) != 1 || !strings.Contains(file.Builds[0].Tool, `envOrDefault "GOCMD" "go"`) {
		t.Fatalf("goreleaser/goreleaser.yaml is not what this test knows: %+v", file)
	}
	buildWithLink(t, "-o=app.bin", file.Builds[0].Main)
}

func buildWithLink(t *testing.T, args ...string) {
	t.Helper()
	dir := newModule(t)
	run(t, dir, nil, append([]string{installGo(t), "build"}, args...)...)
	runAndReport(t, filepath.Join(dir, "app.bin"), false)
}

// mage itself, of the version in mage/go.mod.
func TestHeavyMage(t *testing.T) {
	program.Heavy(t)
	dir := newModule(t, "mage/magefile.go", "mage/go.mod", "mage/go.sum")
	run(t, dir, []string{"MAGEFILE_GOCMD=" + installGo(t), "MAGEFILE_CACHE=" + t.TempDir()}, "go", "run", "github.com/magefile/mage", "build")
	runAndReport(t, filepath.Join(dir, "app.bin"), false)
}

func goEnv(t *testing.T, name string) string {
	t.Helper()
	return strings.TrimSpace(run(t, ".", nil, "go", "env", name))
}

func parseYAML(t *testing.T, file string, v any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(readFile(t, file)), v); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}
