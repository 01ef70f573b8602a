// The example of docs/api.md, built and run.

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

func TestAPIExample(t *testing.T) {
	text, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "```go\n")
	example, _, ok := strings.Cut(after, "```\n")
	if !ok {
		t.Fatal("docs/api.md has no example")
	}
	dir, module := t.TempDir(), t.TempDir()
	files := map[string]string{
		filepath.Join(dir, "main.go"):   example,
		filepath.Join(dir, "go.mod"):    "module example.com/app\n\ngo 1.24\n\nrequire github.com/naver/scavenger/scavenger-wrap v0.0.0\n\nreplace github.com/naver/scavenger/scavenger-wrap => " + module + "\n",
		filepath.Join(module, "go.mod"): "module github.com/naver/scavenger/scavenger-wrap\n\ngo 1.24\n",
	}
	sources, _ := filepath.Glob("../hitrt/*.go")
	for _, name := range sources {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Join(module, "hitrt", filepath.Base(name))] = string(source)
	}
	if err := os.Mkdir(filepath.Join(module, "hitrt"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	c, err := collector.Start(collector.Options{NoJitter: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	run := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "COLLECTOR="+c.URL(), "COLLECTOR_KEY="+collector.DemoKey, "SCAVENGER_EXIT_TIMEOUT=1m")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %q: %v\n%s", name, args, err, out)
		}
		return string(out)
	}
	app := filepath.Join(dir, "app.exe")
	run("go", "build", "-o", app, ".")
	if out := run(app); strings.Count(out, "\n") != 1 || !strings.Contains(out, "not built with -toolexec=scavenger-wrap") {
		t.Errorf("without marks it says %q, want one line", out)
	}
	run("go", "build", "-toolexec="+wrapperFile(t), "-o", app, ".")
	if out := run(app); out != "" {
		t.Errorf("it says %q", out)
	}
	if err := c.Check(context.Background()); err != nil {
		t.Error(err)
	}
	known := map[string]bool{}
	for _, f := range c.Functions(collector.Query{Application: "nightly"}) {
		known[f.MethodName] = f.Used
	}
	if len(known) != 3 || !known["main"] || !known["job"] || known["never"] {
		t.Errorf("known to the collector: %v", known)
	}
	if report := run(wrapperFile(t), "report", filepath.Join(dir, "data")); !strings.Contains(report, "Never called: 1 of 3") {
		t.Errorf("report\n%s", report)
	}
}
