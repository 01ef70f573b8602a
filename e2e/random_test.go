package e2e

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

var randomModules = flag.Int("modules", 3, "how many modules TestHeavyRandom makes")

// TestHeavyRandom builds programs made at random, with marks and without. A marked one prints
// what the plain one does and ends as that, whether it reports or not. The functions that
// its report calls called are those that printed their names.
func TestHeavyRandom(t *testing.T) {
	program.Heavy(t)
	if runtime.GOOS == "windows" {
		t.Skip("a program kills itself")
	}
	for seed := range *randomModules {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := &randomRun{dir: t.TempDir()}
			writeFiles(t, r.dir, newRandomModule(uint64(seed)))
			gcflags := "-gcflags=" + randomPath + "/...=" + []string{"", "-l", "-N -l"}[seed%3]
			r.build(t, "plain", gcflags)
			r.build(t, "marked", gcflags, "-toolexec="+built.File(t))
			for end := range randomEnds {
				r.compare(t, end)
			}
		})
	}
}

type randomRun struct{ dir string }

func (r *randomRun) build(t *testing.T, to string, flags ...string) {
	t.Helper()
	cmd := exec.Command("go", slices.Concat([]string{"build", "-ldflags=-w", "-o", to + "/"}, flags, []string{"./cmd/..."})...)
	cmd.Dir = r.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", to, err, out)
	}
}

// compare runs one of the programs, plain, marked, and marked with local files.
func (r *randomRun) compare(t *testing.T, end string) {
	t.Helper()
	want := r.run(t, "plain", end)
	if got := r.run(t, "marked", end); got != want {
		t.Errorf("%s: %s", end, firstDifference(got, want))
	}
	if end == "asleep" || end == "early" {
		return // a goroutine of ours is not asleep, and what ends before its main may leave nothing
	}
	data := filepath.Join(r.dir, "data-"+end)
	if got := r.run(t, "marked", end, "SCAVENGER_DATA_DIR="+data); got != want {
		t.Errorf("%s, with local files: %s", end, firstDifference(got, want))
	}
	if runtime.GOOS != "linux" {
		return // where a kill costs the calls of the last second
	}
	functions, err := program.Report(t.Context(), built.File(t), data)
	if err != nil {
		t.Fatalf("%s: %v", end, err)
	}
	called := calledFunctions(want, end)
	listed := 0
	for _, f := range functions {
		name := fmt.Sprintf("%s %s %s", f.Package, f.Receiver, f.Name)
		says := f.Status == "called"
		switch traces := strings.HasPrefix(f.Receiver+f.Name, "F") || strings.HasPrefix(f.Receiver, "*F"); {
		case called[name] && says:
			listed++
			delete(called, name)
		case called[name], traces && says:
			t.Errorf("%s: %s is %s, printed its name: %v", end, name, f.Status, called[name])
		}
	}
	if len(called) > 0 || listed < 10 {
		t.Errorf("%s: the report has %d functions that printed their names, and lacks %v", end, listed, slices.Sorted(maps.Keys(called)))
	}
}

// anyNumber matches what differs between two runs of a program.
var anyNumber = regexp.MustCompile(`0x[0-9a-f]+|\?`)

func (r *randomRun) run(t *testing.T, kind, end string, env ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(filepath.Join(r.dir, kind, end))
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return stdout.String() + anyNumber.ReplaceAllString(stderr.String(), "0x") + fmt.Sprintln(err)
}

// calledFunctions returns the functions that printed their names: package, receiver, name.
func calledFunctions(output, end string) map[string]bool {
	called := map[string]bool{}
	for line := range strings.Lines(output) {
		name, ok := strings.CutPrefix(line, "at ")
		if !ok {
			continue
		}
		name, _, _ = strings.Cut(strings.ReplaceAll(name, "[...]", ""), " ")
		slash := strings.LastIndexByte(name, '/') + 1
		pkg, name, _ := strings.Cut(name[slash:], ".")
		switch {
		case slash > 0:
			pkg = randomPath + "/" + pkg
		case pkg == "main":
			pkg = randomPath + "/cmd/" + end
		default:
			continue // the runtime calls what is deferred
		}
		words := strings.Split(strings.NewReplacer("(", "", ")", "").Replace(name), ".")
		switch {
		case strings.Contains(name, "-range") || strings.Contains(name, "func") || words[0] == "init":
		case len(words) == 1:
			called[pkg+"  "+name] = true
		default:
			called[fmt.Sprintf("%s %s %s", pkg, words[0], words[1])] = true
		}
	}
	return called
}

// firstDifference shows where two texts begin to differ.
func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	n := 0
	for n < len(g) && n < len(w) && g[n] == w[n] {
		n++
	}
	return fmt.Sprintf("line %d: got\n%s\nwant\n%s", n+1, strings.Join(g[n:min(n+5, len(g))], "\n"), strings.Join(w[n:min(n+5, len(w))], "\n"))
}
