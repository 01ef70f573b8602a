// Programs that import hitrt/api: the example of docs/api.md, built and run, with
// other versions of the module, and what the module does to a program's go.mod.

package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/e2e/collector"
)

const apiPath = "github.com/naver/scavenger/scavenger-wrap/hitrt/api"

// An apiProgram is the example in a directory of its own.
type apiProgram struct {
	t         *testing.T
	dir, app  string
	collector *collector.Collector
}

// newAPIProgram writes the example. Its go.mod has the API from a directory.
func newAPIProgram(t *testing.T, api string) *apiProgram {
	t.Helper()
	c, err := collector.Start(collector.Options{NoJitter: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	p := &apiProgram{t: t, dir: t.TempDir(), collector: c}
	p.app = filepath.Join(p.dir, "app.exe")
	writeFiles(t, p.dir, map[string]string{
		"main.go": apiExample(t),
		"go.mod":  "module example.com/app\n\ngo 1.24\n\nrequire " + apiPath + " v0.0.0\n\nreplace " + apiPath + " => " + api + "\n",
	})
	return p
}

// apiExample returns the program in docs/api.md.
func apiExample(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "```go\n")
	example, _, ok := strings.Cut(after, "```\n")
	if !ok {
		t.Fatal("docs/api.md has no example")
	}
	return example
}

func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// apiModule returns the directory of the module in this checkout.
func apiModule(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../hitrt/api")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// run returns what a command that succeeds prints.
func (p *apiProgram) run(name string, args ...string) string {
	p.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "COLLECTOR="+p.collector.URL(), "COLLECTOR_KEY="+collector.DemoKey, "SCAVENGER_EXIT_TIMEOUT=1m")
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// buildMarked returns what the build prints.
func (p *apiProgram) buildMarked() string {
	p.t.Helper()
	return p.run("go", "build", "-toolexec="+built.File(p.t), "-o", p.app, ".")
}

// checkRecorded checks that collector and local files know what the program called.
func (p *apiProgram) checkRecorded() {
	p.t.Helper()
	if err := p.collector.Check(context.Background()); err != nil {
		p.t.Error(err)
	}
	known := map[string]bool{}
	for _, f := range p.collector.Functions(collector.Query{Application: "nightly"}) {
		known[f.MethodName] = f.Used
	}
	if len(known) != 3 || !known["main"] || !known["job"] || known["never"] {
		p.t.Errorf("known to the collector: %v", known)
	}
	if report := p.run(built.File(p.t), "report", filepath.Join(p.dir, "data")); !strings.Contains(report, "Never called: 1 of 3") {
		p.t.Errorf("report\n%s", report)
	}
}

func TestAPIExample(t *testing.T) {
	p := newAPIProgram(t, apiModule(t))
	p.run("go", "build", "-o", p.app, ".")
	if out := p.run(p.app); strings.Count(out, "\n") != 1 || !strings.Contains(out, "not built with -toolexec=scavenger-wrap") {
		t.Errorf("without marks it says %q, want one line", out)
	}
	if out := p.buildMarked(); out != "" {
		t.Errorf("the build says %q", out)
	}
	if out := p.run(p.app); out != "" {
		t.Errorf("it says %q", out)
	}
	p.checkRecorded()
}

// The program of docs/api.md is ExampleStart.
func TestAPIDocumentation(t *testing.T) {
	text, err := os.ReadFile("../hitrt/api/example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	body := func(text, function string) string {
		_, after, ok := strings.Cut(text, "\nfunc "+function+"() {\n")
		body, _, ok2 := strings.Cut(after, "\n}\n")
		if !ok || !ok2 {
			t.Fatalf("there is no function %s", function)
		}
		return body
	}
	if got, want := body(apiExample(t), "main"), body(string(text), "ExampleStart"); got != want {
		t.Errorf("docs/api.md has\n%s\nwant what ExampleStart is\n%s", got, want)
	}
}

// copyAPI copies the module, and replaces text in it.
func copyAPI(t *testing.T, oldNew ...string) (dir string) {
	t.Helper()
	files := map[string]string{}
	for _, name := range []string{"go.mod", "api.go", "internal/binding/binding.go"} {
		text, err := os.ReadFile(filepath.Join(apiModule(t), name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	for i := 0; i < len(oldNew); i += 2 {
		found := 0
		for name, text := range files {
			found += strings.Count(text, oldNew[i])
			files[name] = strings.ReplaceAll(text, oldNew[i], oldNew[i+1])
		}
		if found == 0 {
			t.Fatalf("the API has no %q", oldNew[i])
		}
	}
	dir = t.TempDir()
	writeFiles(t, dir, files)
	return dir
}

// A version of the API with one more setting and one more function works with this
// scavenger-wrap, which knows neither.
func TestAPINewer(t *testing.T) {
	p := newAPIProgram(t, copyAPI(t,
		"\tHostname    string\n", "\tHostname    string\n\tRegion      string\n",
		`"hostname": cfg.Hostname,`, `"hostname": cfg.Hostname, "region": "north",`,
		"// Bind has", "// BindStatus is new.\nfunc BindStatus(func() string) {}\n\n// Bind has"))
	if out := p.buildMarked(); out != "" {
		t.Errorf("the build says %q", out)
	}
	if out := p.run(p.app); strings.Count(out, "\n") != 1 || !strings.Contains(out, "region") {
		t.Errorf("it says %q, want one line about the setting", out)
	}
	p.checkRecorded()
}

// If a version of the API cannot be bound, the build says so, and all else is as it
// is without the API: the program reports where its settings say.
func TestAPIUnfit(t *testing.T) {
	for name, oldNew := range map[string][]string{
		"another type":    {"func Bind(start func(settings map[string]string) error,", "func Bind(start func(settings ...string) error,", "Start: start, ", ""},
		"another package": {"func Bind(", "func Connect("},
	} {
		t.Run(name, func(t *testing.T) {
			p := newAPIProgram(t, copyAPI(t, oldNew...))
			out := p.buildMarked()
			if !strings.Contains(out, apiPath+" does not fit this scavenger-wrap") || !strings.Contains(out, "go get "+apiPath+"@latest") {
				t.Errorf("the build says %q", out)
			}
			t.Setenv("SCAVENGER_DATA_DIR", filepath.Join(p.dir, "data"))
			if out := p.run(p.app); strings.Count(out, "\n") != 1 || !strings.Contains(out, "that this API does not fit") {
				t.Errorf("it says %q, want one line", out)
			}
			if report := p.run(built.File(t), "report", filepath.Join(p.dir, "data")); !strings.Contains(report, "Never called: 1 of 3") {
				t.Errorf("report\n%s", report)
			}
		})
	}
}

// Whoever imports the API has the versions of other modules that they had before: it
// requires none. The one here is a version that scavenger-wrap's own module would
// raise.
func TestAPITidy(t *testing.T) {
	dir := t.TempDir()
	mod := "module example.com/app\n\ngo 1.24\n\nrequire (\n\t" + apiPath + " v0.0.0\n\tgo.uber.org/zap v1.26.0\n)\n\n" +
		"replace (\n\t" + apiPath + " => " + apiModule(t) + "\n\tgo.uber.org/zap => ./zap\n)\n"
	writeFiles(t, dir, map[string]string{
		"go.mod":     mod,
		"main.go":    "package main\n\nimport (\n\t\"context\"\n\n\t\"" + apiPath + "\"\n\t\"go.uber.org/zap\"\n)\n\nfunc main() {\n\tzap.New()\n\tapi.Flush(context.Background())\n}\n",
		"zap/go.mod": "module go.uber.org/zap\n\ngo 1.24\n",
		"zap/zap.go": "package zap\n\nfunc New() {}\n",
	})
	cmd := exec.Command("go", "mod", "tidy")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "go.mod")); err != nil || string(got) != mod {
		t.Errorf("go.mod is (%v)\n%s\nwant\n%s", err, got, mod)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.sum")); err == nil {
		t.Error("there is a go.sum")
	}
}
