// The lists of functions in the registry. hitrt reads them, and so do commands, which
// find them in a binary.

package registry

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/rewrite"
)

// entries returns functions in the form that hitrt reads (codebase.go there), one line
// each. A line has these fields, separated by tabs: the index of the cell, or "-" and the
// reason why there is none; the file, empty if it is that of the line before; the line,
// and how many follow up to the function's last, "12+3" or "12", with a "g" behind it in a
// generated file; the receiver; the name; the types of the parameters; and, if there is
// one, the directive in the source that is about the function.
func entries(functions []rewrite.Function) string {
	var b []byte
	file := ""
	for _, f := range functions {
		if f.Index < 0 {
			b = append(append(b, '-'), f.Reason...)
		} else {
			b = strconv.AppendInt(b, int64(f.Index), 10)
		}
		b = append(b, '\t')
		if f.File != file {
			file = f.File
			b = append(b, file...)
		}
		b = append(b, '\t')
		b = strconv.AppendInt(b, int64(f.Line), 10)
		if f.Lines > 1 {
			b = strconv.AppendInt(append(b, '+'), int64(f.Lines-1), 10)
		}
		if f.Generated {
			b = append(b, 'g')
		}
		for _, s := range []string{f.Receiver, f.Name, f.Params} {
			b = append(append(b, '\t'), s...)
		}
		if f.Directive != "" {
			b = append(append(b, '\t'), f.Directive...)
		}
		b = append(b, '\n')
	}
	return string(b)
}

// entriesMagic begins the line in front of a package's entries. hitrt skips that line,
// because it is no entry.
const entriesMagic = "#scavenger-wrap entries "

// entriesHeader returns the line in front of a package's entries. It says how many bytes
// they have, and which package they are of.
func entriesHeader(m *Metadata) string {
	return fmt.Sprintf("%s%d %s\n", entriesMagic, len(entries(m.Functions)), m.ImportPath)
}

// readEntries parses the text behind entriesMagic; see entries for the form.
func readEntries(data []byte) (p InspectedPackage, ok bool) {
	head, rest, ok := bytes.Cut(data[:min(len(data), 4096)], []byte("\n"))
	length, path, ok2 := strings.Cut(string(head), " ")
	n, err := strconv.Atoi(length)
	if !ok || !ok2 || err != nil || n < 0 || n > len(data)-len(head)-1 || len(rest) == 0 && n > 0 {
		return p, false
	}
	p.Path = path
	for line := range strings.Lines(string(data[len(head)+1:][:n])) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 6 && len(f) != 7 {
			return p, false
		}
		name := f[4]
		switch receiver := f[3]; {
		case strings.HasPrefix(receiver, "*"):
			name = "(" + receiver + ")." + name
		case receiver != "":
			name = receiver + "." + name
		}
		if reason, ok := strings.CutPrefix(f[0], "-"); ok {
			p.Unseen++
			name += "  (not observable: " + reason + ")"
		}
		p.Functions = append(p.Functions, name)
	}
	return p, true
}

// An InspectedPackage is a package whose functions a binary tracks.
type InspectedPackage struct {
	Path      string
	Functions []string // "(*Cart).Add", and the reason for those that are not observable
	Unseen    int      // of them, not observable
}
