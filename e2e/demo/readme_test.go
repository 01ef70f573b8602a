// The commands that README.md tells people to type.

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/e2e/collector"
)

// TestReadme runs the README's shell commands, in its order. It fails for a
// command that it does not know how to run. The commands of README.ko.md are the same, see
// TestTranslations.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	c, err := collector.Start(collector.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()

	bin, module := t.TempDir(), t.TempDir()
	env := append(os.Environ(), "SCAVENGER_EXIT_TIMEOUT=1m", "GOBIN="+bin, "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	for name, text := range map[string]string{
		"go.mod":  "module example.com/app\n\ngo 1.24\n",
		"main.go": "package main\n\nfunc main() {}\n\nfunc unused() {}\n",
	} {
		if err := os.WriteFile(filepath.Join(module, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	// The address and key in the README are examples.
	example := strings.NewReplacer("http://collector.example.com:8080", c.URL(), "SCAVENGER_API_KEY=…", "SCAVENGER_API_KEY="+collector.DemoKey)

	var outputs strings.Builder
	exports := "" // which count for what follows
	for _, command := range shellCommands(string(readme)) {
		dir := module
		switch {
		case command == "go test -timeout 1h ./...":
			continue // which is what runs here
		case strings.HasPrefix(command, "export "):
			exports += example.Replace(command) + "\n"
			continue
		case strings.HasPrefix(command, "go run ./e2e/") || command == "go install .":
			dir = filepath.Join("..", "..") // in the checkout
		case !strings.Contains(command, "./app") && !strings.Contains(command, "scavenger-wrap"):
			t.Errorf("README has a command that this test does not know: %s", command)
			continue
		}
		cmd := exec.Command("sh", "-ec", exports+example.Replace(command))
		cmd.Dir, cmd.Env = dir, env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
		outputs.Write(out)
	}
	// The sample at the top is the demonstration's output, but for how long that took.
	took := regexp.MustCompile(`(< )?\d+ seconds? *`)
	printed := took.ReplaceAllString(outputs.String(), "")
	sample := regexp.MustCompile(`(?m)^    ( +\d.*|.* --all .*)$`).FindAllStringSubmatch(string(readme), 6)
	for _, line := range sample {
		if want := took.ReplaceAllString(line[1], ""); !strings.Contains(printed, want+"\n") {
			t.Errorf("the demonstration did not print the README's %q", want)
		}
	}
	if len(sample) < 6 {
		t.Errorf("README has %d lines of a sample, want 6", len(sample))
	}
	for _, want := range []string{
		"Never called: 459 of 594 functions", // the demonstration
		"Next: build the program: go build -toolexec=scavenger-wrap .; run it with SCAVENGER_DATA_DIR=data in its environment", // doctor
		"main.go:5  unused",               // the report
		"Unreachable: 1 function, 1 line", // the plan
		"the collector knows the key",     // doctor with the collector
	} {
		if !strings.Contains(outputs.String(), want) {
			t.Errorf("the commands did not print %q", want)
		}
	}
	page, err := os.ReadFile(filepath.Join(module, "report.html"))
	if err != nil || !strings.Contains(string(page), "<html") {
		t.Errorf("the page is %d bytes (%v)", len(page), err)
	}
	if err := c.Check(context.Background()); err != nil {
		t.Error(err)
	}
	if got := len(c.Functions(collector.Query{Application: "shop"})); got != 2 {
		t.Errorf("the collector has %d functions, want 2", got)
	}
}

// shellCommands returns the lines of all blocks fenced as sh.
func shellCommands(markdown string) []string {
	var commands []string
	inside := false
	for line := range strings.SplitSeq(markdown, "\n") {
		switch {
		case line == "```sh":
			inside = true
		case line == "```":
			inside = false
		case inside:
			commands = append(commands, line)
		}
	}
	return commands
}
