package output

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

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

// The columns NEVER CALLED and LINES of the text count the same functions: not those that
// are kept, which have a column, and not those that were called long ago.
func TestTextKept(t *testing.T) {
	for name, kept := range map[string]bool{"kept": true, "nothing kept": false} {
		r := changedReport()
		r.Functions = append(r.Functions, report.Function{
			Package: "example.com/p", Name: "Runs", File: "p.go", Line: 41, Lines: 2, Status: report.Called, LastCalledAt: time.Unix(1, 0)})
		r.Selection.NotCalledSince = time.Unix(2, 0)
		want := [][]string{{"FUNCTIONS", "CALLED", "NEVER", "CALLED", "KEPT", "LINES"}, {"5", "1", "3", "1", "6", "0", "20.0", "total"}}
		if !kept {
			r.Functions[1].Keep = nil
			want = [][]string{{"FUNCTIONS", "CALLED", "NEVER", "CALLED", "LINES"}, {"5", "1", "4", "8", "0", "20.0", "total"}}
		}
		var b bytes.Buffer
		if err := Text(&b, r); err != nil {
			t.Fatal(err)
		}
		var got [][]string
		for line := range strings.Lines(b.String()) {
			if words := strings.Fields(line); strings.HasPrefix(line, "FUNCTIONS") || strings.HasSuffix(line, " total\n") {
				got = append(got, words)
			}
		}
		if len(got) != 2 || !slices.Equal(got[0][:len(want[0])], want[0]) || !slices.Equal(got[1], want[1]) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
