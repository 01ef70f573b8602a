// The guard of what marks cost. It counts instructions, which a busy machine does not
// change, so that marks that cost more are found in a minute.

package main

import (
	"go/version"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// known is what the functions of a marked program's module took of instructions, as a ratio
// to plain, when it was counted with Go 1.26 on amd64, and how much more they may take. Marks
// that keep the compiler from inlining small functions add 0.004, 0.008 and 0.007.
var known = map[string]struct{ ratio, more float64 }{
	"glua": {1.0694, 0.002}, "gojq": {1.1475, 0.005}, "goldmark": {1.1217, 0.003},
}

// repeats is how often plain and marked are counted. The type switches of a program fill caches
// at random, so single ratios of gojq differ by 0.006 (standard deviation 0.002), those of
// goldmark by 0.002 and those of glua by nothing; of so many the mean has a deviation of
// 0.001 with gojq.
const repeats = 5

// bound returns the most that they may take. Another release of Go compiles plain differently
// as well, so there it is a quarter more of what marks add.
func bound(name string) float64 {
	c := known[name]
	if version.Lang(runtime.Version()) == "go1.26" {
		return c.ratio + c.more
	}
	return c.ratio + (c.ratio-1)/4
}

// TestHeavyInstructions checks that marks cost no more than they did, and that the count
// would show it: go build -cover, whose counters are stores as well, is over each bound.
func TestHeavyInstructions(t *testing.T) {
	program.Heavy(t)
	if _, err := exec.LookPath("valgrind"); err != nil || runtime.GOARCH != "amd64" {
		t.Skipf("no valgrind on amd64: %v", err)
	}
	dir := t.TempDir()
	wrapper, err := program.BuildWrapper(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range workers {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			if known[w.name].ratio == 0 {
				t.Fatal("it has no bound")
			}
			limit := bound(w.name)
			if w.name == "glua" {
				w.input = smallLua
			}
			b := &evidenceWork{worker: w, dir: filepath.Join(dir, w.name), wrapper: wrapper}
			if err := b.fetch(t.Context()); err != nil {
				t.Fatal(err)
			}
			plain := countBuild(t, b, repeats, "go", "build")
			marked := countBuild(t, b, repeats, wrapper, "go", "build") / plain
			covered := countBuild(t, b, 1, "go", "build", "-cover", "-coverpkg=./...") / plain
			t.Logf("marked %.4f, covered %.4f of plain's %.0f", marked, covered, plain)
			if marked > limit {
				t.Errorf("marked it takes %.4f of plain's instructions, at most %.4f", marked, limit)
			}
			if covered <= limit {
				t.Errorf("covered it takes %.4f of plain's instructions: what does this test find?", covered)
			}
		})
	}
}

// smallLua is less work than a benchmark needs: under valgrind all is fifty times slower.
func smallLua() string {
	return "local function fib(n) if n < 2 then return n end return fib(n-1) + fib(n-2) end\n" +
		"local t = {}\nfor i = 1, 2000 do t[i] = (i * 7919) % 10007; t['k' .. i] = tostring(i) end\n" +
		"table.sort(t, function(a, b) return a < b end)\nprint(fib(17), t[1])\n"
}

// countBuild builds a program and returns the instructions of its module's functions in the
// mean of some runs. What the runtime does besides depends on how fast the machine is.
func countBuild(t *testing.T, b *evidenceWork, runs int, command ...string) float64 {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "program"+program.ExeSuffix())
	if err := b.build(t.Context(), binary, "", command...); err != nil {
		t.Fatal(err)
	}
	total := 0.0
	for range runs {
		total += countRun(t, b, binary)
	}
	return total / float64(runs)
}

// countRun returns the instructions of one run.
func countRun(t *testing.T, b *evidenceWork, binary string) float64 {
	t.Helper()
	dir := t.TempDir()
	profile := filepath.Join(dir, "callgrind.out")
	work := b.command(t.Context(), binary, "input")
	cmd := exec.CommandContext(t.Context(), "valgrind", append([]string{"--tool=callgrind", "--callgrind-out-file=" + profile, binary}, work.Args[1:]...)...)
	cmd.Env = append(os.Environ(), "GOCOVERDIR="+dir, "GOGC=off", "GODEBUG=asyncpreemptoff=1", "GOMAXPROCS=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("valgrind: %v\n%s", err, out)
	}
	text, err := os.ReadFile(profile)
	if err != nil {
		t.Fatal(err)
	}
	module, _, _ := strings.Cut(b.module, "@")
	n, err := instructionsOf(string(text), module)
	if err != nil || n < 1e6 {
		t.Fatalf("%.0f instructions in %s, %v", n, module, err)
	}
	return n
}
