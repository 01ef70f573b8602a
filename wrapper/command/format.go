// The formats of scavenger-wrap report.

package command

import (
	"io"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/output"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolid"
)

// A format is a way to write a report. Its note says what the format could not take, "" if
// it took everything.
type format struct {
	name  string
	write func(w io.Writer, r *report.Report, o formatOptions) (note string, err error)
}

// formatOptions are the settings of single formats.
type formatOptions struct {
	all    bool   // text: every function
	source string // html: directory
}

// formats returns those of report, in the order of its help.
func formats() []format {
	return []format{
		{"text", func(w io.Writer, r *report.Report, o formatOptions) (string, error) {
			if o.all {
				return "", output.AllText(w, r)
			}
			return "", output.Text(w, r)
		}},
		{"json", whole(output.JSON)},
		{"csv", whole(output.CSV)},
		{"markdown", whole(output.Markdown)},
		{"sarif", func(w io.Writer, r *report.Report, _ formatOptions) (string, error) {
			return output.SARIF(w, r, toolid.Version())
		}},
		{"html", func(w io.Writer, r *report.Report, o formatOptions) (string, error) {
			return "", writeHTML(w, r, nil, o.source)
		}},
		{"coverprofile", func(w io.Writer, r *report.Report, _ formatOptions) (string, error) { return output.CoverProfile(w, r) }},
	}
}

// whole returns the function of a format that takes everything.
func whole(write func(w io.Writer, r *report.Report) error) func(w io.Writer, r *report.Report, o formatOptions) (string, error) {
	return func(w io.Writer, r *report.Report, _ formatOptions) (string, error) { return "", write(w, r) }
}

// formatNames returns the words that --format takes.
func formatNames() (names []string) {
	for _, f := range formats() {
		names = append(names, f.name)
	}
	return names
}

// writeFormat writes a report in the format of a name.
func writeFormat(name string, w io.Writer, r *report.Report, o formatOptions) (note string, err error) {
	for _, f := range formats() {
		if f.name == name {
			return f.write(w, r, o)
		}
	}
	return "", nil
}
