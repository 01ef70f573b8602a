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

// TestMatrix runs the rows of the table of package matrix. Asked for by name,
// it runs all; as part of everything it leaves out those that TestScripts and
// matrix.TestSettings run.
func TestMatrix(t *testing.T) {
	byName := strings.Contains(flag.Lookup("test.run").Value.String(), "Matrix")
	r := matrix.Runner{Wrapper: wrapperFile(t)}
	for _, row := range matrix.Rows {
		switch {
		case row.Test != "": // run by its package
		case row.Script != "":
			if byName {
				runRowScript(t, row)
			}
		case byName || !row.Std:
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
