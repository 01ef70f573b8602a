// The manual of Scavenger's web page: its commands, and what it says of them.

package examples

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/e2e/collector"
)

const manual = "../../docs/scavenger.md"

// TestManual does what docs/scavenger.md says once the server runs, with the collector of
// our tests, and compares the tree of the page with the one that it shows. Nothing starts
// the server itself here, which is no part of this repository.
func TestManual(t *testing.T) {
	text := readFile(t, manual)
	c, err := collector.Start(collector.Options{NoJitter: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	example := strings.NewReplacer("http://localhost:8080", c.URL(), "SCAVENGER_API_KEY=…", "SCAVENGER_API_KEY="+collector.DemoKey)
	dir := newModule(t)
	script := example.Replace(shellCommands(text))
	if strings.Contains(script, "…") || !strings.Contains(script, c.URL()) || !strings.Contains(script, "\n./app\n") {
		t.Fatalf("the manual has the commands\n%s", script)
	}
	out := run(t, dir, []string{pathWithWrapper(t), "SCAVENGER_EXIT_TIMEOUT=1m"}, "sh", "-ec", script)
	if !strings.Contains(out, "the collector knows the key") || !strings.Contains(out, "total 42") {
		t.Errorf("the commands print\n%s", out)
	}
	if err := c.Check(t.Context()); err != nil {
		t.Error(err)
	}
	settings := map[string]string{} // that the manual exports
	for _, m := range regexp.MustCompile(`SCAVENGER_(\w+)=(\S+)`).FindAllStringSubmatch(script, -1) {
		settings[m[1]] = m[2]
	}
	q := collector.Query{Application: settings["APP_NAME"], Environment: settings["ENVIRONMENT"]}
	nodes, err := c.Snapshot(q)
	if err != nil {
		t.Fatal(err)
	}
	if tree := pageTree(t, nodes); tree == "" || !strings.Contains(unindent(text), tree) {
		t.Errorf("the manual does not have the tree of the page, which is\n%s", tree)
	}
	for _, node := range nodes {
		if node.Type == collector.MethodNode && !strings.Contains(node.Signature, "main") {
			name := strings.TrimPrefix(node.Signature, node.Parent+".")
			if want := "`" + name + "`"; !strings.Contains(text, want) {
				t.Errorf("the manual does not speak of %s", want)
			}
			if called := name != "Clear()"; (node.Used > 0) != called {
				t.Errorf("the page says of %s that it was called: %v", name, !called)
			}
		}
	}
	if _, err := os.Stat(dir + "/data"); err != nil {
		t.Errorf("the program wrote no local files: %v", err)
	}
}

// shellCommands returns the lines of the blocks fenced as sh, which may stand in a list.
func shellCommands(markdown string) string {
	var commands strings.Builder
	inside := false
	for line := range strings.Lines(markdown) {
		switch trimmed := strings.TrimSpace(line); {
		case trimmed == "```sh":
			inside = true
		case trimmed == "```":
			inside = false
		case inside:
			commands.WriteString(trimmed + "\n")
		}
	}
	return commands.String()
}

// pageTree returns what the page's tree shows: names, the number of functions and the share
// of them that was called.
func pageTree(t *testing.T, nodes []collector.Node) string {
	t.Helper()
	page, err := collector.Page(nodes)
	if err != nil {
		t.Fatal(err)
	}
	indents := map[string]string{} // below each node
	var tree strings.Builder
	for _, n := range page {
		if n.Type == collector.MethodNode {
			continue
		}
		indent := indents[n.Parent]
		indents[n.Signature] = indent + "  "
		total := n.Used + n.Unused
		fmt.Fprintf(&tree, "%-22s %2d  %3d%%\n", indent+n.Label, total, 100*n.Used/total)
	}
	return tree.String()
}

// unindent removes the indentation that code in a list has.
func unindent(markdown string) string {
	return regexp.MustCompile(`(?m)^       `).ReplaceAllString(markdown, "")
}
