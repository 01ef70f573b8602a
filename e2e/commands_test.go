// Commands that only a few scripts use.

package e2e

import (
	"debug/dwarf"
	"debug/elf"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/goproxytest"
	"github.com/rogpeppe/go-internal/testscript"
)

// elfCommand: elf FILE static checks that the program needs no dynamic linker;
// elf FILE like OTHER that it is as static or dynamic as the other one, and
// needs the same libraries.
func elfCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: elf file static | elf file like other")
	}
	got, want := "", ""
	got = dynamicPart(ts, args[0])
	if args[1] == "like" {
		want = dynamicPart(ts, args[2])
	}
	if got != want {
		ts.Fatalf("%s is linked with %q, want %q", args[0], got, want)
	}
}

func dynamicPart(ts *testscript.TestScript, name string) string {
	f, err := elf.Open(ts.MkAbs(name))
	ts.Check(err)
	defer f.Close()
	var parts []string
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			parts = append(parts, "an interpreter")
		}
	}
	libraries, err := f.ImportedLibraries()
	if err != nil && !errors.Is(err, elf.ErrNoSymbols) {
		ts.Check(err)
	}
	return strings.Join(append(parts, libraries...), " ")
}

// samelinesCommand: samelines FILE OTHER PREFIX checks that the functions of
// two programs whose names begin with the prefix have code for the same source
// lines: what a debugger stops at. The other program may have marks: these have
// a file of their own, and the compiler gives main an init function. The line of
// a function's declaration is not looked at, where some functions have code in
// any case: with a mark at its start one that needs no frame has it too.
func samelinesCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: samelines file other prefix")
	}
	want, got := codeLines(ts, args[0], args[2]), codeLines(ts, args[1], args[2])
	if len(want) == 0 {
		ts.Fatalf("%s has no function %s…", args[0], args[2])
	}
	got = slices.DeleteFunc(got, func(line string) bool {
		return strings.Contains(line, " _scavenger_marks.go:") || strings.HasPrefix(line, "main.init ") && !slices.Contains(want, line)
	})
	if !slices.Equal(got, want) {
		ts.Fatalf("%s has code for\n%s\nwant, as %s\n%s", args[1], strings.Join(got, "\n"), args[0], strings.Join(want, "\n"))
	}
}

// codeLines returns "function file:line" for all lines of the functions.
func codeLines(ts *testscript.TestScript, name, prefix string) []string {
	f, err := elf.Open(ts.MkAbs(name))
	ts.Check(err)
	defer f.Close()
	d, err := f.DWARF()
	ts.Check(err)
	seen := map[string]bool{}
	r := d.Reader()
	var unit *dwarf.Entry
	for {
		e, err := r.Next()
		ts.Check(err)
		if e == nil {
			break
		}
		function, _ := e.Val(dwarf.AttrName).(string)
		switch {
		case e.Tag == dwarf.TagCompileUnit:
			unit = e
		case e.Tag == dwarf.TagSubprogram && (strings.HasPrefix(function, prefix) || strings.HasPrefix(function, "main.")):
			ranges, err := d.Ranges(e)
			ts.Check(err)
			for _, pc := range ranges {
				declared, _ := e.Val(dwarf.AttrDeclLine).(int64)
				addLines(ts, d, unit, pc, function, int(declared), seen)
			}
		}
	}
	var lines []string
	for line := range seen {
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

func addLines(ts *testscript.TestScript, d *dwarf.Data, unit *dwarf.Entry, pc [2]uint64, function string, declared int, seen map[string]bool) {
	lines, err := d.LineReader(unit)
	ts.Check(err)
	for {
		var at dwarf.LineEntry
		if err := lines.Next(&at); errors.Is(err, io.EOF) {
			return
		} else {
			ts.Check(err)
		}
		if !at.EndSequence && pc[0] <= at.Address && at.Address < pc[1] && at.Line != declared {
			seen[fmt.Sprintf("%s %s:%d", function, at.File.Name, at.Line)] = true
		}
	}
}

// toolchainCommand: toolchain VERSION runs the rest of the script with that
// release of Go.
func toolchainCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: toolchain go1.x.y")
	}
	root, err := toolchainRoot(args[0])
	ts.Check(err)
	ts.Setenv("GOROOT", root)
	ts.Setenv("PATH", filepath.Join(root, "bin")+string(os.PathListSeparator)+ts.Getenv("PATH"))
}

// proxyCommand: proxy serves the modules of testdata/mod to the rest of the
// script.
func proxyCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: proxy")
	}
	server, err := goproxytest.NewServer(filepath.Join("testdata", "mod"), "")
	ts.Check(err)
	ts.Defer(server.Close)
	ts.Setenv("GOPROXY", server.URL)
}

// startsCommand: starts FILE OTHER TIMES checks that to start and end the second program
// takes at most so many times the CPU time of the first. Other processes of the machine
// add to both, by the caches that they empty: what counts is the least of many runs,
// taken in turns, and of more runs until it is as it should be.
func startsCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: starts file other times")
	}
	most, err := strconv.ParseFloat(args[2], 64)
	ts.Check(err)
	least := [2]time.Duration{time.Hour, time.Hour}
	for n := 0; n < 50 || n < 1000 && float64(least[1]) > most*float64(least[0]); n++ {
		for i, name := range args[:2] {
			cmd := exec.Command(ts.MkAbs(name))
			ts.Check(cmd.Run())
			least[i] = min(least[i], cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
		}
	}
	ts.Logf("%v and %v", least[0], least[1])
	if float64(least[1]) > most*float64(least[0]) {
		ts.Fatalf("%s takes %v, %s %v", args[1], least[1], args[0], least[0])
	}
}

// condition knows [root]: whether we may write to files that are read-only;
// [named]: whether what takes minutes was asked for by name, as with -run Matrix
// or -run Heavy; and [toolchain:VERSION]: whether the module proxy, or the module
// cache, has that release of Go.
func condition(cond string) (bool, error) {
	if cond == "root" {
		return os.Geteuid() == 0, nil
	}
	if cond == "named" {
		run := flag.Lookup("test.run").Value.String()
		return strings.Contains(run, "Matrix") || strings.Contains(run, "Heavy"), nil
	}
	version, ok := strings.CutPrefix(cond, "toolchain:")
	if !ok {
		return false, fmt.Errorf("unknown condition %q", cond)
	}
	_, err := toolchainRoot(version)
	return err == nil, nil
}

// toolchainRoot returns the GOROOT of a release of Go, downloading it if need be.
func toolchainRoot(version string) (string, error) {
	cmd := exec.Command("go", "env", "GOROOT")
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN="+version, "GOENV=off", "GOFLAGS=")
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("downloading %s: %w", version, err)
	}
	return strings.TrimSpace(string(out)), nil
}
