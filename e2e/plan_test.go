package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// A plannedFunction is one function in the JSON of `scavenger-wrap plan`.
type plannedFunction struct {
	Package, Receiver, Name, File, Status string
	Line                                  int
	Site                                  *plannedSite
	Sites                                 []plannedSite
	Falls                                 []plannedFunction
}

type plannedSite struct {
	File, Kind string
	Line       int
}

func (f *plannedFunction) id() program.Function {
	return program.Function{Package: f.Package, Receiver: strings.TrimPrefix(f.Receiver, "*"), Name: f.Name}
}

// What is planned for real programs agrees with what ran, with deadcode, and with the
// source: no function that ran is in a group, none that was never called is missing,
// the unreachable ones are deadcode's, and each place that is named has what it should.
func TestPlan(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	testPlan(t, []planned{{"hey", "github.com/rakyll/hey@v0.1.5", ".", [][]string{{"-n=4", "-c=2", server.URL}}}})
}

// TestHeavyPlan does it with larger programs, for minutes.
func TestHeavyPlan(t *testing.T) {
	program.Heavy(t)
	testPlan(t, []planned{
		{"age", "filippo.io/age@v1.3.2", "./cmd/age", [][]string{{"-r=age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"}, {"--version"}}},
		{"fzf", "github.com/junegunn/fzf@v0.65.2", ".", [][]string{{"--filter=scoring"}, {"--filter=^a !b", "--no-sort"}}},
	})
}

// planned is a program of which a plan is made, and how it is run before.
type planned struct {
	name, module, pkg string
	runs              [][]string
}

func testPlan(t *testing.T, programs []planned) {
	deadcode, err := program.InstallDeadcode(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range programs {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			p, err := program.Fetch(context.Background(), test.module, filepath.Join(dir, "source"))
			if err != nil {
				t.Fatal(err)
			}
			binary, data := filepath.Join(dir, test.name+program.ExeSuffix()), filepath.Join(dir, "data")
			if err := p.Build(context.Background(), "-toolexec="+wrapperFile(t), "-o", binary, test.pkg); err != nil {
				t.Fatal(err)
			}
			for _, args := range test.runs {
				cmd := exec.Command(binary, args...)
				cmd.Env = append(os.Environ(), "SCAVENGER_DATA_DIR="+data)
				cmd.Stdin = strings.NewReader("scoring\nan apple\n")
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%s %q: %v\n%s", test.name, args, err, out)
				}
			}
			checkPlan(t, p.Dir, test.pkg, data, deadcode)
		})
	}
}

func checkPlan(t *testing.T, dir, pkg, data, deadcode string) {
	var plan struct {
		Unreachable, Entries, Shared, MustStay []plannedFunction
		Difference                             struct {
			Missing, Packages []string
			Moved             int
		}
	}
	if err := json.Unmarshal(runIn(t, dir, wrapperFile(t), "plan", "--format=json", pkg, data), &plan); err != nil {
		t.Fatal(err)
	}
	if d := plan.Difference; len(d.Missing)+len(d.Packages)+d.Moved > 0 {
		t.Errorf("difference: %+v", d)
	}
	planned := map[program.Function]bool{}
	groups := [][]plannedFunction{plan.Unreachable, plan.Entries, plan.Shared, plan.MustStay}
	for _, e := range plan.Entries {
		groups = append(groups, e.Falls)
		if len(e.Sites) == 0 {
			t.Errorf("%v: an entry without a site", e.id())
		}
		for _, s := range e.Sites {
			if line := lineAt(t, dir, s.File, s.Line); !strings.Contains(line, e.Name) {
				t.Errorf("%v: %s:%d has %q", e.id(), s.File, s.Line, line)
			}
		}
	}
	for _, k := range plan.MustStay {
		if k.Site != nil && lineAt(t, dir, k.Site.File, k.Site.Line) == "" {
			t.Errorf("%v: nothing at %s:%d", k.id(), k.Site.File, k.Site.Line)
		}
	}
	for _, group := range groups {
		for _, f := range group {
			if planned[f.id()] {
				t.Errorf("%v is in two groups", f.id())
			}
			planned[f.id()] = true
		}
	}
	if len(plan.Entries) == 0 {
		t.Error("no entries")
	}
	functions, err := program.Report(context.Background(), wrapperFile(t), data)
	if err != nil {
		t.Fatal(err)
	}
	out := string(runIn(t, dir, deadcode, pkg))
	counted := map[string]int{}
	for _, f := range functions {
		counted[f.Status]++
		switch in := planned[f.ID()]; {
		case in && f.Status != "never-called":
			t.Errorf("%v is %s, and in a group", f.ID(), f.Status)
		case !in && f.Status == "never-called":
			t.Errorf("%v was never called, and is in no group", f.ID())
		}
	}
	if counted["called"] == 0 || counted["never-called"] == 0 {
		t.Fatalf("%v: nothing to compare", counted)
	}
	want, got := map[string]bool{}, map[string]bool{}
	for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
		if place, _, ok := strings.Cut(line, ": unreachable func: "); ok {
			want[place[:strings.LastIndexByte(place, ':')]] = true
		}
	}
	for _, f := range plan.Unreachable {
		got[fmt.Sprintf("%s:%d", f.File, f.Line)] = true
	}
	if !maps.Equal(got, want) {
		t.Errorf("unreachable: %v\ndeadcode: %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
	t.Logf("%v; unreachable %d, entries %d, shared %d, must stay %d",
		counted, len(plan.Unreachable), len(plan.Entries), len(plan.Shared), len(plan.MustStay))
}

// lineAt returns a line of a file, which may be of a dependency.
func lineAt(t *testing.T, dir, file string, n int) string {
	t.Helper()
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Error(err)
		return ""
	}
	lines := strings.Split(string(text), "\n")
	if n < 1 || n > len(lines) {
		return ""
	}
	return lines[n-1]
}

// runIn runs a program in a directory and returns what it prints.
func runIn(t *testing.T, dir, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, &stderr)
	}
	return out
}
