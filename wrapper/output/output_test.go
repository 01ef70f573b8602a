// Tests of the outputs, against testdata/: the JSON there is what the report is read from.
// The tests of wrapper/report compare it with what data files give, and rewrite it with
// -update.

package output

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// reasons are why functions of the test reports cannot be observed: JSON does not say it.
var reasons = map[string]string{"add": "no body", "sum": "no body", "fastpath": "nosplit", "slowpath": "nosplit"}

// load returns a report that is in testdata as JSON.
func load(t testing.TB, name string) *report.Report {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var in struct {
		SchemaVersion int
		Header        header
		Programs      []report.Program
		Functions     []report.Function
		Complete      bool
		Processes     report.Processes
		Problems      []struct {
			File string
			Kind report.Kind
			Text string
		}
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		t.Fatal(err)
	}
	r := &report.Report{
		Functions: in.Functions, Removed: make([]report.Function, in.Header.RemovedFunctions), Programs: in.Programs,
		Unseen: in.Header.UnobservedBuilds, Observed: in.Header.Observed, Processes: in.Processes,
	}
	if in.Header.Filter != nil {
		r.Filter = *in.Header.Filter
	}
	for i := range r.Functions {
		f := &r.Functions[i]
		if f.Status == report.NotObservable {
			f.Reason = reasons[f.Name]
		}
		f.Mute = f.Status == report.Unknown && in.Processes.Mute > 0
	}
	for _, p := range r.Programs {
		if p.Processes == in.Processes.Mute {
			r.Mute = append(r.Mute, p)
		}
	}
	for _, p := range in.Problems {
		r.Problems = append(r.Problems, report.Problem{File: p.File, Kind: p.Kind, Err: errors.New(p.Text)})
	}
	return r
}

// formats are what testdata has, by file name extension.
var formats = map[string]func(io.Writer, *report.Report) error{".json": JSON, ".txt": Text, ".all.txt": AllText}

// What is read from the JSON is written as it was, and the text is the one in testdata.
func TestGolden(t *testing.T) {
	list, err := filepath.Glob("testdata/*.json")
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	for _, path := range list {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		r := load(t, name)
		for ext, write := range formats {
			path := filepath.Join("testdata", name+ext)
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if err := write(&got, r); err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("%s differs; got\n%s\nwant\n%s", path, got.String(), want)
			}
		}
	}
}

// The JSON is what other programs rely on: names, presence and types of fields.
func TestJSON(t *testing.T) {
	var out bytes.Buffer
	if err := JSON(&out, load(t, "shop")); err != nil {
		t.Fatal(err)
	}
	var report struct {
		SchemaVersion int
		Header        map[string]any
		Programs      []map[string]any
		Functions     []map[string]any
		Complete      bool
		Processes     map[string]int
		Problems      []map[string]string
	}
	dec := json.NewDecoder(&out)
	dec.DisallowUnknownFields()
	text := out.String()
	if err := dec.Decode(&report); err != nil {
		t.Fatal(err)
	}
	if len(report.Functions) != 15 || !report.Complete || report.Problems == nil || len(report.Problems) > 0 {
		t.Fatalf("the report has %d functions and %v, and is complete: %v; want 15, no problems, true", len(report.Functions), report.Problems, report.Complete)
	}
	want := map[string]int{"total": 4, "running": 0, "recovered": 0, "lossy": 0, "keptOnceASecond": 0, "mute": 0}
	if !maps.Equal(report.Processes, want) {
		t.Errorf("processes %v, want %v", report.Processes, want)
	}
	fields := []string{"applications", "builds", "environments", "from", "hosts", "observedFor", "processes", "removedFunctions", "to", "unobservedBuilds"}
	if got := slices.Sorted(maps.Keys(report.Header)); report.SchemaVersion != 1 || !slices.Equal(got, fields) {
		t.Errorf("schema %d, and the header has the fields %v, want %v", report.SchemaVersion, got, fields)
	}
	var places []string
	for _, f := range report.Functions {
		want := []string{"applications", "environments", "file", "hosts", "line", "name", "observedFor", "package", "processes", "signature", "status"}
		for _, optional := range []string{"receiver", "lines", "module"} {
			if f[optional] != nil {
				want = append(want, optional)
			}
		}
		if f["status"] == "not-observable" {
			want = append(want, "reason")
		} else {
			want = append(want, "observedSince")
		}
		if f["status"] == "called" {
			want = append(want, "lastCalledAt", "calledIn")
			if _, err := time.Parse(time.RFC3339, f["lastCalledAt"].(string)); err != nil {
				t.Error(err)
			}
		}
		slices.Sort(want)
		if got := slices.Sorted(maps.Keys(f)); !slices.Equal(got, want) {
			t.Errorf("%v has the fields %v, want %v", f["name"], got, want)
		}
		places = append(places, fmt.Sprintf("%s\x00%s\x00%08.0f", f["package"], f["file"], f["line"]))
	}
	if !slices.IsSorted(places) {
		t.Errorf("functions are not sorted by package, file, line: %q", places)
	}
	if lines := strings.Count(text, "\n"); lines != 15+2+9 {
		t.Errorf("%d lines for 15 functions and 2 programs, want one each and nine around them", lines)
	}
}

