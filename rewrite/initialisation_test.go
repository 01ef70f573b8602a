// Marked packages are initialised as the originals are: the order of variables is the
// same, and so is what the compiler lays out without code.
//
// The test binary itself is the -toolexec program of a go build. It runs each compile
// action. Then it compiles the package twice more with the same flags, once as it came
// and once marked, and compares the two. So the test sees packages as they are built:
// with cgo, assembly, embedded files, -race, -cover.

package rewrite

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

var (
	initDir   = flag.String("init.dir", "", "where TestInitialisation runs go build, such as in a module")
	initBuild = flag.String("init.build", "", "arguments of its go build, flags and packages")
	closures  = flag.Bool("init.closures", false, "mark function literals too")
)

// Variables for the test binary as a -toolexec program: the directory for its findings,
// and whether to mark function literals.
const (
	initToolEnv     = "SCAVENGER_TEST_INITIALISATION"
	initClosuresEnv = "SCAVENGER_TEST_INITIALISATION_CLOSURES"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(initToolEnv); dir != "" {
		os.Exit(initTool(dir, os.Args[1:]))
	}
	os.Exit(m.Run())
}

// TestInitialisation compares how packages of the standard library, or of a module, are
// initialised.
func TestInitialisation(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles packages three times")
	}
	if *initBuild != "" {
		testInitialisation(t, *closures, strings.Fields(*initBuild))
		return
	}
	testInitialisation(t, true, strings.Fields("errors flag go/token mime strconv text/template/..."))
}

// TestHeavyInitialisation does that for more of them, and with flags that reach the
// standard library.
func TestHeavyInitialisation(t *testing.T) {
	program.Heavy(t)
	t.Run("more", func(t *testing.T) {
		testInitialisation(t, true, strings.Fields("go/build log/slog net/http net/netip os time"))
	})
	for _, mode := range []string{"-race", "-cover"} {
		t.Run(mode, func(t *testing.T) {
			testInitialisation(t, false, []string{mode, "errors", "go/token", "text/template"})
		})
	}
}

func testInitialisation(t *testing.T, closures bool, build []string) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	// The named packages get a flag without effect that differs each time. So they are
	// compiled even if the build cache contains them.
	nonce := fmt.Sprintf("-gcflags=-D=%d", time.Now().UnixNano())
	cmd := exec.Command("go", slices.Concat([]string{"build", "-o", os.DevNull, "-toolexec=" + self, nonce}, build)...)
	cmd.Dir = *initDir
	cmd.Env = append(os.Environ(), initToolEnv+"="+dir, "GOFLAGS=")
	if closures {
		cmd.Env = append(cmd.Env, initClosuresEnv+"=yes")
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all initialisation
	packages := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var p initialisation
		if err := json.Unmarshal(text, &p); err != nil {
			t.Fatal(err)
		}
		packages++
		all.Variables += p.Variables
		all.Ordered += p.Ordered
		all.Checked += p.Checked
		all.Static += p.Static
		for _, d := range p.Differences {
			t.Error(d)
		}
	}
	if all.Variables == 0 {
		t.Errorf("no variables in %d packages", packages)
	}
	t.Logf("%d packages, %d type-checked for static values, %d variables, %d of them with initialisers, %d functions called without code",
		packages, all.Checked, all.Variables, all.Ordered, all.Static)
}

// An initialisation is the findings of initTool about a package.
type initialisation struct {
	Variables   int // symbols of package-level variables
	Ordered     int // elements of types.Info.InitOrder
	Checked     int // 1 if the package was type-checked for its initialisers
	Static      int // functions that count as called
	Differences []string
}

// initTool runs the test binary in place of a tool of the go command.
func initTool(dir string, args []string) int {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return exit.ExitCode()
		}
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	importPath := os.Getenv("TOOLEXEC_IMPORTPATH")
	if strings.TrimSuffix(filepath.Base(args[0]), ".exe") != "compile" || importPath == "" {
		return 0
	}
	if strings.HasPrefix(flagOf(args, "-D"), "1") {
		tool := &initComparison{dir: filepath.Dir(flagOf(args, "-o")), args: args, path: flagOf(args, "-p")}
		opts := Options{Free: true, Inlined: true, Sanitizer: slices.Contains(args, "-race")}
		if os.Getenv(initClosuresEnv) != "" {
			opts.Closures = &Closures{Release: runtime.Version()}
		}
		if err := tool.compare(opts); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", importPath, err)
			return 1
		}
		text, err := json.Marshal(tool.result)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, strings.NewReplacer("/", "_", " ", "_").Replace(importPath)+".json"), text, 0o666)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return 0
}

// TestInitialisationGoldens compares how goldens are initialised.
func TestInitialisationGoldens(t *testing.T) {
	compiler := newCompiler(t, "embed", "errors", "strings")
	for _, g := range goldens(t) {
		if g.untyped {
			continue
		}
		t.Run(filepath.Base(g.file), func(t *testing.T) {
			dir := t.TempDir()
			args := []string{compiler.program, "-p", testPath, "-importcfg", compiler.importcfg, "-o", filepath.Join(dir, "p.a")}
			embed := fmt.Sprintf(`{"Patterns": {"x.go": ["x.go"], "*.go": ["x.go"]}, "Files": {"x.go": %q}}`, compiler.importcfg)
			args = append(args, "-embedcfg", compiler.write(t, "embedcfg", []byte(embed)))
			for _, source := range g.sources {
				args = append(args, compiler.write(t, filepath.Base(source.Name), source.Text))
			}
			for _, inlined := range []bool{true, false} {
				opts := g.opts
				if opts.Inlined = inlined; !inlined {
					args = slices.Insert(args, 1, "-l")
				}
				c := &initComparison{dir: dir, args: args, path: testPath}
				if err := c.compare(opts); err != nil {
					t.Fatal(err)
				}
				for _, d := range c.result.Differences {
					t.Errorf("inlined %v: %s", inlined, d)
				}
			}
		})
	}
}

func flagOf(args []string, name string) string {
	if i := slices.Index(args, name); i >= 0 {
		return args[i+1]
	}
	for _, arg := range args {
		if value, ok := strings.CutPrefix(arg, name+"="); ok {
			return value
		}
	}
	return ""
}
