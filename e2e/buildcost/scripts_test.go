package buildcost

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// scripts runs the scripts with a cache that has the standard library.
func (b *builds) scripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"compiled": compiledCommand},
		Setup: func(env *testscript.Env) error {
			out, err := exec.Command("go", "env", "GOROOT", "GOMODCACHE").Output()
			if err != nil {
				return err
			}
			goroot, modcache, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
			env.Setenv("PATH", strings.Join([]string{filepath.Dir(b.wrapper), filepath.Join(goroot, "bin"), os.Getenv("PATH")}, string(os.PathListSeparator)))
			env.Setenv("GOROOT", goroot)
			env.Setenv("GOCACHE", b.taken)
			env.Setenv("GOMODCACHE", modcache)
			for name, value := range map[string]string{"GOTOOLCHAIN": "local", "GOENV": "off", "GOFLAGS": "", "GOPROXY": "off"} {
				env.Setenv(name, value)
			}
			return nil
		},
	})
}

// compiledCommand: compiled PACKAGE=OUTCOME… checks that the file log says that
// just these packages were compiled, and removes it.
func compiledCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: compiled package=outcome…")
	}
	text := ts.ReadFile("log")
	ts.Check(os.Remove(ts.MkAbs("log")))
	var got, compiles []string
	for line := range strings.Lines(text) {
		var l struct{ Outcome, Action, Package string }
		ts.Check(json.Unmarshal([]byte(line), &l))
		if l.Action == "compile" && l.Outcome != "plain" {
			got = append(got, l.Package+"="+l.Outcome)
			compiles = append(compiles, line)
		}
	}
	slices.Sort(got)
	slices.Sort(args)
	if !slices.Equal(got, args) {
		ts.Fatalf("compiled:\n%s\nwant:\n%s\nthe log:\n%s", strings.Join(got, "\n"), strings.Join(args, "\n"), strings.Join(compiles, ""))
	}
}
