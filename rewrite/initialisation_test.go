// That marked packages are initialised as the originals are: the order of the variables
// is the same, and so is what the compiler lays out without running code.
//
// The test binary itself is the -toolexec program of a go build. It runs each compile
// action as it came and then compiles the package twice more, as it came and marked, with
// the same flags, and compares. So this sees packages as they are built: with cgo,
// assembly, embedded files, -race, -cover.

package rewrite

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	initDir   = flag.String("init.dir", "", "where TestInitialisation runs go build, such as in a module")
	initBuild = flag.String("init.build", "", "arguments of its go build, flags and packages")
	closures  = flag.Bool("init.closures", false, "mark function literals too")
)

// initToolEnv names the directory for findings, in the environment of the test binary as
// a -toolexec program.
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

// smallBuilds are what TestInitialisation builds unless it is told otherwise.
var smallBuilds = []string{
	"errors flag go/build go/token log/slog mime net/netip strconv text/template/...",
	"-race errors go/token text/template",
	"-cover errors go/token text/template",
}

// TestInitialisation compares how packages of the standard library, or of a module, are
// initialised.
func TestInitialisation(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles some fifty packages three times")
	}
	if *initBuild != "" {
		testInitialisation(t, *closures, strings.Fields(*initBuild))
		return
	}
	for i, build := range smallBuilds {
		t.Run(build, func(t *testing.T) { testInitialisation(t, i == 0, strings.Fields(build)) })
	}
}

func testInitialisation(t *testing.T, closures bool, build []string) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	// The packages that are named get a flag that means nothing and is another one each
	// time, so that they are compiled though the build cache holds them.
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

// An initialisation is what initTool finds out about a package.
type initialisation struct {
	Variables   int // symbols of package-level variables
	Ordered     int // elements of types.Info.InitOrder
	Checked     int // 1 if the package was type-checked for its initialisers
	Static      int // functions that count as called
	Differences []string
}

// initTool is the test binary in place of a tool of the go command.
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
	tool, err := exec.Command("go", "tool", "-n", "compile").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range goldens(t) {
		if g.untyped {
			continue
		}
		t.Run(filepath.Base(g.file), func(t *testing.T) {
			dir := t.TempDir()
			args := []string{strings.TrimSpace(string(tool)), "-p", testPath, "-importcfg", compiler.importcfg, "-o", filepath.Join(dir, "p.a")}
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

// An initComparison compares one package with its marked version.
type initComparison struct {
	dir    string
	args   []string // of the compile action, the tool's path first
	path   string   // -p
	result initialisation
}

// compare compares the package of the compile action with what it is with marks as opts
// say.
func (c *initComparison) compare(opts Options) error {
	first := len(c.args)
	for first > 0 && strings.HasSuffix(c.args[first-1], ".go") {
		first--
	}
	flags, names := c.args[1:first], c.args[first:]
	var sources []Source
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if name, err = filepath.Abs(name); err != nil {
			return err
		}
		sources = append(sources, Source{name, text})
	}
	opts.ImportPath, opts.Dir, opts.Main, opts.Arch = c.path, c.path, c.path == "main", runtime.GOARCH
	if cfg := flagOf(flags, "-coveragecfg"); cfg != "" {
		text, err := os.ReadFile(cfg)
		if err != nil {
			return err
		}
		var fixup struct{ CounterPrefix string }
		if err := json.Unmarshal(text, &fixup); err != nil {
			return err
		}
		opts.CounterPrefix = fixup.CounterPrefix
	}
	imp, err := archiveImporter(flagOf(flags, "-importcfg"))
	if err != nil {
		return err
	}
	opts.Importer = imp
	p, err := markPackage(opts, sources)
	if err != nil {
		return err
	}
	res := p.result
	if p.static != nil {
		c.result.Checked = 1
	}
	for _, f := range res.Functions {
		if f.Static {
			c.result.Static++
		}
	}
	marked := markedSources(sources, res)
	c.compareOrder(sources, marked, imp)
	plainText, err := c.assembly("plain", flags, sources)
	if err != nil {
		return err
	}
	if res.CoverageCfg != nil {
		cfg := filepath.Join(c.dir, "coveragecfg")
		if err := os.WriteFile(cfg, res.CoverageCfg, 0o666); err != nil {
			return err
		}
		flags = append([]string{"-coveragecfg=" + cfg}, flags...)
	}
	markedText, err := c.assembly("marked", flags, marked)
	if err != nil {
		return err
	}
	c.compareStatic(plainText, markedText)
	return nil
}

// archiveImporter imports packages from the archives that an importcfg names.
func archiveImporter(importcfg string) (types.Importer, error) {
	text, err := os.ReadFile(importcfg)
	if err != nil {
		return nil, err
	}
	archives, mapped := map[string]string{}, map[string]string{}
	for line := range strings.Lines(string(text)) {
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		before, after, _ := strings.Cut(rest, "=")
		switch verb {
		case "packagefile":
			archives[before] = after
		case "importmap":
			mapped[before] = after
		}
	}
	return importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		if p, ok := mapped[path]; ok {
			path = p
		}
		return os.Open(archives[path])
	}), nil
}

