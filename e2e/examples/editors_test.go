// What editors and profilers are told.

package examples

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// The build of VS Code's launch configuration, without the optimisation that its debugger
// turns off too. The editor and delve are not run.
func TestEditors(t *testing.T) {
	var file struct {
		Configurations []struct {
			Program    string
			BuildFlags []string
			Env        map[string]string
		}
	}
	if err := json.Unmarshal([]byte(readFile(t, "editors/launch.json")), &file); err != nil {
		t.Fatal(err)
	}
	launch := file.Configurations[0]
	var names []string
	for name := range launch.Env {
		names = append(names, name)
	}
	checkSettings(t, names)
	dir := newModule(t)
	args := append([]string{"go", "build", "-o", "app", "-gcflags=-N -l"}, launch.BuildFlags...)
	pkg := "." + launch.Program[len("${workspaceFolder}"):]
	run(t, dir, []string{pathWithWrapper(t)}, slices.Concat(args, []string{pkg})...)
	runAndReport(t, filepath.Join(dir, "app"), false)
}

var markFunction = regexp.MustCompile(`[\w./]*_scavenger_\w*_hit`)

// A profile with a sample in a mark that is inlined into Add: pprof counts it for Add.
func TestPprof(t *testing.T) {
	app := buildApp(t)
	mark := markFunction.FindString(readFile(t, app))
	if mark == "" {
		t.Fatal("the program has no function _scavenger_…_hit")
	}
	profile := filepath.Join(t.TempDir(), "cpu.pprof")
	if err := os.WriteFile(profile, inlinedSample(mark, "example.com/app/cart.(*Cart).Add"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		flags     []string
		marks     bool
		flatOfAdd string
	}{
		{nil, true, "0"},
		{[]string{"-hide=_scavenger_"}, false, "7"},
	} {
		out := run(t, ".", nil, slices.Concat([]string{"go", "tool", "pprof", "-top", "-symbolize=none"}, c.flags, []string{profile})...)
		add := regexp.MustCompile(`(?m)^ +(\d+) .*Cart\)\.Add.*$`).FindStringSubmatch(out)
		if strings.Contains(out, mark) != c.marks || add == nil || add[1] != c.flatOfAdd {
			t.Errorf("pprof %v, want marks: %v, and %s of Add itself:\n%s", c.flags, c.marks, c.flatOfAdd, out)
		}
	}
}

// inlinedSample returns a profile, as profile.proto defines it, of seven samples in a
// function that is inlined into another.
func inlinedSample(inlined, outer string) []byte {
	var profile []byte
	number := func(b []byte, field protowire.Number, v uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), v)
	}
	message := func(field protowire.Number, text []byte) {
		profile = protowire.AppendBytes(protowire.AppendTag(profile, field, protowire.BytesType), text)
	}
	message(1, number(number(nil, 1, 1), 2, 2))   // sample_type: samples, count
	message(2, number(number(nil, 1, 1), 2, 7))   // sample: of location 1, seven
	location := number(number(nil, 1, 1), 3, 0x1) // location 1 with its lines, the inlined first
	for function := range uint64(2) {
		line := number(nil, 1, function+1)
		location = protowire.AppendBytes(protowire.AppendTag(location, 4, protowire.BytesType), line)
	}
	message(4, location)
	for function := range uint64(2) {
		message(5, number(number(nil, 1, function+1), 2, function+3))
	}
	for _, s := range []string{"", "samples", "count", inlined, outer} {
		message(6, []byte(s))
	}
	return profile
}
