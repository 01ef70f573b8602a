// Package html writes a report as one page for a browser: a single file that needs no
// other, opens from disk, and loads nothing from anywhere.
//
// # What is in the file
//
// The data are blocks of JSON, which a browser does not run, and the page is built from
// them by the scripts in assets. These make text nodes and attributes of all that comes
// from the data, never markup, so a function that is called like a tag stays text. A
// policy in the file says to the browser what it may run: the script and the style that
// stand there, by their hashes.
//
// A large report is compressed, and read by the browser's own gzip; source is in a block of
// its own, which is not read before somebody looks at it.
//
// It may import wrapper/report, which has the data, and wrapper/output, which has words for
// them.
package html

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	escape "html"
	"io"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

//go:embed assets
var assets embed.FS

// scripts are the files of the script, in their order.
var scripts = [...]string{"data.js", "tree.js", "map.js", "table.js", "panel.js", "plan.js", "app.js"}

// Options say what the page has beside the report.
type Options struct {
	Source *Source // where the source is, nil if it is not at hand
	Plan   any     // what to delete first, in the JSON of scavenger-wrap plan, or nil
}

// Write writes a report as a page.
func Write(w io.Writer, r *report.Report, opts Options) error {
	data, texts := collect(r, opts.Source)
	parts := map[string][]byte{"title": []byte(escape.EscapeString(title(r)))}
	style, err := assets.ReadFile("assets/style.css")
	if err != nil {
		return err
	}
	script, err := readScript()
	if err != nil {
		return err
	}
	parts["style"], parts["style hash"] = style, hash(style)
	parts["script"], parts["script hash"] = script, hash(script)
	for _, block := range []struct {
		id    string
		value any
	}{{"report-data", data}, {"plan-data", opts.Plan}, {"source-data", texts}} {
		text, err := jsonBlock(block.id, block.value)
		if err != nil {
			return err
		}
		parts["data"] = append(parts["data"], text...)
	}
	page, err := assets.ReadFile("assets/page.html")
	if err != nil {
		return err
	}
	return fill(w, string(page), parts)
}

// fill writes a page with parts in the place of comments. It does not look for comments in
// the parts.
func fill(w io.Writer, page string, parts map[string][]byte) error {
	out := bufio.NewWriter(w) // keeps its first error for Flush
	for {
		before, rest, found := strings.Cut(page, "<!--")
		_, _ = out.WriteString(before)
		if !found {
			return out.Flush()
		}
		name, after, _ := strings.Cut(rest, "-->")
		part, ok := parts[name]
		if !ok {
			return fmt.Errorf("page.html asks for %q, which there is not", name)
		}
		_, _ = out.Write(part)
		page = after
	}
}

// readScript returns the script, with names that no other script can see.
func readScript() ([]byte, error) {
	out := bytes.NewBufferString("(() => {\n'use strict';\n")
	for _, name := range scripts {
		text, err := assets.ReadFile("assets/" + name)
		if err != nil {
			return nil, err
		}
		out.Write(text)
	}
	out.WriteString("})();\n")
	return out.Bytes(), nil
}

// hash returns what a Content-Security-Policy calls a text.
func hash(text []byte) []byte {
	sum := sha256.Sum256(text)
	return []byte("sha256-" + base64.StdEncoding.EncodeToString(sum[:]))
}

// compressFrom is the size from which a block is compressed. Smaller ones can be read, and
// found by grep.
const compressFrom = 1 << 20

// jsonBlock returns a value as a block of data. The encoder escapes <, so that nothing in
// it ends the block.
func jsonBlock(id string, value any) ([]byte, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	if len(text) < compressFrom {
		return fmt.Appendf(nil, "<script type=\"application/json\" id=%q>%s</script>\n", id, text), nil
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(text); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "<script type=\"application/json\" id=%q data-encoding=\"gzip\">%s</script>\n", id, base64.StdEncoding.EncodeToString(packed.Bytes())), nil
}

// title says in a line what the browser's window shows.
func title(r *report.Report) string {
	never := 0
	for i := range r.Functions {
		if r.Functions[i].Deletable() {
			never++
		}
	}
	text := fmt.Sprintf("%d of %d functions never called", never, len(r.Functions))
	if len(r.Observed.Applications) > 0 && r.Observed.Applications[0] != "" {
		text = r.Observed.Applications[0] + ": " + text
	}
	return text
}
