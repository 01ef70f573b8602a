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
	testPlan(t, "hey", program.Target{Module: "github.com/rakyll/hey@v0.1.5", Packages: []string{"."}, Run: runs("hey", []string{"-n=4", "-c=2", server.URL})})
}

// TestHeavyPlan does it with larger programs, for minutes.
func TestHeavyPlan(t *testing.T) {
	program.Heavy(t)
	testPlan(t, "fzf", program.Target{
		Module: "github.com/junegunn/fzf@v0.65.2", Packages: []string{"."},
		Run: runs("fzf", []string{"--filter=scoring"}, []string{"--filter=^a !b", "--no-sort"}),
	})
	for _, name := range []string{"age", "caddy"} {
		target, err := program.LookUp(name)
		if err != nil {
			t.Fatal(err)
		}
		testPlan(t, name, target)
	}
}

// runs returns what runs a program with some arguments.
func runs(name string, list ...[]string) func(ctx context.Context, bin, scratch string, env []string) error {
	return func(ctx context.Context, bin, _ string, env []string) error {
		for _, args := range list {
			cmd := exec.CommandContext(ctx, filepath.Join(bin, name+program.ExeSuffix()), args...)
			cmd.Env = append(os.Environ(), env...)
			cmd.Stdin = strings.NewReader("scoring\nan apple\n")
			if out, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("%s %q: %w\n%s", name, args, err, out)
			}
		}
		return nil
	}
}

// testPlan lets a program work, and checks the plan for it.
func testPlan(t *testing.T, name string, target program.Target) {
	t.Run(name, func(t *testing.T) {
		dir, scratch := t.TempDir(), t.TempDir()
		p, err := program.Fetch(t.Context(), target.Module, filepath.Join(dir, "source"))
		if err != nil {
			t.Fatal(err)
		}
		bin, data := filepath.Join(dir, "bin"), filepath.Join(dir, "data")
		if err := target.BuildInto(t.Context(), p, bin, "-toolexec="+built.File(t)); err != nil {
			t.Fatal(err)
		}
		if err := target.Run(t.Context(), bin, scratch, []string{"SCAVENGER_DATA_DIR=" + data}); err != nil {
			t.Fatal(err)
		}
		c := planCheck{dir: p.Dir, patterns: target.Packages, data: data, deadcode: deadcodeFile(t), filter: "<module>"}
		c.check(t)
	})
}

// deadcodeFile is the deadcode to compare with.
func deadcodeFile(t *testing.T) string {
	t.Helper()
	deadcode, err := program.InstallDeadcode(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return deadcode
}

// A planCheck holds a plan against all that is known otherwise.
type planCheck struct {
	dir, data, tags, deadcode string
	patterns                  []string
	filter                    string   // which packages deadcode looks at
	pinned                    []string // functions that are not unreachable, whatever deadcode says
	workspace                 bool     // there may be one
}

// A plannedProgram is the JSON of `scavenger-wrap plan`.
type plannedProgram struct {
	Unreachable, Entries, Shared, MustStay []plannedFunction
	Difference                             struct {
		Missing, Packages []string
		Moved             int
	}
}

func (c *planCheck) check(t *testing.T) {
	var plan plannedProgram
	args := append([]string{"plan", "--format=json", "--tags=" + c.tags}, c.patterns...)
	if err := json.Unmarshal(c.run(t, built.File(t), append(args, c.data)...), &plan); err != nil {
		t.Fatal(err)
	}
	if d := plan.Difference; len(d.Missing)+len(d.Packages)+d.Moved > 0 {
		t.Errorf("difference: %+v", d)
	}
	if len(plan.Entries) == 0 {
		t.Error("no entries")
	}
	c.checkSites(t, &plan)
	groups := map[program.Function]string{}
	removed := slices.Concat(plan.Unreachable, plan.Entries, plan.Shared)
	for _, e := range plan.Entries {
		removed = append(removed, e.Falls...)
	}
	for group, list := range map[string][]plannedFunction{"deletable": removed, "must stay": plan.MustStay} {
		for _, f := range list {
			if was := groups[f.id()]; was != "" && f.Name != "_" {
				t.Errorf("%v is %s and %s", f.id(), was, group)
			}
			groups[f.id()] = group
		}
	}
	c.checkStatus(t, groups)
	c.checkUnreachable(t, plan.Unreachable)
	checkRemoval(t, c.dir, c.tags, c.patterns, removed)
	t.Logf("unreachable %d, entries %d, shared %d, must stay %d", len(plan.Unreachable), len(plan.Entries), len(plan.Shared), len(plan.MustStay))
}

// checkSites looks whether the places have what the plan says.
func (c *planCheck) checkSites(t *testing.T, plan *plannedProgram) {
	for _, e := range plan.Entries {
		if len(e.Sites) == 0 {
			t.Errorf("%v: an entry without a site", e.id())
		}
		for _, s := range e.Sites {
			if isGenerator(s.File) {
				continue
			}
			if line := lineAt(t, c.dir, s.File, s.Line); !strings.Contains(line, e.Name) {
				t.Errorf("%v: %s:%d has %q", e.id(), s.File, s.Line, line)
			}
		}
	}
	for _, k := range plan.MustStay {
		if k.Site != nil && lineAt(t, c.dir, k.Site.File, k.Site.Line) == "" {
			t.Errorf("%v: nothing at %s:%d", k.id(), k.Site.File, k.Site.Line)
		}
	}
}

// checkStatus looks whether just those functions have a group that were never called.
func (c *planCheck) checkStatus(t *testing.T, groups map[program.Function]string) {
	functions, err := program.Report(t.Context(), built.File(t), c.data)
	if err != nil {
		t.Fatal(err)
	}
	counted := map[string]int{}
	for _, f := range functions {
		counted[f.Status]++
		switch group := groups[f.ID()]; {
		case group != "" && f.Status != "never-called":
			t.Errorf("%v is %s, and %s", f.ID(), f.Status, group)
		case group == "" && f.Status == "never-called":
			t.Errorf("%v was never called, and is in no group", f.ID())
		}
	}
	if counted["called"] == 0 || counted["never-called"] == 0 {
		t.Fatalf("%v: nothing to compare", counted)
	}
	t.Log(counted)
}

// checkUnreachable looks whether those functions are unreachable that deadcode prints.
func (c *planCheck) checkUnreachable(t *testing.T, list []plannedFunction) {
	want, got := map[string]bool{}, map[string]bool{}
	for line := range strings.SplitSeq(strings.TrimSpace(string(c.run(t, c.deadcode, append([]string{"-tags=" + c.tags, "-filter=" + c.filter}, c.patterns...)...))), "\n") {
		if place, name, ok := strings.Cut(line, ": unreachable func: "); ok && !slices.Contains(c.pinned, name) {
			want[place[:strings.LastIndexByte(place, ':')]] = true
		}
	}
	for _, f := range list {
		got[fmt.Sprintf("%s:%d", f.File, f.Line)] = true
	}
	if !maps.Equal(got, want) {
		t.Errorf("unreachable: %v\ndeadcode: %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

// run runs a program where the source is and returns what it prints.
func (c *planCheck) run(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = c.dir, os.Environ()
	if !c.workspace {
		cmd.Env = append(cmd.Env, "GOWORK=off")
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, &stderr)
	}
	return out
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
