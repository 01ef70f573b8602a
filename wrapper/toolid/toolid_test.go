// What the tool IDs are made of.

package toolid

import (
	"go/build"
	"path/filepath"
	"slices"
	"strings"
	"testing"
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