// compareOrder compares the order in which variables are initialised.
func (c *initComparison) compareOrder(plain, marked []Source, imp types.Importer) {
	want, got := initOrder(c.path, plain, imp), initOrder(c.path, marked, imp)
	got = slices.DeleteFunc(got, func(s string) bool { return s == "_ = 0" }) // of the declarations
	want = slices.DeleteFunc(want, func(s string) bool { return s == "_ = 0" })
	c.result.Ordered = len(want)
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			c.different("initialiser %d is %s, in the plain package %s", i, got[i], want[i])
			return
		}
	}
	if len(got) != len(want) {
		c.different("%d initialisers, in the plain package %d", len(got), len(want))
	}
}

func (c *initComparison) different(format string, args ...any) {
	c.result.Differences = append(c.result.Differences, c.path+": "+fmt.Sprintf(format, args...))
}

// initOrder returns the initialisers of a package in their order. Calls of twins look
// like those of the original functions.
func initOrder(path string, sources []Source, imp types.Importer) (order []string) {
	fset := token.NewFileSet()
	var files []*ast.File
	for _, source := range sources {
		f, err := parser.ParseFile(fset, source.Name, source.Text, parser.SkipObjectResolution)
		if err != nil {
			return []string{err.Error()}
		}
		files = append(files, f)
	}
	info := types.Info{}
	conf := types.Config{Importer: imp, Error: func(error) {}, FakeImportC: true, Sizes: types.SizesFor("gc", runtime.GOARCH)}
	_, _ = conf.Check(path, fset, files, &info)
	for _, init := range info.InitOrder {
		var names []string
		for _, v := range init.Lhs {
			names = append(names, v.Name())
		}
		rhs := "…"
		if lit, ok := init.Rhs.(*ast.BasicLit); ok {
			rhs = lit.Value
		}
		order = append(order, strings.Join(names, ", ")+" = "+rhs)
	}
	return order
}

// assembly compiles files and returns what -S prints.
func (c *initComparison) assembly(name string, flags []string, files []Source) ([]byte, error) {
	dir := filepath.Join(c.dir, name)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	args := slices.Clone(flags)
	for i, arg := range args {
		if arg == "-o" {
			args[i+1] = filepath.Join(dir, "p.a")
		}
	}
	args = append([]string{"-S"}, args...)
	for i, file := range files {
		name := filepath.Join(dir, strconv.Itoa(i), filepath.Base(file.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			return nil, err
		}
		if err := os.WriteFile(name, file.Text, 0o666); err != nil {
			return nil, err
		}
		args = append(args, name)
	}
	cmd := exec.Command(c.args[0], args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s%s", name, err, errs.Bytes(), out)
	}
	return out, nil
}

// A static is what the compiler has made of a package-level variable.
type static struct {
	content string // what is laid out of it, with references
	code    bool   // the package's init function refers to it
}

// compareStatic compares what -S says of package-level variables.
func (c *initComparison) compareStatic(plain, marked []byte) {
	want, got := c.statics(plain), c.statics(marked)
	c.result.Variables = len(want)
	for name, w := range want {
		g, ok := got[name]
		switch {
		case !ok:
			c.different("%s is not there", name)
		case name == ".inittask" && c.path == "main" && strings.Contains(w.content, c.path+".init"):
			// A main that initialises something has one more init function with free
			// marks.
		case g.content != w.content:
			c.different("%s is laid out as\n%sin the plain package\n%s", name, g.content, w.content)
		case g.code != w.code:
			c.different("%s: code initialises it: %v, in the plain package: %v", name, g.code, w.code)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			c.different("%s is not in the plain package", name)
		}
	}
}

var (
	symbolLine = regexp.MustCompile(`^(\S+) S([A-Z]+) `)
	relocation = regexp.MustCompile(`^\trel \d+\+\d+ t=\S+ (\S+?)[+<]`)
	temporary  = regexp.MustCompile(`(\.\.stmp_)\d+`)
	closureSum = regexp.MustCompile(`#[\w+/=]+#`) // from Go 1.27 on
	twinName   = regexp.MustCompile(TwinPrefix)   // in names of literals that twins return
)

// statics returns the variables of a package, and the record of its init functions if
// there are any.
func (c *initComparison) statics(assembly []byte) map[string]static {
	variables := map[string]static{}
	prefix := c.path + "."
	var code []string // what init refers to
	name, inInit := "", false
	for l := range bytes.Lines(assembly) {
		line := string(l)
		if line[0] != '\t' {
			name, inInit = "", false
			m := symbolLine.FindStringSubmatch(line)
			if m == nil || !strings.HasPrefix(m[1], prefix) {
				continue
			}
			short := m[1][len(prefix):]
			switch kind := m[2]; {
			case kind == "TEXT":
				// An init function that is empty remains as a symbol.
				inInit = short == "init" || strings.HasPrefix(short, "map.init.")
			case !strings.Contains(line, " dupok ") && strings.Contains(kind, "DATA") && kind != "RODATA" || strings.Contains(kind, "BSS"):
				if short == ".inittask" || !strings.HasPrefix(short, ".") && !strings.HasPrefix(short, NamePrefix) && !strings.HasPrefix(short, "goCover_") {
					name = short
					variables[name] = static{}
				}
			}
			continue
		}
		if m := relocation.FindStringSubmatch(line); m != nil && inInit {
			code = append(code, strings.TrimPrefix(m[1], prefix))
		}
		if name != "" {
			v := variables[name]
			line = closureSum.ReplaceAllString(temporary.ReplaceAllString(line, "$1"), "")
			v.content += twinName.ReplaceAllString(line, "")
			variables[name] = v
		}
	}
	for _, target := range code {
		if v, ok := variables[target]; ok {
			v.code = true
			variables[target] = v
		}
	}
	return variables
}
