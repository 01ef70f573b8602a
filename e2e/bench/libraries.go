// The libraries whose benchmarks are run, and the ways in which they are built.

package main

import (
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// A library is a module and those of its benchmarks that are run.
type library struct {
	name, module string
	pkg          string // of the module, with the benchmarks
	extra        string // a file of testdata with more benchmarks, for what has none of its own
	benchmarks   []string
	parallel     []string // those that use RunParallel
}

var libraries = []library{
	{name: "gjson", module: "github.com/tidwall/gjson@v1.18.0", pkg: ".", extra: "gjson.txt",
		benchmarks: []string{"Valid", "BenchGet", "BenchForEach"}, parallel: []string{"BenchGetParallel", "BenchValidParallel"}},
	{name: "lua", module: "github.com/yuin/gopher-lua@v1.1.1", pkg: ".", extra: "lua.txt",
		benchmarks: []string{"BenchFib", "BenchTables", "BenchStrings", "CallFrameStackPushPopAutoGrow", "RegistryPushPopFixed"}},
	{name: "starlark", module: "go.starlark.net@v0.0.0-20250906160240-bf296ed553ea", pkg: "./starlark",
		benchmarks: []string{"Program", "StringHash", "Hashtable"}},
	{name: "goldmark", module: "github.com/yuin/goldmark@v1.7.13", pkg: ".", extra: "goldmark.txt",
		benchmarks: []string{"BenchConvert"}, parallel: []string{"BenchConvertParallel"}},
	{name: "chi", module: "github.com/go-chi/chi/v5@v5.5.0", pkg: ".", extra: "chi.txt",
		benchmarks: []string{"Mux", "TreeGet", "BenchHandler"}, parallel: []string{"BenchHandlerParallel"}},
	{name: "norm", module: "golang.org/x/text@v0.30.0", pkg: "./unicode/norm",
		benchmarks: []string{"QuickSpanChangeNFC", "AppendLargeNFC", "IterLargeNFC", "NormalizeAsciiNFC", "NormalizeHangulNFC2NFD", "ExtendedLatin", "Japanese"}},
	{name: "language", module: "golang.org/x/text@v0.30.0", pkg: "./language",
		benchmarks: []string{"Parse", "ParseError", "Match", "MatchAltScriptNotPresent"}},
	{name: "message", module: "golang.org/x/text@v0.30.0", pkg: "./message",
		benchmarks: []string{"ManyArgs", "FprintInt"}, parallel: []string{"SprintfInt", "SprintfString", "SprintfStructure"}},
	{name: "flate", module: "github.com/klauspost/compress@v1.20.3", pkg: "./flate",
		benchmarks: []string{"DecodeDigitsSpeed1e5", "DecodeTwainDefault1e5", "EncodeDigitsConstant1e5", "EncodeDigitsSpeed1e5", "EncodeTwainDefault1e5", "EncodeTwainCompress1e5"}},
	{name: "btree", module: "github.com/google/btree@v1.1.3", pkg: ".",
		benchmarks: []string{"InsertG", "SeekG", "GetG", "AscendG", "Insert", "Get", "Ascend", "DeleteInsertCloneOnce"}},
	{name: "toml", module: "github.com/BurntSushi/toml@v1.6.0", pkg: ".",
		benchmarks: []string{"Decode", "Encode", "Escapes"}},
	{name: "zapcore", module: "go.uber.org/zap@v1.28.0", pkg: "./zapcore",
		benchmarks: []string{"StandardJSON", "JSONLogMarshalerFunc"}, parallel: []string{"ZapJSON", "ZapConsole"}},
}

// A variant is one way of building.
type variant struct {
	name   string
	flags  func(wrapper, module string) []string
	slower int // about how many times slower it is, if more than 1
}

// plain comes first: the others are measured against it.
var variants = []variant{
	{name: "plain", flags: func(_, _ string) []string { return nil }},
	{name: "marked", flags: func(wrapper, _ string) []string { return []string{"-toolexec=" + wrapper} }},
	{name: "cover set", flags: func(_, module string) []string {
		return []string{"-cover", "-covermode=set", "-coverpkg=" + module + "/..."}
	}},
	{name: "cover atomic", slower: 4, flags: func(_, module string) []string {
		return []string{"-cover", "-covermode=atomic", "-coverpkg=" + module + "/..."}
	}},
}

//go:embed testdata/*.txt
var testdata embed.FS

// A workspace is the libraries, fetched to one place: to scavenger-wrap all of
// them are the program's own, so that the standard library is compiled once.
type workspace struct {
	dir     string // of go.work
	wrapper string
}

func newWorkspace(ctx context.Context, dir, wrapper string, libs []library) (*workspace, error) {
	work := "go 1.26\n"
	fetched := map[string]bool{}
	for _, lib := range libs {
		base := lib.base()
		if !fetched[base] {
			fetched[base] = true
			work += "use ./" + base + "\n"
			if _, err := program.Fetch(ctx, lib.module, filepath.Join(dir, base)); err != nil {
				return nil, err
			}
		}
		if lib.extra == "" {
			continue
		}
		text, err := testdata.ReadFile("testdata/" + lib.extra)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(dir, base, lib.pkg, "scavenger_bench_test.go"), text, 0o666); err != nil {
			return nil, err
		}
	}
	return &workspace{dir, wrapper}, os.WriteFile(filepath.Join(dir, "go.work"), []byte(work), 0o666)
}

// path returns the module path, base the directory that it is fetched to.
func (l library) path() string {
	p, _, _ := strings.Cut(l.module, "@")
	return p
}

func (l library) base() string { return strings.ReplaceAll(l.path(), "/", "_") }

// build builds the test binary of a library in one variant, unless it is there.
// In layout 0 the linker places functions as it always does, in the others at
// random.
func (b *workspace) build(ctx context.Context, lib library, v variant, layout int) (binary string, err error) {
	binary = filepath.Join(b.dir, fmt.Sprintf("%s.%s.%d%s", lib.name, strings.ReplaceAll(v.name, " ", "_"), layout, program.ExeSuffix()))
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	args := append([]string{"test", "-c", "-vet=off", "-o", binary}, v.flags(b.wrapper, lib.path())...)
	if layout > 0 {
		args = append(args, fmt.Sprintf("-ldflags=-randlayout=%d", layout))
	}
	_, err = b.goCommand(ctx, lib, append(args, lib.pkg)...)
	return binary, err
}

// goCommand runs the go command in the library's module and returns what it prints.
func (b *workspace) goCommand(ctx context.Context, lib library, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = filepath.Join(b.dir, lib.base())
	cmd.Env = append(os.Environ(), "GOWORK="+filepath.Join(b.dir, "go.work"), "GOFLAGS=-mod=readonly")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: go %s: %w\n%s", lib.name, strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// importPath returns the import path of the package with the benchmarks.
func (l library) importPath() string { return path.Join(l.path(), l.pkg) }
