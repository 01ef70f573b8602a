package e2e

import (
	"fmt"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/naver/scavenger/scavenger-wrap/e2e/matrix"
	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// TestMatrix runs all rows of package matrix, when -run names it. Otherwise
// TestScripts and package matrix run the rows that compile no standard library of
// their own.
func TestMatrix(t *testing.T) {
	program.Heavy(t)
	r := matrix.Runner{Wrapper: built.File(t)}
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
	file, err := row.ScriptFile(".")
	if err != nil {
		t.Fatal(err)
	}
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
