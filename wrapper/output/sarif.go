// The report as SARIF, for code scanning.

package output

import (
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// sarifLimits are what a code scanning service takes of one run. GitHub refuses a file that
// has more, so results are left out, of the smallest functions first.
type sarifLimits struct {
	results int
	bytes   int64 // of the file when it is compressed with gzip
}

// githubLimits leave 500 kB for what is around the results.
var githubLimits = sarifLimits{25_000, 9_500_000}

// The parts of a SARIF log, as far as they are used here. There are libraries with all of
// them, but these link net/http, which each start of a tool in a build would pay for.
type (
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string             `json:"id"`
		Name             string             `json:"name"`
		ShortDescription sarifText          `json:"shortDescription"`
		FullDescription  sarifText          `json:"fullDescription"`
		Help             sarifText          `json:"help"`
		Configuration    sarifConfiguration `json:"defaultConfiguration"`
		Properties       map[string]any     `json:"properties"`
	}
	sarifConfiguration struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI  string `json:"uri"`
		Base string `json:"uriBaseId"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
		EndLine   int `json:"endLine,omitempty"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
		Kind string `json:"kind"`
	}
)

// sarifRules returns the two rules: of functions that were never called, and of those that
// were not called since the time that was asked for. They are no variable, as starting this
// program as a tool should not cost anything for them.
func sarifRules() []sarifRule {
	const (
		never = "No process that was observed called this function, though each could have told."
		since = "No process that was observed called this function since the time that the report was asked for. Before that, it was called."
		help  = "The message says for how long the function was observed, and in how many processes. " +
			"That it was not called does not prove that it never will be: think of what runs once a month, and of what runs after a failure.\n\n" +
			"If nobody needs it, delete it, and what only it calls: %s shows that."
	)
	rule := func(id, name, short, full string) sarifRule {
		return sarifRule{
			ID: id, Name: name, ShortDescription: sarifText{Text: short}, FullDescription: sarifText{Text: full},
			Help:          sarifText{fmt.Sprintf(help, "scavenger-wrap plan"), fmt.Sprintf(help, "`scavenger-wrap plan`")},
			Configuration: sarifConfiguration{sarifLevel},
			Properties:    map[string]any{"problem.severity": "recommendation", "tags": []string{"dead-code", "maintainability"}},
		}
	}
	return []sarifRule{
		rule("never-called", "NeverCalled", "Function that was never called", never),
		rule("not-called-since", "NotCalledSince", "Function that was not called for long", since),
	}
}

const sarifLevel = "note"

// SARIF writes a log of SARIF 2.1.0 with a result for each function that the report looks for:
// that was never called, or not since a time.
// The version is that of the tool. Results have the fingerprint scavengerFunction/v1, which
// does not change when a function moves; GitHub's upload action adds one of its own, and
// warns of each result that has that already.
//
// The note says what is left out, "" for nothing.
func SARIF(w io.Writer, r *report.Report, version string) (note string, err error) {
	return writeSARIF(w, r, version, githubLimits)
}

func writeSARIF(w io.Writer, r *report.Report, version string, limits sarifLimits) (note string, err error) {
	functions, note := sarifFunctions(r, limits)
	run := sarifInvocation{Successful: true}
	if !r.Complete() {
		run.notify("The report rests on incomplete data: functions may have been called that are reported as never called.")
	}
	if text := presumed(r, report.Printable); text != "" {
		run.notify(text)
	}
	if note != "" {
		run.notify(note)
	}
	out := newJSONWriter(w)
	out.WriteString(`{"$schema":"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json","version":"2.1.0",` +
		"\n\"runs\":[{\"tool\":")
	out.value(sarifTool{sarifDriver{"scavenger-wrap", version, "https://github.com/naver/scavenger", sarifRules()}})
	out.WriteString(",\n\"invocations\":[")
	out.value(run)
	out.WriteString("],\n\"columnKind\":\"utf16CodeUnits\",\n\"results\":[")
	for i, f := range functions {
		out.element(i, newResult(f))
	}
	out.end(len(functions))
	out.WriteString("}]}\n")
	return note, errors.Join(out.err, out.Flush())
}

