// Package buildcost tests that what a marked build takes from the plain cache
// is what it would have compiled. It compiles the standard library several
// times, into build caches of its own.
package buildcost

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

var wrapperFile = flag.String("scavenger-wrap", "", "the scavenger-wrap to test; default: build it")

// badger has 92 packages that are not of the standard library, 9 of them with
// assembly.
const badger = "github.com/dgraph-io/badger/v4@v4.9.6"

func TestPlainCache(t *testing.T) {
	program.Heavy(t)
	b := newBuilds(t)
	t.Run("archives", b.archives)
	t.Run("scripts", b.scripts)
}

// archives compares all packages of the standard library, and those of a program
// with assembly and of one with cgo.
func (b *builds) archives(t *testing.T) {
	dir := t.TempDir()
	archive, err := txtar.ParseFile("testdata/cgo.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range archive.Files {
		name := filepath.Join(dir, file.Name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o777), os.WriteFile(name, file.Data, 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	// Std comes first: a file that is younger than a tenth of a second when a build
	// begins counts as changed, and by the next build those above are minutes old.
	p, err := program.Fetch(context.Background(), badger, filepath.Join(t.TempDir(), "badger"))
	if err != nil {
		t.Fatal(err)
	}
	b.compare(t, p.Dir, "std", "./badger")
	b.compare(t, dir, "./...")
	for _, args := range [][]string{
		{"-trimpath", "./lib"},
		{"-tags=netgo,osusergo", "./lib"},
		{"-buildmode=pie", "sync"},
		{"-gcflags=all=-N -l", "sync"},
		{"-gcflags=-l", "-gcflags=os/...=-N", "./lib"},
		{"-race", "./lib"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) { b.compare(t, dir, args...) })
	}
}

// A builds value holds two build caches.
type builds struct {
	wrapper         string
	taken, compiled string // GOCACHE with and without the plain cache
}

func newBuilds(t *testing.T) *builds {
	b := &builds{wrapper: *wrapperFile, taken: t.TempDir(), compiled: t.TempDir()}
	if b.wrapper == "" {
		var err error
		if b.wrapper, err = program.BuildWrapper(context.Background(), t.TempDir()); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// A built package holds what go list prints of it.
type built struct {
	ImportPath, Name, Export, BuildID string
}

// compare builds the packages in dir, of which none is marked, with the plain cache and
// without. With it, once there is a log and so main.main takes all archives, and once there
// is none, and wrapper/early takes those of the standard library.
func (b *builds) compare(t *testing.T, dir string, args ...string) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "log")
	taken := b.list(t, dir, args, "GOCACHE="+b.taken, "SCAVENGER_WRAP_LOG="+log)
	// Another setting makes the go command compile all again.
	early := b.list(t, dir, args, "GOCACHE="+b.taken, "SCAVENGER_EXCLUDE_BY_REGEX=early")
	compiled := b.list(t, dir, args, "GOCACHE="+b.compiled, "SCAVENGER_PLAIN_CACHE=off")
	sameArchives(t, taken, compiled)
	sameArchives(t, early, compiled)
	named := slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "-gcflags=-") })
	checkLog(t, log, compiled, named)
}

// sameArchives compares archives from the plain cache with compiled ones.
func sameArchives(t *testing.T, taken, compiled []built) {
	t.Helper()
	if len(taken) != len(compiled) {
		t.Fatalf("%d packages in one build, %d in the other", len(taken), len(compiled))
	}
	for i, p := range compiled {
		q := taken[i]
		if p.ImportPath != q.ImportPath {
			t.Fatalf("package %s in one build, %s in the other", q.ImportPath, p.ImportPath)
		}
		if p.Export != "" && !bytes.Equal(withoutBuildID(t, p), withoutBuildID(t, q)) {
			t.Errorf("%s: the archive from the plain cache differs from the compiled one", p.ImportPath)
		}
	}
}

// list builds packages and returns them. None of them is marked, as the pattern
// matches none.
func (b *builds) list(t *testing.T, dir string, args []string, env ...string) []built {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-toolexec=" + b.wrapper, "-export", "-deps", "-json=ImportPath,Name,Export,BuildID"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "SCAVENGER_PACKAGES=example.invalid"), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if text := withoutDownloads(stderr.String()); err != nil || text != "" {
		t.Fatalf("go list: %v\n%s", err, text)
	}
	var packages []built
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p built
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// withoutDownloads returns the go command's messages but for those about modules
// that were not in the module cache yet.
func withoutDownloads(stderr string) string {
	var kept strings.Builder
	for line := range strings.Lines(stderr) {
		if !strings.HasPrefix(line, "go: downloading ") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

func withoutBuildID(t *testing.T, p built) []byte {
	t.Helper()
	data, err := os.ReadFile(p.Export)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(data, []byte(p.BuildID)) {
		t.Fatalf("%s: the archive has no build ID", p.ImportPath)
	}
	return bytes.ReplaceAll(data, []byte(p.BuildID), nil)
}

// checkLog checks that only main packages were compiled and, if named is set, the
// package that a flag without a pattern is for.
func checkLog(t *testing.T, file string, packages []built, named bool) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	plain := 0
	for line := range strings.Lines(string(text)) {
		var l struct{ Outcome, Action, Package, Reason string }
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		main := slices.ContainsFunc(packages, func(p built) bool { return p.ImportPath == l.Package && p.Name == "main" })
		switch {
		case l.Action != "compile" || main:
		case l.Outcome == "plain":
			plain++
		case !named || l.Package != "example.com/app/lib":
			t.Errorf("%s was compiled: %s", l.Package, l.Reason)
		}
	}
	if plain == 0 {
		t.Error("no package was taken from the plain cache")
	}
}
