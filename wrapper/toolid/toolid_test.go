// What the tool IDs are made of.

package toolid

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The tool IDs have the directories of all packages that the actions import, and
// no other ones: whoever moves a function to another package, or adds an import, is
// told here.
func TestSources(t *testing.T) {
	const module = "github.com/naver/scavenger/scavenger-wrap/"
	for _, test := range []struct {
		tool         string
		listed       []string
		actions, and []string
	}{
		{"compile", compileSources, []string{"wrapper/compile"}, []string{"wrapper"}}, // which starts it
		{"link", slices.Concat(compileSources, linkSources),
			[]string{"wrapper/compile", "wrapper/link"}, []string{"wrapper", "hitrt"}}, // which is linked into programs
	} {
		args := []string{"list", "-deps"}
		for _, dir := range test.actions {
			args = append(args, module+dir)
		}
		out, err := exec.Command("go", args...).Output()
		if err != nil {
			t.Fatal(err)
		}
		want := test.and
		for line := range strings.Lines(string(out)) {
			if dir, ok := strings.CutPrefix(strings.TrimSpace(line), module); ok {
				want = append(want, dir)
			}
		}
		slices.Sort(want)
		got := slices.Sorted(slices.Values(test.listed))
		if !slices.Equal(got, want) {
			t.Errorf("the ID of %s has the sources of %q, and its action is made of %q", test.tool, got, want)
		}
	}
}
