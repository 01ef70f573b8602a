// The standard library as input.

package rewrite

import (
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// stdPackages returns the files of each directory below GOROOT/src/root, except tests and
// testdata.
func stdPackages(t testing.TB, root string) map[string][]Source {
	t.Helper()
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	src := filepath.Join(strings.TrimSpace(string(goroot)), "src")
	packages := make(map[string][]Source)
	err = filepath.WalkDir(filepath.Join(src, root), func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "testdata":
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(name)
		dir, _ := filepath.Rel(src, filepath.Dir(name))
		packages[dir] = append(packages[dir], Source{Name: name, Text: text})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(packages) == 0 {
		t.Fatalf("no packages below %s", root)
	}
	return packages
}

func TestStandardLibrary(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	checkStandardLibrary(t, 8, 2000)
}

// TestHeavyStandardLibrary does so for all of it.
func TestHeavyStandardLibrary(t *testing.T) {
	program.Heavy(t)
	checkStandardLibrary(t, 1, 10_000)
}

// checkStandardLibrary checks one package out of every few, which have at least that many
// functions.
func checkStandardLibrary(t *testing.T, every, least int) {
	t.Helper()
	functions, packages := 0, stdPackages(t, ".")
	for i, dir := range slices.Sorted(maps.Keys(packages)) {
		if i%every > 0 {
			continue
		}
		sources := packages[dir]
		opts := Options{ImportPath: filepath.ToSlash(dir), Dir: filepath.ToSlash(dir), Sanitizer: len(dir)%2 == 0, Free: len(dir)%4 < 2, Columns: len(dir)%8 < 4}
		p, err := markPackage(opts, sources) // a panic shows where a bug is
		if err != nil {
			t.Errorf("%s: %v", dir, err)
			continue
		}
		checkResult(t, opts, sources, p.result)
		functions += len(p.result.Functions)
	}
	if functions < least {
		t.Errorf("%d functions in the standard library", functions)
	}
}

func BenchmarkPackage(b *testing.B) {
	packages := stdPackages(b, "go")
	size := 0
	for _, sources := range packages {
		for _, source := range sources {
			size += len(source.Text)
		}
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for dir, sources := range packages {
			if _, err := Package(Options{ImportPath: dir, Dir: dir}, sources); err != nil {
				b.Fatal(err)
			}
		}
	}
}
