package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// Two runs print the same in each format, and the formats have each group.
func TestOutput(t *testing.T) {
	dir := extract(t, "groups.txtar")
	r, _ := annotated(t, dir)
	formats := map[string]struct {
		write func(*Plan, io.Writer) error
		want  []string
	}{
		"text": {(*Plan).WriteText, []string{
			"\nUnreachable: 9 functions, 9 lines.", "\nEntries: ", "\nFalls with several entries: 1 function, 1 line.\n", "  (3 entries)\n",
			"\nMust stay: ", "(not in the report)\n", "entries; --all has them\n", "\n         main.go:N  called in app.init\n",
		}},
		"all": {(*Plan).WriteAll, []string{
			"main.go:N: app.branch: never called; with it 3 functions and 6 lines fall\n", "main.go:N: app.main calls app.branch\n",
			"app.deadLeft: unreachable (not in the report)\n", "app.deep: falls with app.branch\n", "app.both: falls with app.branch, app.shared1, app.shared2\n",
			"app.hidden calls app.belowHidden (not-observable)\n", "app.inUncalled: unreachable\n", "never called, must stay: ",
		}},
		"markdown": {func(p *Plan, w io.Writer) error { return p.WriteMarkdown(w, true) }, []string{
			"| unreachable | 9 | 9 |", "| 6 | 3 | `app.branch` | `main.go:N` | `main.go:N` |\n", "| `text.y:3` | `text.y:7` |\n",
		}},
		"json": {func(p *Plan, w io.Writer) error { return WriteJSON(w, p) }, []string{`"schemaVersion": 1,`}},
	}
	var texts [2]map[string]string
	for i := range texts {
		texts[i] = map[string]string{}
		p := makePlan(t, Options{Dir: dir, Patterns: []string{"."}}, r)
		for name, f := range formats {
			var b strings.Builder
			if err := f.write(p, &b); err != nil {
				t.Fatal(err)
			}
			texts[i][name] = b.String()
		}
	}
	for name, f := range formats {
		if texts[0][name] != texts[1][name] {
			t.Errorf("%s: two runs differ", name)
		}
		lines := regexp.MustCompile(`main\.go:\d+`)
		for _, want := range f.want {
			if !strings.Contains(lines.ReplaceAllString(texts[0][name], "main.go:N"), want) {
				t.Errorf("%s: no %q in\n%s", name, want, texts[0][name])
			}
		}
	}
	message := regexp.MustCompile(`^[^:\s]+:\d+: \S`)
	for line := range strings.Lines(texts[0]["all"]) {
		if !message.MatchString(line) {
			t.Errorf("--all: %q is no message", line)
		}
	}
	var back Plan
	if err := json.Unmarshal([]byte(texts[0]["json"]), &back); err != nil || back.SchemaVersion != SchemaVersion || len(back.Entries) == 0 {
		t.Errorf("%v, %+v", err, back)
	}
}

// The plan says how long processes ran, which the days of the first and the last do not:
// two runs of a second may be weeks apart.
func TestProof(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 11, n, 9, 0, 0, 0, time.UTC) }
	p := &Plan{Programs: []string{"example.com/a"}, Observed: Observed{Complete: true, Processes: 2, From: day(1), To: day(28), ObservedFor: 2}}
	const want = "from 2026-11-01 09:00 to 2026-11-28 09:00 UTC.\nObserved for 2 seconds: less than a week of running proves little.\n"
	var text, markdown strings.Builder
	if err := errors.Join(p.WriteText(&text), p.WriteMarkdown(&markdown, false)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), want) {
		t.Errorf("no %q in\n%s", want, &text)
	}
	if want := "\n\n**Observed for 2 seconds: less than a week"; !strings.Contains(markdown.String(), want) {
		t.Errorf("no %q in\n%s", want, &markdown)
	}
	text.Reset()
	p.Observed.ObservedFor = 12 * 24 * 3600
	if err := p.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if want := "\nObserved for 12 days, and never on the last day of a month: nobody knows what\nruns then.\n"; !strings.Contains(text.String(), want) {
		t.Errorf("no %q in\n%s", want, &text)
	}
}

