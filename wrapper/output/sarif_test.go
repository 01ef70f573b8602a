package output

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// A sarifLog is what a test reads of a log.
type sarifLog struct {
	Runs []struct {
		Tool        sarifTool
		Invocations []sarifInvocation
		Results     []sarifResult
	}
}

// logOf writes a log, holds it against the schema and reads it.
func logOf(t *testing.T, r *report.Report, limits sarifLimits) (log sarifLog, text []byte, note string) {
	t.Helper()
	var out bytes.Buffer
	note, err := writeSARIF(&out, r, "v1.2.3", limits)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.NewCompiler().Compile("testdata/sarif/schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(value); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	if err := json.Unmarshal(out.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	if len(log.Runs) != 1 || len(log.Runs[0].Invocations) != 1 || len(log.Runs[0].Tool.Driver.Rules) != 2 {
		t.Fatalf("not one run with two rules:\n%s", &out)
	}
	return log, out.Bytes(), note
}

func TestSARIF(t *testing.T) {
	log, _, note := logOf(t, load(t, "shop"), githubLimits)
	run := &log.Runs[0]
	if note != "" || len(run.Invocations[0].Notifications) > 0 {
		t.Errorf("note %q and notifications %v", note, run.Invocations[0].Notifications)
	}
	if run.Tool.Driver.Version != "v1.2.3" || run.Tool.Driver.Rules[0].ID != "never-called" {
		t.Errorf("driver %+v", run.Tool.Driver)
	}
	var got []string
	for _, result := range run.Results {
		place := result.Locations[0].Physical
		got = append(got, fmt.Sprintf("%s %s:%d-%d %s", result.RuleID, place.Artifact.URI, place.Region.StartLine, place.Region.EndLine, result.Locations[0].Logical[0].Name))
	}
	want := []string{
		"never-called cmd/shop/main.go:140-159 example.com/cmd/shop.usage",
		"never-called cmd/shop/main.go:145-149 example.com/cmd/shop.usage.func1",
		"never-called gr%C3%B6%C3%9Fe/gr%C3%B6%C3%9Fe.go:5-0 example.com/größe.Größe",
		"never-called odd/%1B%5B31m%0Ared.go:1-0 example.com/odd.X",
		"never-called internal/store/store.go:88-88 example.com/store.(*DB).Shut",
		"never-called internal/store/store.go:188-0 example.com/store.DB.String",
		"never-called internal/store/with/a/rather/long/path/to/the/file/that/nobody/would/cache_eviction.go:1234-0 " +
			"example.com/store.(*Cache[T]Of).EvictTheOldestEntriesUntilThereIsRoomForAtLeastOneMoreOfThem",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("results\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if want := "usage, 20 lines, was never called. It was observed for 29 days, in 3 processes on 2 hosts, since 2026-01-01 10:30 UTC."; run.Results[0].Message.Text != want {
		t.Errorf("message %q, want %q", run.Results[0].Message.Text, want)
	}
}

// A function that was called is not said to be never called.
func TestSARIFNotCalledSince(t *testing.T) {
	r := load(t, "shop")
	if err := r.Select(report.Selection{NotCalledSince: time.Date(2026, 1, 20, 0, 0, 0, 0, time.UTC)}); err != nil {
		t.Fatal(err)
	}
	log, _, _ := logOf(t, r, githubLimits)
	rules := log.Runs[0].Tool.Driver.Rules
	counts := map[string]int{}
	for _, result := range log.Runs[0].Results {
		counts[result.RuleID]++
		never := strings.Contains(result.Message.Text, "was never called")
		if result.RuleID != rules[result.RuleIndex].ID || never != (result.RuleID == "never-called") || never == strings.Contains(result.Message.Text, "was last called on 2026-01-") {
			t.Errorf("result %d of the rule %q says %q", result.RuleIndex, result.RuleID, result.Message.Text)
		}
	}
	if want := map[string]int{"never-called": 7, "not-called-since": 3}; !maps.Equal(counts, want) {
		t.Errorf("results %v, want %v", counts, want)
	}
}

// A log of incomplete data says so.
func TestSARIFIncomplete(t *testing.T) {
	log, _, note := logOf(t, load(t, "damaged"), githubLimits)
	if list := log.Runs[0].Invocations[0].Notifications; note != "" || len(list) != 1 || !strings.Contains(list[0].Message.Text, "incomplete") {
		t.Errorf("note %q and notifications %v, want one that says incomplete", note, list)
	}
}

// A function has its fingerprint wherever it stands, and no other function has it.
func TestSARIFFingerprint(t *testing.T) {
	f := report.Function{Package: "example.com/app", Receiver: "*Cart", Name: "Add", File: "cart.go", Line: 3, Lines: 4}
	print := func(f report.Function) string { return newResult(&f).Fingerprints["scavengerFunction/v1"] }
	moved := f
	moved.File, moved.Line, moved.Lines, moved.Receiver = "add.go", 30, 5, "Cart"
	if print(f) != print(moved) || len(print(f)) != 32 {
		t.Errorf("fingerprints %q and %q, want one of 32 digits", print(f), print(moved))
	}
	seen := map[string]bool{print(f): true}
	for _, change := range []func(f *report.Function){
		func(f *report.Function) { f.Package += "2" },
		func(f *report.Function) { f.Receiver = "*Card" },
		func(f *report.Function) { f.Receiver = "" },
		func(f *report.Function) { f.Name = "Add2" },
		func(f *report.Function) { f.Receiver, f.Name = "", "CartAdd" },
	} {
		other := f
		change(&other)
		if seen[print(other)] {
			t.Errorf("%+v has the fingerprint of another function", other)
		}
		seen[print(other)] = true
	}
}

// What does not fit is left out, from the smallest function on, and the log says it.
func TestSARIFLimits(t *testing.T) {
	r := &report.Report{}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 3000 {
		name := make([]byte, 200)
		for k := range name {
			name[k] = 'a' + byte(random.IntN(26))
		}
		r.Functions = append(r.Functions, report.Function{Package: "example.com/app", Name: string(name), File: "a.go", Line: i + 1, Lines: 1 + i%50, Status: report.NeverCalled})
	}
	for _, limits := range []sarifLimits{{100, githubLimits.bytes}, {githubLimits.results, 500_000}} {
		log, text, note := logOf(t, r, limits)
		results := log.Runs[0].Results
		want := fmt.Sprintf("%d functions are left out, the smallest: GitHub takes 25,000 results and 10 MB", 3000-len(results))
		if len(results) == 0 || len(results) > limits.results || note != want || len(log.Runs[0].Invocations[0].Notifications) != 1 {
			t.Errorf("%d results with the note %q, want %q", len(results), note, want)
		}
		var compressed bytes.Buffer
		w := gzip.NewWriter(&compressed)
		_, _ = w.Write(text)
		_ = w.Close()
		if int64(compressed.Len()) > limits.bytes+100_000 {
			t.Errorf("%d bytes compressed, with a limit of %d", compressed.Len(), limits.bytes)
		}
		last, smallest := 0, 50
		for _, result := range results {
			region := result.Locations[0].Physical.Region
			if region.StartLine <= last {
				t.Fatalf("line %d comes behind line %d", region.StartLine, last)
			}
			last, smallest = region.StartLine, min(smallest, region.EndLine-region.StartLine+1)
		}
		if left := 50 * (50 - smallest) * 60 / 50; len(results) < left {
			t.Errorf("%d results down to %d lines, want at least the %d with more", len(results), smallest, left)
		}
	}
}

// Names are text: a URI is one, below the root, and no message has a link.
func TestSARIFHostile(t *testing.T) {
	r := hostileReport()
	for _, file := range []string{"/etc/passwd", "../x.go", "a/../../x.go", "//example.com/x.go", "http://example.com/x.go", "a:b.go", "example.com/dep/x.go"} {
		r.Functions = append(r.Functions, report.Function{Package: "example.com/dep", Name: "[x](https://example.com)", File: file, Line: -1, Lines: 0, Status: report.NeverCalled})
	}
	log, _, note := logOf(t, r, githubLimits)
	results := log.Runs[0].Results
	if want := "7 functions are left out: the file is not below the root of the main module"; note != want || len(results) != len(r.Functions)-7 {
		t.Errorf("%d results of %d with the note %q, want %q", len(results), len(r.Functions), note, want)
	}
	for _, result := range results {
		uri := result.Locations[0].Physical.Artifact.URI
		u, err := url.Parse(uri)
		if err != nil || u.IsAbs() || u.Host != "" || u.RawQuery != "" || u.Fragment != "" || strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "../") {
			t.Errorf("%q is no URI below the root: %v", uri, err)
		}
		for _, r := range uri {
			if r > unicode.MaxASCII || r <= ' ' || strings.ContainsRune("<>\"\\|`{}[]^", r) {
				t.Errorf("%q has %q", uri, r)
			}
		}
		if text := strings.NewReplacer(`\\`, "", `\[`, "", `\]`, "").Replace(result.Message.Text); strings.ContainsAny(text, "[]\\") {
			t.Errorf("the message %q may have a link", result.Message.Text)
		}
	}
}
