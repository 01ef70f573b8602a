// The report as JSON.

package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
)

// WriteJSON writes the functions as one JSON object, with one function to a
// line: two reports can be compared with diff.
//
//	{"functions":[
//	{"package":…,"receiver":…,"name":…,"signature":…,"file":…,"line":…,"status":…,"lastCalledAt":…},
//	…
//	]}
//
// The status is called, never-called or not-observable. Receiver is absent for
// plain functions, lastCalledAt (RFC 3339, UTC) unless the function was called.
func (r *Report) WriteJSON(w io.Writer) error {
	out := bufio.NewWriter(w) // keeps its first error for Flush
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false) // signatures are full of <-chan
	out.WriteString(`{"functions":[`)
	for i, f := range r.Functions {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
		line.Reset()
		if err := enc.Encode(f); err != nil {
			return err
		}
		out.Write(bytes.TrimSuffix(line.Bytes(), []byte("\n")))
	}
	if len(r.Functions) > 0 {
		out.WriteByte('\n')
	}
	out.WriteString("]}\n")
	return out.Flush()
}