// Programs that left no data are named: what they alone call looks dead in the others'.
func TestUnobserved(t *testing.T) {
	src := &program{mains: []string{"example.com/a/cmd/cli", "example.com/a/cmd/server", "example.com/a/cmd/worker", "example.com/a/e2e"}}
	r := &report.Report{Programs: []report.Program{{Main: "example.com/a/cmd/server"}, {Main: "example.com/a/cmd/worker"}}}
	p := &Plan{Programs: src.mains, Observed: Observed{Complete: true}, Difference: src.difference(r)}
	var text, markdown strings.Builder
	if err := errors.Join(p.WriteText(&text), p.WriteMarkdown(&markdown, false)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"WARNING: 2 programs of the plan left no data here, such as\nexample.com/a/cmd/cli.\nWhat they may call is in no group until they leave some.\n",
		"\nPlan for example.com/a/cmd/cli, example.com/a/cmd/server,\nexample.com/a/cmd/worker and 1 other program on ",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, &text)
		}
	}
	if want := "> 2 programs left no data here, such as `example.com/a/cmd/cli`. What they may call is in no group"; !strings.Contains(markdown.String(), want) {
		t.Errorf("no %q in\n%s", want, &markdown)
	}
	r.Programs = append(r.Programs, report.Program{Main: "example.com/a/cmd/cli"})
	p.Difference = src.difference(r)
	text.Reset()
	if err := p.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if want := "WARNING: 1 program of the plan left no data here, such as\nexample.com/a/e2e.\nWhat it may call is in no group until it leaves some.\n"; !strings.Contains(text.String(), want) {
		t.Errorf("no %q in\n%s", want, &text)
	}
	for _, known := range []string{"example.com/a/e2e", ""} {
		r.Programs = append(r.Programs, report.Program{Main: known})
	}
	if d := src.difference(r); len(d.Unobserved) > 0 {
		t.Errorf("no data have %q", d.Unobserved)
	}
}

// A plan of a large program fits on a screen, and names stay what they are.
func TestLargeOutput(t *testing.T) {
	p := &Plan{Programs: []string{"example.com/a"}, GOOS: "linux", GOARCH: "amd64", Observed: Observed{Complete: true, Processes: 2}}
	p.Difference = Difference{Missing: []string{"example.com/a.F"}, Moved: 12345, Packages: []string{"example.com/other"}}
	for i := range 3000 {
		f := Function{Package: "example.com/some/where/pkg", Receiver: "*Server", Name: fmt.Sprintf("handleRequest%d", i), File: fmt.Sprintf("some/where/pkg/file%d.go", i%50), Line: i + 1, Lines: i%7 + 1, Status: report.NeverCalled}
		s := Site{File: "some/where/pkg/server.go", Line: 1000 + i, Kind: Call, Caller: "example.com/some/where/pkg.(*Server).dispatchRequests", Status: report.NotObservable}
		p.Unreachable = append(p.Unreachable, Dead{Function: f})
		p.Entries = append(p.Entries, Entry{Function: f, Sites: []Site{s, s, s, s, s}, FallsFunctions: 3, FallsLines: 10})
		p.Shared = append(p.Shared, Shared{f, []string{"a", "b"}})
		p.MustStay = append(p.MustStay, Kept{f, "its type becomes io.Reader", &s})
	}
	p.Entries[0].Name, p.Entries[0].File = "a|b`c", "two\nlines.go"
	var text, all, markdown bytes.Buffer
	for _, err := range []error{p.WriteText(&text), p.WriteAll(&all), p.WriteMarkdown(&markdown, false)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(text.String(), "\n"); n > 300 {
		t.Errorf("%d lines of text, want 300 at most", n)
	}
	for line := range strings.Lines(text.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	if n := strings.Count(all.String(), "\n"); n < 4*3000 {
		t.Errorf("%d lines with --all", n)
	}
	columns := strings.NewReplacer(`\|`, "")
	for line := range strings.Lines(markdown.String()) {
		if n := strings.Count(columns.Replace(line), "|"); n != 0 && n != 5 && n != 6 {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	if n := strings.Count(markdown.String(), "\n"); n > 50 || !strings.Contains(markdown.String(), "\nand 2980 entries.\n") {
		t.Errorf("%d lines of Markdown:\n%s", n, &markdown)
	}
	if want := "`` pkg.(*Server).a\\|b`c ``"; !strings.Contains(markdown.String(), want) {
		t.Errorf("no %s in\n%s", want, &markdown)
	}
}

// Where data are missing, each text for people says so before all else.
func TestIncomplete(t *testing.T) {
	for name, write := range map[string]func(*Plan, io.Writer) error{
		"text": (*Plan).WriteText, "all": (*Plan).WriteAll, "markdown": func(p *Plan, w io.Writer) error { return p.WriteMarkdown(w, false) },
	} {
		for _, complete := range []bool{false, true} {
			var b strings.Builder
			if err := write(&Plan{Observed: Observed{Complete: complete}}, &b); err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(b.String(), "some of these functions may have been called"); got == complete {
				t.Errorf("%s, complete %v:\n%s", name, complete, b.String())
			}
		}
	}
}

// Nothing is not told to be deleted.
func TestNothingToDelete(t *testing.T) {
	var b strings.Builder
	if err := new(Plan).WriteText(&b); err != nil {
		t.Fatal(err)
	}
	if text := b.String(); !strings.Contains(text, "\nUnreachable: none\n\nEntries: none\n") || strings.Contains(text, "delete") {
		t.Errorf("got\n%s", text)
	}
}
