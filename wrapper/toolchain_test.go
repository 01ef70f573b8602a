package wrapper

import (
	"bytes"
	"fmt"
	goversion "go/version"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/rewrite"
)

// toolchains are the releases that are supported, beside the one that runs the
// tests.
var toolchains = []string{"local", "go1.24.11", "go1.25.3", "go1.27.0"}

// A toolchain is one release of Go and a directory to use it in.
type toolchain struct {
	*testing.T
	name, dir string
}

// eachToolchain runs a test with each release. Those that cannot be downloaded
// are skipped.
func eachToolchain(t *testing.T, test func(toolchain)) {
	for _, name := range toolchains {
		t.Run(name, func(t *testing.T) {
			tc := toolchain{t, name, t.TempDir()}
			tc.write("go.mod", "module example.com/app\n\ngo 1.24\n")
			cmd := tc.command("go", "version")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Skipf("%s cannot be downloaded: %s", name, out)
			}
			test(tc)
		})
	}
}

func (tc toolchain) write(name, text string) string {
	tc.Helper()
	file := filepath.Join(tc.dir, name)
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		tc.Fatal(err)
	}
	return file
}

func (tc toolchain) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = tc.dir
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN="+tc.name, "GOENV=off", "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=1")
	return cmd
}

// run runs a go command and returns its standard output.
func (tc toolchain) run(args ...string) string {
	tc.Helper()
	cmd := tc.command("go", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		tc.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return strings.TrimSpace(string(out))
}

// compile compiles a package of one file that may import others by archive.
func (tc toolchain) compile(path, text string, imports map[string]string) (archive string) {
	tc.Helper()
	cfg := ""
	for p, a := range imports {
		cfg += "packagefile " + p + "=" + a + "\n"
	}
	base := strings.ReplaceAll(path, "/", "_")
	archive = filepath.Join(tc.dir, base+".a")
	tc.run("tool", "compile", "-p", path, "-pack", "-complete", "-o", archive, "-importcfg", tc.write(base+".cfg", cfg), tc.write(base+".go", text))
	return archive
}

// mark marks a file of package example.com/lib, and returns what compile is to be
// called with on top of its other flags.
func mark(tc toolchain, file, text string) (res *rewrite.Result, args []string) {
	tc.Helper()
	res, err := rewrite.Package(rewrite.Options{ImportPath: "example.com/lib", Free: true}, []rewrite.Source{{Name: file, Text: []byte(text)}})
	if err != nil {
		tc.Fatal(err)
	}
	return res, []string{"-coveragecfg=" + tc.write("coveragecfg", string(res.CoverageCfg)),
		tc.write("marked.go", string(res.Files[0])), tc.write("marks.go", string(res.Declarations))}
}

// The fingerprint stands where patchFingerprint writes it: it is the one that
// an importer records, and follows what the package exports.
func TestToolchainFingerprint(t *testing.T) {
	eachToolchain(t, func(tc toolchain) {
		lib := tc.compile("example.com/lib", "package lib\n\nvar V = f()\n\nfunc f() int { return 1 }\n", nil)
		user := tc.compile("example.com/user", "package user\n\nimport _ \"example.com/lib\"\n", map[string]string{"example.com/lib": lib})
		want, err := readFingerprint(lib)
		if err != nil {
			tc.Fatal(err)
		}
		if bytes.Equal(want, make([]byte, fingerprintSize)) {
			tc.Error("the fingerprint is 0")
		}
		text, err := os.ReadFile(user)
		if err != nil {
			tc.Fatal(err)
		}
		_, object, _ := bytes.Cut(text, []byte(objectMagic))
		if !bytes.Contains(object, want) {
			tc.Errorf("the importer has not recorded %x", want)
		}
		if err := patchFingerprint(lib, []byte("12345678")); err != nil {
			tc.Fatal(err)
		}
		if got, err := readFingerprint(lib); err != nil || string(got) != "12345678" {
			tc.Errorf("fingerprint after patchFingerprint is %q, %v", got, err)
		}
		other := tc.compile("example.com/lib", "package lib\n\nvar V, W = 1, 2\n", nil)
		if got, err := readFingerprint(other); err != nil || bytes.Equal(got, want) {
			tc.Errorf("another package of that path has fingerprint %x too, %v", got, err)
		}
	})
}

// Object files name the platform and the release.
func TestToolchainObjectHeader(t *testing.T) {
	eachToolchain(t, func(tc toolchain) {
		archive := tc.compile("example.com/lib", "package lib\n", nil)
		goos, goarch, err := objectTarget(archive)
		if err != nil {
			tc.Fatal(err)
		}
		release, err := objectVersion(archive)
		if err != nil {
			tc.Fatal(err)
		}
		got, want := goos+" "+goarch+" "+release, tc.run("env", "GOOS")+" "+tc.run("env", "GOARCH")+" "+tc.run("env", "GOVERSION")
		if got != want {
			tc.Errorf("the object is for %s, want %s", got, want)
		}
		if newerThanKnown(release) {
			tc.Errorf("%s counts as newer than what is known", release)
		}
		if id, err := contentID(archive); err != nil || id != "" {
			tc.Errorf("content ID %q, %v of an archive without build ID", id, err)
		}
	})
}

// The modinfo line of importcfg.link has what nestedFlags takes from it. -n
// shows it without building anything.
func TestToolchainModinfo(t *testing.T) {
	eachToolchain(t, func(tc toolchain) {
		tc.write("main.go", "package main\n\nfunc main() {}\n")
		for flags, want := range map[string][]debug.BuildSetting{
			"-race -tags=a,b -trimpath": {{Key: "-race", Value: "true"}, {Key: "-tags", Value: "a,b"}, {Key: "-trimpath", Value: "true"}, {Key: "CGO_ENABLED", Value: "1"}},
			"-asan -gcflags=all=-l":     {{Key: "-asan", Value: "true"}, {Key: "-gcflags", Value: "all=-l"}},
			"-msan -cover":              {{Key: "-msan", Value: "true"}, {Key: "-cover", Value: "true"}},
			"-pgo=x.pprof":              {{Key: "-pgo", Value: filepath.Join(tc.dir, "x.pprof")}},
		} {
			tc.write("x.pprof", "")
			cmd := tc.command("go", slices.Concat([]string{"build", "-n", "-o", os.DevNull}, strings.Fields(flags), []string{"."})...)
			cmd.Env = append(cmd.Env, "GOAMD64=v2")
			out, _ := cmd.CombinedOutput() // -asan and -msan fail where there is no C compiler for them
			_, text, ok := strings.Cut(string(out), "\nmodinfo ")
			if !ok {
				if strings.Contains(flags, "san") {
					continue
				}
				tc.Errorf("%s: no modinfo in\n%s", flags, out)
				continue
			}
			line, _, _ := strings.Cut(text, "\n")
			modinfo, err := parseImportcfg("modinfo " + line).modinfo()
			if err != nil {
				tc.Fatal(err)
			}
			info, err := debug.ParseBuildInfo(modinfo)
			if err != nil {
				tc.Fatal(err)
			}
			for _, s := range want {
				if !slices.Contains(info.Settings, s) {
					tc.Errorf("%s: no %s=%s in\n%s", flags, s.Key, s.Value, info)
				}
			}
			if tc.run("env", "GOARCH") == "amd64" && !slices.Contains(info.Settings, debug.BuildSetting{Key: "GOAMD64", Value: "v2"}) {
				tc.Errorf("no GOAMD64 in\n%s", info)
			}
		}
	})
}

// The registry's way to the end of the program, and the linker's indulgence
// towards our archive member and patched fingerprint are part of every script
// of e2e; here, that the package has the form that registrySource uses.
func TestToolchainExithook(t *testing.T) {
	eachToolchain(t, func(tc toolchain) {
		imports := map[string]string{}
		for line := range strings.Lines(tc.run("list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}", "internal/runtime/exithook")) {
			if p, archive, ok := strings.Cut(strings.TrimSpace(line), "="); ok && archive != "" {
				imports[p] = archive
			}
		}
		tc.compile("example.com/registry", "package registry\n\nimport \"internal/runtime/exithook\"\n\nfunc init() { exithook.Add(exithook.Hook{F: func() {}, RunOnFailure: true}) }\n", imports)
		if id, err := contentID(imports["internal/runtime/exithook"]); err != nil || len(id) < 10 {
			tc.Errorf("content ID %q, %v", id, err)
		}
	})
}

func TestToolchainToolVersion(t *testing.T) {
	eachToolchain(t, func(tc toolchain) {
		line := tc.run("tool", "compile", "-V=full")
		if !strings.HasPrefix(line, "compile version "+tc.run("env", "GOVERSION")) || strings.Contains(line, "buildID=") {
			tc.Errorf("compile -V=full prints %q, not the form of a release", line)
		}
	})
}

func TestNewerThanKnown(t *testing.T) {
	for release, want := range map[string]bool{
		"go1.24.11": false, "go1.26.8": false, newestKnown: false, newestKnown + ".3": false, newestKnown + "rc1": false,
		"go1.99": true, "go1.99rc1": true, "go2.0": true, "": true, "devel": true,
	} {
		if got := newerThanKnown(release); got != want {
			t.Errorf("newerThanKnown(%q) = %t, want %t", release, got, want)
		}
	}
	if !goversion.IsValid(newestKnown) {
		t.Errorf("%s is not a version", newestKnown)
	}
}

// The compiler takes free marks for coverage counters: they cost the inliner
// nothing, are inlined themselves, and initialise nothing.
func TestToolchainFreeMarks(t *testing.T) {
	const text = `package lib

type T struct{ n int }

func (t *T) Get() int { return t.n }

func Add(a, b int) int { return a + b }

func Sum(list []int) (n int) {
	for _, v := range list {
		n = Add(n, v)
	}
	return n
}

func Limit(a, b, c, d int) int {
	if a > b { a *= b }
	if b > c { b *= c }
	if c > d { c *= d }
	if d > a { d *= a }
	if a > c { a *= d }
	return a + b*c*d
}

func Call(f func(int) int) int { return f(1) + f(2) }

func First[E any](list []E) E { return list[0] }

//go:noinline
func Use() int { return First([]int{1}) }
`
	costs := func(output string) map[string]string {
		found := map[string]string{}
		for _, m := range regexp.MustCompile(`can inline (\S+) with cost (\d+)`).FindAllStringSubmatch(output, -1) {
			found[m[1]] = m[2]
		}
		return found
	}
	eachToolchain(t, func(tc toolchain) {
		file := tc.write("lib.go", text)
		res, marked := mark(tc, file, text)
		compile := func(args ...string) string {
			args = append([]string{"tool", "compile", "-p", "example.com/lib", "-m=2", "-o", filepath.Join(tc.dir, "lib.a")}, args...)
			out, err := tc.command("go", args...).CombinedOutput()
			if err != nil {
				tc.Fatalf("%v\n%s", err, out)
			}
			return string(out)
		}
		want := costs(compile(file))
		if len(want) != 7 {
			tc.Fatalf("can inline %v", want)
		}
		for name, cost := range want {
			if strings.Contains(name, "[") { // an instance: it costs as much as in another package
				n, err := strconv.Atoi(cost)
				if err != nil {
					tc.Fatal(err)
				}
				want[name] = strconv.Itoa(n + 3)
			}
		}
		output := compile(marked...)
		if !strings.Contains(output, "inlining call to "+res.Symbol+"_hit") {
			tc.Error("the function that sets a mark is not inlined")
		}
		got := costs(output)
		delete(got, res.Symbol+"_hit")
		delete(got, res.Symbol+"_generic")
		if !maps.Equal(got, want) {
			tc.Errorf("with free marks functions cost %v, without %v", got, want)
		}
		if strings.Contains(tc.run("tool", "nm", filepath.Join(tc.dir, "lib.a")), "inittask") {
			tc.Error("free marks initialise something")
		}
	})
}

// A mark is a comparison and a branch, also in a function that has no code which
// could stand for the call that the mark was.
func TestToolchainMarkedCode(t *testing.T) {
	const text = `package lib

func Low(n uint32) uint8 { return uint8(n) }

func Sum(list []uint32) (n int) {
	for _, v := range list {
		n += int(Low(v))
	}
	return n
}
`
	eachToolchain(t, func(tc toolchain) {
		res, marked := mark(tc, tc.write("lib.go", text), text)
		args := append([]string{"tool", "compile", "-p", "example.com/lib", "-S", "-o", filepath.Join(tc.dir, "lib.a")}, marked...)
		cmd := tc.command("go", args...)
		cmd.Env = append(cmd.Env, "GOARCH=amd64")
		out, err := cmd.CombinedOutput()
		if err != nil {
			tc.Fatalf("%v\n%s", err, out)
		}
		_, code, _ := strings.Cut(string(out), "example.com/lib.Sum STEXT")
		code, _, _ = strings.Cut(code, " STEXT")
		if n := strings.Count(code, "CMPB\texample.com/lib."+res.Symbol+"+"); n != 2 {
			tc.Errorf("%d comparisons for 2 marks in\n%s", n, code)
		}
		if strings.Contains(code, "XCHGL\tAX, AX") {
			tc.Errorf("an instruction that does nothing in\n%s", code)
		}
	})
}

// The export data of main's imports tell whether runtime/coverage is in the
// program, also when it is none of them that imports it.
func TestToolchainMayHold(t *testing.T) {
	eachToolchain(t, func(tc toolchain) {
		coverage := tc.compile("runtime/coverage", "package coverage\n\nfunc WriteMeta() {}\n", nil)
		imports := map[string]string{"runtime/coverage": coverage}
		for i, text := range []string{
			"package a\n\nimport \"runtime/coverage\"\n\nfunc F() { coverage.WriteMeta() }\n",
			"package b\n\nimport \"example.com/a0\"\n\ntype t int\n\n//go:noinline\nfunc (t) f() { a.F() }\n",
			"package c\n\nimport _ \"example.com/a1\"\n",
		} {
			path := fmt.Sprint("example.com/a", i)
			imports[path] = tc.compile(path, text, imports)
		}
		for literal, want := range map[string]bool{"runtime/coverage": true, "example.com/a1": true, "runtime/debug": false} {
			c := &compilation{flags: []string{"-importcfg", tc.write("main.cfg", "packagefile example.com/a2="+imports["example.com/a2"]+"\n")}}
			if got, err := c.mayHold(literal); err != nil || got != want {
				tc.Errorf("mayHold(%q) = %t, %v, want %t", literal, got, err, want)
			}
		}
	})
}