// notify adds what whoever reads the results should know.
func (run *sarifInvocation) notify(text string) {
	run.Notifications = append(run.Notifications, sarifNotification{"warning", sarifText{Text: text}})
}

// sarifFunctions returns the functions that have results, in the order of the report, and
// says which have none.
func sarifFunctions(r *report.Report, limits sarifLimits) (list []*report.Function, note string) {
	var candidates []int
	outside := 0
	for i := range r.Functions {
		switch f := &r.Functions[i]; {
		case !r.Uncalled(f):
		case sourceURI(f) == "":
			outside++
		default:
			candidates = append(candidates, i)
		}
	}
	slices.SortStableFunc(candidates, func(a, b int) int { return cmp.Compare(r.Functions[b].Lines, r.Functions[a].Lines) })
	var size byteCounter
	compressed, _ := gzip.NewWriterLevel(&size, gzip.BestSpeed) // there is such a level
	results := newJSONWriter(compressed)
	n := 0
	for n < len(candidates) && n < limits.results && int64(size) < limits.bytes {
		results.element(n, newResult(&r.Functions[candidates[n]]))
		n++
	}
	note = joinNotes(
		countNote(outside, "function is", "functions are", "left out: the file is not below the root of the main module"),
		countNote(len(candidates)-n, "function is", "functions are", "left out, the smallest: GitHub takes 25,000 results and 10 MB"),
	)
	chosen := candidates[:n]
	slices.Sort(chosen)
	for _, i := range chosen {
		list = append(list, &r.Functions[i])
	}
	return list, note
}

// A byteCounter counts what is written to it.
type byteCounter int64

func (c *byteCounter) Write(b []byte) (int, error) {
	*c += byteCounter(len(b))
	return len(b), nil
}

// newResult returns the result of a function.
func newResult(f *report.Function) sarifResult {
	kind := "function"
	if f.Receiver != "" {
		kind = "member"
	}
	region := sarifRegion{StartLine: max(f.Line, 1)}
	if f.Lines > 0 {
		region.EndLine = region.StartLine + f.Lines - 1
	}
	rule, id := 0, "never-called"
	if f.Status == report.Called {
		rule, id = 1, "not-called-since"
	}
	sum := sha256.Sum256([]byte(f.Package + "\x00" + strings.TrimPrefix(f.Receiver, "*") + "\x00" + f.Name))
	return sarifResult{
		RuleID: id, RuleIndex: rule, Level: sarifLevel, Message: sarifText{Text: evidenceMessage(f)},
		Locations: []sarifLocation{{
			sarifPhysical{sarifArtifact{sourceURI(f), "%SRCROOT%"}, region},
			[]sarifLogical{{f.Package + "." + fullName(f), kind}},
		}},
		Fingerprints: map[string]string{"scavengerFunction/v1": hex.EncodeToString(sum[:16])},
	}
}

// evidenceMessage says what is known of the calls of a function.
func evidenceMessage(f *report.Function) string {
	name := report.Printable(fullName(f))
	for _, special := range []string{`\`, "[", "]"} { // links have brackets
		name = strings.ReplaceAll(name, special, `\`+special)
	}
	if f.Lines > 0 {
		name += ", " + plural(f.Lines, "line") + ","
	}
	calls := "never called"
	if f.Status == report.Called {
		calls = "last called on " + minute(f.LastCalledAt) + " UTC"
		if f.Presumed != "" {
			calls += ", as evidence of an earlier build says"
		}
	}
	return name + fmt.Sprintf(" was %s. It was observed for %s, in %s on %s, since %s UTC.",
		calls, seconds(f.ObservedFor), plural(f.Processes, "process"), plural(f.Hosts, "host"), minute(f.ObservedSince))
}

// sourceURI returns a function's file as a URI relative to the root of the main module. It
// is "" for files elsewhere: those of dependencies begin with their import path.
func sourceURI(f *report.Function) string {
	file := path.Clean(f.File)
	if file == "." || file == ".." || path.IsAbs(file) || strings.HasPrefix(file, "../") || strings.HasPrefix(file, f.Package+"/") {
		return ""
	}
	elements := strings.Split(file, "/")
	for i, e := range elements {
		elements[i] = strings.ReplaceAll(url.PathEscape(e), ":", "%3A") // no scheme
	}
	return strings.Join(elements, "/")
}
