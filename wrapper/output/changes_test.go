package output

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// changedReport has something of all that may be asked of a report.
func changedReport() *report.Report {
	f := func(name string, line int) report.Function {
		return report.Function{Package: "example.com/p", Name: name, File: "p.go", Line: line, Lines: 2, Status: report.NeverCalled}
	}
	r := &report.Report{
		Functions: []report.Function{f("Dead", 1), f("Kept", 11), f("Expired", 21), f("Gone", 31)},
		Binaries:  []string{"app"},
		KeepRules: []report.KeepRule{{From: "keep.txt:1", Pattern: "example.com/p.Kept", Reason: "</script>", Functions: 1}},
		Baseline:  &report.Baseline{File: "old.json", To: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Gone: []report.Change{{Package: "example.com/p", Name: "Left", Was: report.Called}}},
	}
	r.Functions[1].Keep = &report.Keep{Reason: "x", From: "keep.txt:1"}
	r.Functions[2].Keep = &report.Keep{Reason: "x", From: "keep.txt:2", Expired: true}
	r.Functions[3].LinkedOut = true
	for i := range mostChanges + 5 {
		r.Baseline.NewlyDead = append(r.Baseline.NewlyDead, report.Change{Package: "example.com/p", Name: fmt.Sprintf("F%d", i), File: "p.go", Line: i, Is: report.NeverCalled})
	}
	return r
}

// What is kept is in no row, and keeps its package from being one. Of what is newly dead,
// the text has the first ones.
func TestTextOfChanges(t *testing.T) {
	for name, test := range map[string]struct {
		write func(io.Writer, *report.Report) error
		lines string
	}{
		"short": {Text, "p.go:1  Dead\np.go:21  Expired\np.go:31  Gone\n"},
		"all":   {AllText, "p.go:1: never called: Dead, 2 lines, observed for\np.go:21: never called: Expired\np.go:31: never called: Gone, 2 lines, not in the binary, observed\n"},
	} {
		var b bytes.Buffer
		if err := test.write(&b, changedReport()); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(test.lines + "Never called: 3 of 4 functions\nKept: 1 function of 2 lines never called\n" +
			"Not in the binary: 1 function of 2 lines\nSince old.json (up to 2026-01-01 00:00 UTC):\n       25  newly dead\n        1  gone\n" +
			"p.go:19: newly dead: F19, new\nand 5 more, which the JSON has\n") {
			if !strings.Contains(b.String(), strings.TrimSuffix(line, "\n")) {
				t.Errorf("%s: %q is not there:\n%s", name, line, b.String())
			}
		}
		for _, not := range []string{"Kept,", "package example.com/p", "F20"} {
			if strings.Contains(b.String(), not) {
				t.Errorf("%s: %q is there:\n%s", name, not, b.String())
			}
		}
	}
}

// The JSON stays JSON, and says what is not written anywhere else.
func TestJSONOfChanges(t *testing.T) {
	var b bytes.Buffer
	if err := JSON(&b, changedReport()); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Header   struct{ Binaries []string }
		Keep     []report.KeepRule
		Baseline struct {
			File                            string
			To                              time.Time
			Complete                        bool
			NewlyDead, CameAlive, New, Gone []report.Change
		}
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	base := &got.Baseline
	if len(got.Header.Binaries) != 1 || len(got.Keep) != 1 || got.Keep[0].Reason != "</script>" || base.File != "old.json" || base.To.Year() != 2026 || base.Complete ||
		len(base.NewlyDead) != 25 || base.CameAlive == nil || base.New == nil || len(base.Gone) != 1 || base.Gone[0].Was != report.Called {
		t.Errorf("the JSON says %+v:\n%s", got, b.String())
	}
	for n := range b.Len() {
		if err := JSON(&shortWriter{n}, changedReport()); !errors.Is(err, errFull) {
			t.Fatalf("JSON to %d bytes: %v, want %v", n, err, errFull)
		}
	}
}

// Markdown and SARIF are about what can be deleted, too.
func TestFormatsOfKept(t *testing.T) {
	for name, write := range map[string]func(w io.Writer, r *report.Report) error{
		"markdown": Markdown,
		"sarif": func(w io.Writer, r *report.Report) error {
			_, err := SARIF(w, r, "1")
			return err
		},
	} {
		var b bytes.Buffer
		if err := write(&b, changedReport()); err != nil {
			t.Fatal(err)
		}
		text := strings.Replace(b.String(), "| Kept |", "", 1) // a column with their number
		if !strings.Contains(text, "Expired") || strings.Contains(text, "Kept") {
			t.Errorf("%s has no Expired, or has Kept:\n%s", name, text)
		}
	}
}
