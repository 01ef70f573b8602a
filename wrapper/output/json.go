// The report as JSON.

package output

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// A header is what the JSON says of all programs together.
type header struct {
	report.Observed
	// Absent if everything was read, and if all functions are there.
	Filter    *report.Filter    `json:"filter,omitempty"`
	Selection *report.Selection `json:"selection,omitempty"`

	RemovedFunctions int `json:"removedFunctions"`
	UnobservedBuilds int `json:"unobservedBuilds"`
	// Absent if none were looked at.
	Binaries []string `json:"binaries,omitempty"`
}

// JSON writes the report as one JSON object, with one function to a line: two
// reports can be compared with diff. Fields and words are not renamed; docs/report.md
// lists them.
//
//	{"schemaVersion":1,
//	"header":{…},
//	"programs":[
//	{"application":…},
//	…
//	],
//	"functions":[
//	{"package":…,"receiver":…,"name":…,"signature":…,"file":…,"line":…,"lines":…,"module":…,"status":…,"lastCalledAt":…,…},
//	…
//	],
//	"keep":[…],
//	"baseline":{…},
//	"complete":…,
//	"processes":{"total":…,"running":…,"recovered":…,"lossy":…,"keptOnceASecond":…,"mute":…},
//	"problems":[
//	{"file":…,"kind":…,"text":…},
//	…
//	]}
//
// The status is called, never-called, not-observable or unknown. Receiver is absent for
// plain functions, lastCalledAt (RFC 3339, UTC) unless the function was called, keep if
// nothing says what to keep, and baseline if the report was not compared. The
// kinds of problems are those of [report.Kind]. The report is complete if it rests on all that
// its processes called.
func JSON(w io.Writer, r *report.Report) error {
	out := newJSONWriter(w)
	out.WriteString(`{"schemaVersion":` + strconv.Itoa(report.SchemaVersion) + ",\n\"header\":")
	head := header{Observed: r.Observed, RemovedFunctions: len(r.Removed), UnobservedBuilds: r.Unseen, Binaries: r.Binaries}
	if r.Filter.String() != "" {
		head.Filter = &r.Filter
	}
	if !r.Selection.IsZero() {
		head.Selection = &r.Selection
	}
	out.value(head)
	out.WriteString(",\n\"programs\":[")
	for i := range r.Programs {
		out.element(i, &r.Programs[i])
	}
	out.end(len(r.Programs))
	out.WriteString(",\n\"functions\":[")
	for i := range r.Functions {
		out.element(i, &r.Functions[i])
	}
	out.end(len(r.Functions))
	out.keepRules(r.KeepRules)
	out.baseline(r.Baseline)
	out.WriteString(",\n\"complete\":" + strconv.FormatBool(r.Complete()) + ",\n\"processes\":")
	out.value(r.Processes)
	out.WriteString(",\n\"problems\":[")
	for i, p := range r.Problems {
		out.element(i, struct {
			File string      `json:"file"`
			Kind report.Kind `json:"kind"`
			Text string      `json:"text"`
		}{p.File, p.Kind, p.Text()})
	}
	out.end(len(r.Problems))
	out.WriteString("}\n")
	return errors.Join(out.err, out.Flush())
}

// A jsonWriter writes values without line ends. Its Writer keeps its first error.
type jsonWriter struct {
	*bufio.Writer
	line *bytes.Buffer
	enc  *json.Encoder // to line
	err  error         // of a value
}

// buffered is how much is written at once: the largest formats have 30 MB for 100,000
// functions.
const buffered = 64 << 10

func newJSONWriter(w io.Writer) *jsonWriter {
	line := new(bytes.Buffer)
	enc := json.NewEncoder(line)
	enc.SetEscapeHTML(false) // signatures are full of <-chan
	return &jsonWriter{Writer: bufio.NewWriterSize(w, buffered), line: line, enc: enc}
}

func (w *jsonWriter) value(v any) {
	w.line.Reset()
	if err := w.enc.Encode(v); err != nil {
		w.err = err
	}
	_, _ = w.Write(bytes.TrimSuffix(w.line.Bytes(), []byte("\n")))
}

// element writes the i-th element of a list, on a line of its own.
func (w *jsonWriter) element(i int, v any) {
	if i > 0 {
		_ = w.WriteByte(',')
	}
	_ = w.WriteByte('\n')
	w.value(v)
}

// end ends a list of n elements.
func (w *jsonWriter) end(n int) {
	if n > 0 {
		_ = w.WriteByte('\n')
	}
	_ = w.WriteByte(']')
}
