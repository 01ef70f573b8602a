package matrix

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

var update = flag.Bool("update", false, "write docs/compatibility.md again")

// TestSettings runs the rows that compile the standard library anew.
func TestSettings(t *testing.T) {
	program.Heavy(t)
	wrapper, err := program.BuildWrapper(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range Rows {
		if row.Std {
			Runner{wrapper}.Run(t, row)
		}
	}
}

// TestBuilds runs the other rows that have arguments: those that run always, and, when
// -run names it, the rest. A row takes two to five seconds of CPU time.
func TestBuilds(t *testing.T) {
	wrapper, err := program.BuildWrapper(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range Rows {
		if len(row.Args) > 0 && !row.Std && (row.Always || program.Named(t)) {
			Runner{wrapper}.Run(t, row)
		}
	}
}

// TestDocument keeps docs/compatibility.md to the table.
func TestDocument(t *testing.T) {
	file := filepath.Join("..", "..", "docs", "compatibility.md")
	want := Markdown()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the table says; run this test with -update", file)
	}
}

// TestRows checks that the table is well-formed: each row has one way to be
// run, in a list that the document has, by a name of its own.
func TestRows(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range Rows {
		name := row.List + "/" + row.Name
		if seen[name] {
			t.Errorf("%s is there twice", name)
		}
		seen[name] = true
		if !slices.Contains(Lists, row.List) {
			t.Errorf("%s is in no list of the document", name)
		}
		ways := 0
		for _, given := range []bool{row.Script != "", row.Test != "", len(row.Args) > 0} {
			if given {
				ways++
			}
		}
		if row.Always && (len(row.Args) == 0 || row.Std) {
			t.Errorf("%s cannot run always: another test runs it, or none unless it is named", name)
		}
		if ways != 1 {
			t.Errorf("%s has %d of a script, a test and arguments, want one", name, ways)
		}
		if row.Script != "" {
			if _, err := row.ScriptFile(".."); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if row.Test != "" && !hasTest(t, row.Test) {
			t.Errorf("%s: there is no test %s", name, row.Test)
		}
	}
}

// hasTest reports whether a package of e2e's has a test: "buildcost.TestPlainCache".
func hasTest(t *testing.T, test string) bool {
	t.Helper()
	dir, name, _ := strings.Cut(test, ".")
	files, err := filepath.Glob(filepath.Join("..", dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(text), "\nfunc "+name+"(t *testing.T) {")
	})
}
