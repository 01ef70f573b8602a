package output

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// Every format tells functions that count as called by evidence from others, and only then.
func TestPresumed(t *testing.T) {
	for format, test := range map[string]struct {
		write func(w io.Writer, r *report.Report) (note string, err error)
		want  string
	}{
		"text":         {without(Text), "have no mark, as evidence knows of\ntheir calls (a|b.json: 1, report.json: 1)"},
		"csv":          {without(CSV), ",report.json,\r\n"},
		"markdown":     {without(Markdown), "(<code>a&#124;b&#46;json</code>: 1, `report.json`: 1)"},
		"coverprofile": {CoverProfile, "Presumed: 2 functions"},
		"sarif": {func(w io.Writer, r *report.Report) (string, error) { return SARIF(w, r, "v1") },
			`"message":{"text":"Presumed: 2 functions`},
	} {
		for name, presumed := range map[string]bool{"presumed": true, "called": false} {
			var out bytes.Buffer
			note, err := test.write(&out, load(t, name))
			if err != nil {
				t.Fatal(err)
			}
			if text := out.String() + note; strings.Contains(text, test.want) != presumed {
				t.Errorf("%s of %s: want %q there: %v, have\n%s", format, name, test.want, presumed, text)
			}
		}
	}
	r := load(t, "presumed")
	r.Selection.Statuses = []report.Status{report.Called}
	var out bytes.Buffer
	if err := AllText(&out, r); err != nil {
		t.Fatal(err)
	}
	if want := "store.go:9: called: Open, last on 2026-01-03, presumed by report.json\n"; !strings.Contains(out.String(), want) {
		t.Errorf("want %q in\n%s", want, &out)
	}
}

// without makes a format one that has no note.
func without(write func(w io.Writer, r *report.Report) error) func(w io.Writer, r *report.Report) (string, error) {
	return func(w io.Writer, r *report.Report) (string, error) { return "", write(w, r) }
}
