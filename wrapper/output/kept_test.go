package output

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// What is kept was not called all the same, and is not among what to delete either.
func TestMarkdownKept(t *testing.T) {
	r := changedReport()
	r.Functions = append(r.Functions, report.Function{Package: "example.com/p", Name: "Runs", File: "p.go", Line: 41, Lines: 2, Status: report.Called})
	doc := readMarkdown(t, r)
	for _, want := range []string{
		"Lines not called | Functions not called | Kept | Called | Not known | Package",
		"6 | 3 | 1 | 1 | 0 | <code>example.com/p</code>",
		"6 | 3 | 1 | 1 | 0 | <strong>total</strong>",
	} {
		if !slices.ContainsFunc(doc.cells, func(row []string) bool { return strings.Join(row, " | ") == want }) {
			t.Errorf("no row %q in\n%q", want, doc.cells)
		}
	}
}

// Who asks for a status gets all that have it, and reads which of them stay.
func TestTextKeptOfStatus(t *testing.T) {
	r := changedReport()
	if err := r.Select(report.Selection{Statuses: []report.Status{report.NeverCalled}}); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := AllText(&b, r); err != nil {
		t.Fatal(err)
	}
	const want = "p.go:11: never called: Kept, 2 lines, observed for less than a second, kept: x\n"
	if !strings.Contains(b.String(), want) {
		t.Errorf("no %q in\n%s", want, b.String())
	}
}
