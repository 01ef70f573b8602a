package rewrite

import (
	"flag"
	"fmt"
	"go/importer"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

var toolchains = flag.String("toolchains", "", "releases of Go, separated by commas, to hold names against besides the one that runs the test")

// closuresForTests names literals as Go 1.26 does, without imports.
var closuresForTests = &Closures{Release: "go1.26"}

// Each literal that runs is listed under the name that the runtime has for it.
func TestClosureNames(t *testing.T) {
	if testing.Short() {
		t.Skip("links a program")
	}
	dir := t.TempDir()
	for name, text := range closureProgram {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	releases := []string{runtime.Version()}
	if *toolchains != "" {
		releases = append(releases, strings.Split(*toolchains, ",")...)
	}
	for i, release := range releases {
		t.Run(release, func(t *testing.T) {
			env := append(os.Environ(), "GOFLAGS=", "GOWORK=off")
			if i > 0 {
				env = append(env, "GOTOOLCHAIN="+release)
			}
			// Download the release now if it is missing. Below, the message would be
			// among the output of the program.
			version := exec.Command("go", "version")
			version.Env = env
			if out, err := version.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			cmd := exec.Command("go", "run", "-gcflags=-l", ".")
			cmd.Env = env
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			checkClosureNames(t, release, string(out))
		})
	}
}

func checkClosureNames(t *testing.T, release, output string) {
	t.Helper()
	sources := []Source{
		{"/src/p/main.go", []byte(closureProgram["main.go"])},
		{"/src/p/more.go", []byte(closureProgram["more.go"])},
	}
	opts := Options{
		ImportPath: "example.com/program", Closures: &Closures{Release: release},
		Importer: importer.ForCompiler(token.NewFileSet(), "source", nil), Arch: runtime.GOARCH,
	}
	res, err := Package(opts, sources)
	if err != nil {
		t.Fatal(err)
	}
	checkResult(t, opts, sources, res)
	listed := map[string]bool{}
	unique := map[string]bool{}
	for _, f := range res.Functions {
		name := f.Name
		if f.Receiver != "" {
			name = f.Receiver + "." + name
			if strings.HasPrefix(f.Receiver, "*") {
				name = "(" + f.Receiver + ")." + f.Name
			}
		}
		if unique[name] {
			t.Errorf("%s is listed twice", name)
		}
		unique[name] = true
		if strings.ContainsAny(name, ".") && !strings.HasSuffix(name, ".Needed") {
			listed[fmt.Sprintf("%d main.%s", f.Line, name)] = true
		}
	}
	// A literal whose first statement calls at is printed with the next line.
	ran := map[string]bool{}
	for line := range strings.Lines(strings.ReplaceAll(output, "[...]", "")) {
		ran[strings.TrimSuffix(line, "\n")] = true
	}
	if len(ran) < 60 {
		t.Fatalf("the program called %d literals:\n%s", len(ran), output)
	}
	nextLine := regexp.MustCompile(`^\d+`)
	for _, line := range slices.Sorted(maps.Keys(ran)) {
		before := nextLine.ReplaceAllStringFunc(line, func(s string) string {
			var n int
			fmt.Sscan(s, &n)
			return fmt.Sprint(n - 1)
		})
		if !listed[line] && !listed[before] {
			t.Errorf("%s ran, and is not listed", line)
		}
	}
}

// Literals are left out with the function around them, and by their own names.
func TestClosureFilter(t *testing.T) {
	const text = `package p

//scavenger:ignore
var ignored = func() {}

var (
	Exported = func() { func() {}() }
	//scavenger:track
	private = func() {}
)

func Outer() {
	func() { func() {}() }()
	func() {}()
}

func inner() { func() {}() }

//scavenger:ignore
func none() { func() {}() }

// @Router
func init() { func() {}() }
`
	for _, test := range []struct {
		filter Filter
		want   string
	}{
		{Filter{}, "init.func2 init.func2.1 init.func3 Outer Outer.func1 Outer.func1.1 Outer.func2 inner inner.func1 init.0.func1"},
		{Filter{ExportedOnly: true}, "init.func2 init.func2.1 init.func3 Outer Outer.func1 Outer.func1.1 Outer.func2"},
		{Filter{Markers: []string{"@Router"}}, "init.func3 init.0.func1"},
		{Filter{Markers: []string{"@Router"}, Exempt: regexps(t, `p\.Outer`)}, "init.func3 Outer Outer.func1 Outer.func1.1 Outer.func2 init.0.func1"},
		{Filter{Names: regexps(t, `p\.Outer\.func1`, `p\.init\..*`)}, "init.func3 Outer Outer.func2 inner inner.func1"},
	} {
		res, err := Package(Options{ImportPath: "p", Filter: test.filter, Closures: closuresForTests}, []Source{{"/src/x.go", []byte(text)}})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range res.Functions {
			got = append(got, f.Name)
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%+v: %q, want %q", test.filter, got, test.want)
		}
		if n := len(res.Functions) + len(res.LeftOut); n != 13 {
			t.Errorf("%+v: %d functions listed or left out", test.filter, n)
		}
	}
}

func regexps(t *testing.T, list ...string) (compiled []*regexp.Regexp) {
	t.Helper()
	for _, text := range list {
		compiled = append(compiled, regexp.MustCompile("^(?:"+text+")$"))
	}
	return compiled
}