func TestPercent(t *testing.T) {
	for _, tt := range []struct {
		called, never int
		want          string
	}{
		{0, 0, "-"}, {0, 5, "0.0"}, {5, 0, "100.0"}, {1, 2, "33.3"}, {2, 1, "66.6"},
		{1, 99999, "0.1"}, {99999, 1, "99.9"},
	} {
		tl := tally{called: tt.called, never: tt.never, hidden: 7}
		if got := tl.percent(); got != tt.want {
			t.Errorf("percent of %d called and %d not = %q, want %q", tt.called, tt.never, got, tt.want)
		}
	}
}

func TestLength(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                       "0 seconds",
		1500 * time.Millisecond: "1 second",
		119 * time.Second:       "119 seconds",
		2 * time.Minute:         "2 minutes",
		47 * time.Hour:          "47 hours",
		30 * 24 * time.Hour:     "30 days",
	} {
		if got := length(d); got != want {
			t.Errorf("length(%v) = %q, want %q", d, got, want)
		}
	}
	for n, want := range map[int64]string{0: "< 1 second", 1: "1 second", 86400: "24 hours"} {
		if got := shortly(n); got != want {
			t.Errorf("shortly(%d) = %q, want %q", n, got, want)
		}
	}
}

// shortWriter takes n bytes, then its disk is full.
type shortWriter struct{ n int }

var errFull = errors.New("disk full")

func (w *shortWriter) Write(p []byte) (int, error) {
	if len(p) > w.n {
		n := w.n
		w.n = 0
		return n, errFull
	}
	w.n -= len(p)
	return len(p), nil
}

// A report that could not be written in full is an error, wherever it stops.
func TestWriteError(t *testing.T) {
	r := load(t, "shop")
	for ext, write := range formats {
		var whole bytes.Buffer
		if err := write(&whole, r); err != nil {
			t.Fatal(err)
		}
		for n := range whole.Len() {
			if err := write(&shortWriter{n}, r); !errors.Is(err, errFull) {
				t.Fatalf("%s to %d bytes: %v, want %v", ext, n, err, errFull)
			}
		}
	}
}

// Old codebases say nothing of lines, and a literal's lines are its function's.
func TestDeadLines(t *testing.T) {
	f := func(file string, line, lines int, status report.Status) report.Function {
		return report.Function{File: file, Line: line, Lines: lines, Status: status}
	}
	got := text{Report: new(report.Report)}.count([]report.Function{
		f("a.go", 1, 10, report.NeverCalled), f("a.go", 3, 2, report.NeverCalled), f("a.go", 11, 5, report.NeverCalled),
		f("a.go", 20, 9, report.Called), f("a.go", 22, 3, report.NeverCalled), f("b.go", 4, 2, report.NeverCalled), f("b.go", 9, 0, report.NeverCalled),
	})
	if got.lines != 10+5+3+2 {
		t.Errorf("%d lines, want 20", got.lines)
	}
}
