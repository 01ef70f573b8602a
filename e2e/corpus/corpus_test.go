package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// quick are subjects that together take less than a minute of one core, even with
// an empty build cache. If -run does not name the test, it takes the first ones: a
// library that is built, and one whose tests look for what marks could leave running.
var quick = []string{"reflect2", "goleak", "lo", "logrus"}

const always = 2

func TestQuickSubjects(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and tests libraries twice")
	}
	names := quick
	if !program.Named(t) {
		names = quick[:always]
	}
	chosen, err := choose(names)
	if err != nil {
		t.Fatal(err)
	}
	wrapper, err := program.BuildWrapper(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range chosen {
		t.Run(s.name, func(t *testing.T) {
			if len(s.test) > 0 {
				// What go vet says is in e2e/matrix. Here it would look at the standard library twice.
				s.test = append([]string{"-vet=off"}, s.test...)
			}
			c, err := compare(context.Background(), s, wrapper, filepath.Join(t.TempDir(), s.name))
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("plain: %s; marked: %s", c.plain, c.marked)
			if len(c.once) > 0 {
				t.Logf("differed once, and not in %d more runs:\n%s", repeats, strings.Join(c.once, "\n"))
			}
			if len(c.differences) > 0 {
				t.Errorf("with and without scavenger-wrap differ:\n%s", strings.Join(c.differences, "\n"))
			}
		})
	}
}
