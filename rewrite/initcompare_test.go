// How the comparison of TestInitialisation works: it compiles a package as it came and
// marked, and compares the order of initialisers and the symbols of variables.

package rewrite

import (
	"bytes"
	"encoding/json"
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
)

// An initComparison compares one package with its marked version.
type initComparison struct {
	dir    string
	args   []string // the command line of the compile action
	path   string   // -p
	result initialisation
}

// compare compares the package of the compile action with the package that opts mark.
func (c *initComparison) compare(opts Options) error {
	first := len(c.args)
	for first > 0 && strings.HasSuffix(c.args[first-1], ".go") {
		first--
	}
	flags := c.args[1:first]
	sources, err := readSources(c.args[first:])
	if err != nil {
		return err
	}
	opts.ImportPath, opts.Dir, opts.Main, opts.Arch = c.path, c.path, c.path == "main", runtime.GOARCH
	if cfg := flagOf(flags, "-coveragecfg"); cfg != "" {
		if opts.CounterPrefix, err = readCounterPrefix(cfg); err != nil {
			return err
		}
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

func readSources(names []string) (sources []Source, err error) {
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if name, err = filepath.Abs(name); err != nil {
			return nil, err
		}
		sources = append(sources, Source{name, text})
	}
	return sources, nil
}

// readCounterPrefix returns the prefix of counters in a file for -coveragecfg.
func readCounterPrefix(name string) (string, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	var fixup struct{ CounterPrefix string }
	err = json.Unmarshal(text, &fixup)
	return fixup.CounterPrefix, err
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

// initOrder returns the initialisers of a package in their order.
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

// A static says what the compiler made of a package-level variable.
type static struct {
	content string // the data that is laid out, with references
	code    bool   // the package's init function refers to the variable
}

// compareStatic compares package-level variables in the output of -S.
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
)

// statics returns the variables of a package, and the record of its init functions if it
// has any.
func (c *initComparison) statics(assembly []byte) map[string]static {
	variables := map[string]static{}
	prefix := c.path + "."
	var code []string // the symbols that init refers to
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
				// The symbol of an empty init function is kept.
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
			v.content += line
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
