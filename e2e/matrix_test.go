package e2e

import (
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/naver/scavenger/scavenger-wrap/e2e/matrix"
)

// TestMatrix runs all rows of the table of package matrix when asked for by name.
// As part of everything they are run by TestScripts and by package matrix, which
// has ten minutes of its own.
func TestMatrix(t *testing.T) {
	if !strings.Contains(flag.Lookup("test.run").Value.String(), "Matrix") {
		t.Skip("run by TestScripts and by the tests of matrix")
	}
	r := matrix.Runner{Wrapper: wrapperFile(t)}
	for _, row := range matrix.Rows {
		switch {
		case row.Test != "": // run by its package
		case row.Script != "":
			runRowScript(t, row)
		default:
			r.Run(t, row)
		}
	}
}

func runRowScript(t *testing.T, row matrix.Row) {
	file := filepath.Join("testdata", "script", row.Script+".txtar")
	t.Run(row.List+"/"+row.Name, func(t *testing.T) {
		result := "works"
		// In a group, as the script is a parallel subtest.
		t.Run("script", func(t *testing.T) { testscript.Run(t, scriptParams(testscript.Params{Files: []string{file}})) })
		if t.Failed() {
			result = "FAILS"
		}
		fmt.Printf("%-24s %-42s %s\n", row.List, row.Name, result)
	})
}
