// What the tool IDs are made of.

package toolid

import (
	"go/build"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/config"
)

// The tool IDs are made of the directories of all packages that the actions import, and
// of no others. Who moves a function to another package, or adds an import, learns it
// here.
func TestSources(t *testing.T) {
	for _, test := range []struct {
		tool         string
		listed       []string
		actions, and []string
	}{
		// wrapper starts both, and hitrt is linked into programs.
		{"compile", compileSources, []string{"wrapper/compile"}, []string{"wrapper"}},
		{"link", slices.Concat(compileSources, linkSources),
			[]string{"wrapper/compile", "wrapper/link"}, []string{"wrapper", "hitrt", "hitrt/datafile"}},
	} {
		want := test.and
		for _, dir := range test.actions {
			want = withImports(t, want, dir)
		}
		slices.Sort(want)
		got := slices.Sorted(slices.Values(test.listed))
		if !slices.Equal(got, want) {
			t.Errorf("the ID of %s has the sources of %q, and its action is made of %q", test.tool, got, want)
		}
	}
}

// withImports adds a directory of the module, and those of all that it imports. It reads
// the files itself: the result of a test that asks go list stays in the cache when they
// change.
func withImports(t *testing.T, dirs []string, dir string) []string {
	t.Helper()
	if slices.Contains(dirs, dir) {
		return dirs
	}
	p, err := build.ImportDir(filepath.Join("..", "..", filepath.FromSlash(dir)), 0)
	if err != nil {
		t.Fatal(err)
	}
	dirs = append(dirs, dir)
	for _, path := range p.Imports {
		if ours, ok := strings.CutPrefix(path, "github.com/naver/scavenger/scavenger-wrap/"); ok {
			dirs = withImports(t, dirs, ours)
		}
	}
	return dirs
}

// A scavenger-wrap that was built with another Go has other tool IDs. Its parser may know
// more of the language: what could not be marked before must not come from the cache.
func TestBuiltWith(t *testing.T) {
	sources := os.DirFS(filepath.Join("..", ".."))
	for _, tool := range []string{"compile", "link"} {
		ids := map[string]bool{}
		for _, builtWith := range []string{"go1.26.8", "go1.27.0", "go1.27.0"} {
			id, err := idOf(tool, builtWith, sources, new(config.Config), nil)
			if err != nil {
				t.Fatal(err)
			}
			ids[id] = true
		}
		if len(ids) != 2 {
			t.Errorf("%d IDs of %s for two releases of Go", len(ids), tool)
		}
	}
}
