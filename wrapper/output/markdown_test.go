package output

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/renderer/html"
	gtext "github.com/yuin/goldmark/text"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// A markdownDoc is what a reader of GitHub's Markdown makes of a report.
type markdownDoc struct {
	kinds map[ast.NodeKind]int
	html  string
	cells [][]string // the HTML of the cells of each row
}

func readMarkdown(t *testing.T, r *report.Report) markdownDoc {
	t.Helper()
	var out, page bytes.Buffer
	if err := Markdown(&out, r); err != nil {
		t.Fatal(err)
	}
	if out.Len() > 1<<19 {
		t.Errorf("%d bytes", out.Len())
	}
	reader := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))
	doc := markdownDoc{kinds: map[ast.NodeKind]int{}}
	err := ast.Walk(reader.Parser().Parse(gtext.NewReader(out.Bytes())), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			doc.kinds[n.Kind()]++
		}
		return ast.WalkContinue, nil
	})
	if err == nil {
		err = reader.Convert(out.Bytes(), &page)
	}
	if err != nil {
		t.Fatal(err)
	}
	doc.html = page.String()
	for _, row := range regexp.MustCompile(`(?s)<tr>(.*?)</tr>`).FindAllStringSubmatch(doc.html, -1) {
		var cells []string
		for _, cell := range regexp.MustCompile(`(?s)<t[dh][^>]*>(.*?)</t[dh]>`).FindAllStringSubmatch(row[1], -1) {
			cells = append(cells, cell[1])
		}
		doc.cells = append(doc.cells, cells)
	}
	return doc
}

func TestMarkdown(t *testing.T) {
	doc := readMarkdown(t, load(t, "shop"))
	var got []string
	for _, row := range doc.cells {
		got = append(got, strings.Join(row, " | "))
	}
	want := []string{
		"Lines not called | Functions not called | Called | Not known | Package",
		"20 | 2 | 1 | 0 | <code>example.com/cmd/shop</code>",
		"1 | 3 | 1 | 3 | <code>example.com/store</code>",
		"0 | 1 | 1 | 0 | <code>example.com/größe</code>",
		`0 | 1 | 0 | 0 | <code>example.com/odd</code>`,
		"0 | 0 | 0 | 1 | <code>example.com/asm</code>",
		"0 | 0 | 1 | 0 | <code>example.com/cmd/wire</code>",
		"21 | 7 | 4 | 4 | <strong>total</strong>",
		"Lines | Function | Place | Observed for",
		"20 | <code>usage</code> | <code>cmd/shop/main.go:140</code> | 29 days",
		"5 | <code>usage.func1</code> | <code>cmd/shop/main.go:145</code> | 22 days",
		"1 | <code>(*DB).Shut</code> | <code>internal/store/store.go:88</code> | 29 days",
		"? | <code>Größe</code> | <code>größe/größe.go:5</code> | 22 days",
		"? | <code>X</code> | <code>&quot;odd/\\x1b[31m\\nred.go:1&quot;</code> | 22 days",
		"? | <code>DB.String</code> | <code>internal/store/store.go:188</code> | 29 days",
		"? | <code>(*Cache[T]Of).EvictTheOldestEntriesUntilThereIsRoomForAtLeastOneMoreOfThem</code> | " +
			"<code>internal/store/with/a/rather/long/path/to/the/file/that/nobody/would/cache_eviction.go:1234</code> | 22 days",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("rows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, want := range []string{
		"<h2>Never called: 7 of 15 functions, 21 lines</h2>",
		"<p>Observed for 29 days, in 4 processes on 2 hosts, from 2026-01-01 10:30 to 2026-01-31 10:30 UTC.</p>",
		"<h3>Each of them</h3>",
	} {
		if !strings.Contains(doc.html, want) {
			t.Errorf("no %q in\n%s", want, doc.html)
		}
	}
}

func TestMarkdownNotes(t *testing.T) {
	for name, wants := range map[string][]string{
		"called":  {"<h2>Never called: none</h2>", "<strong>Less than a week of running proves little.</strong>"},
		"damaged": {"<strong>Warning:</strong> the report rests on incomplete data"},
		"nothing": {"<h2>Never called: none</h2>"},
	} {
		doc := readMarkdown(t, load(t, name))
		for _, want := range wants {
			if !strings.Contains(doc.html, want) {
				t.Errorf("%s: no %q in\n%s", name, want, doc.html)
			}
		}
		if strings.Contains(doc.html, "Warning") != (name == "damaged") {
			t.Errorf("%s: a warning, or none, in\n%s", name, doc.html)
		}
	}
}

// A function that was called is not listed as never called.
func TestMarkdownSelection(t *testing.T) {
	r := load(t, "shop")
	if err := r.Select(report.Selection{NotCalledSince: time.Date(2026, 1, 20, 0, 0, 0, 0, time.UTC)}); err != nil {
		t.Fatal(err)
	}
	doc := readMarkdown(t, r)
	for _, want := range []string{"<h2>Not called since 2026-01-20 00:00: 10 of 10 functions, 21 lines</h2>", "<p>Only functions <code>not called since 2026-01-20 00:00</code>. "} {
		if !strings.Contains(doc.html, want) {
			t.Errorf("no %q in\n%s", want, doc.html)
		}
	}
	if strings.Contains(doc.html, "ever called") {
		t.Errorf("never called in\n%s", doc.html)
	}
}

// Of many functions and packages, the largest are shown and the others counted.
func TestMarkdownSize(t *testing.T) {
	r := &report.Report{}
	for i := range 400 {
		pkg := fmt.Sprintf("%03d", i) + strings.Repeat("|", 5000)
		r.Functions = append(r.Functions, report.Function{Package: pkg, Name: pkg, File: pkg, Line: 1, Lines: i, Status: report.NeverCalled})
	}
	doc := readMarkdown(t, r)
	if want := 1 + 50 + 2 + 1 + 50; len(doc.cells) != want {
		t.Fatalf("%d rows, want %d", len(doc.cells), want)
	}
	if row := doc.cells[1]; row[0] != "399" || !strings.HasPrefix(row[4], "<code>399") || !strings.HasSuffix(row[4], "…</code>") {
		t.Errorf("the first row is %q", row)
	}
	// 0 to 349, and 0 to 399.
	if got := fmt.Sprint(doc.cells[51], doc.cells[52]); got != "[61075 350 0 0 350 other packages] [79800 400 0 0 <strong>total</strong>]" {
		t.Errorf("the last rows are %s", got)
	}
	if !strings.Contains(doc.html, "The largest 50 of them") {
		t.Error("nothing says that there are more")
	}
}

// Whatever names are, they are text in one cell.
func TestMarkdownHostile(t *testing.T) {
	r := hostileReport()
	for i := range r.Functions {
		r.Functions[i].Package = fmt.Sprint(i, r.Functions[i].Package)
		r.Functions[i].Receiver = ""
	}
	r.Filter.Environments = hostileNames
	doc := readMarkdown(t, r)
	for _, kind := range []ast.NodeKind{ast.KindLink, ast.KindImage, ast.KindAutoLink, ast.KindHTMLBlock, ast.KindEmphasis, east.KindStrikethrough, ast.KindFencedCodeBlock, ast.KindThematicBreak} {
		wanted := 0
		if kind == ast.KindEmphasis {
			wanted = 3 // the total, and two sentences
		}
		if doc.kinds[kind] != wanted {
			t.Errorf("%d of %s, want %d, in\n%s", doc.kinds[kind], kind, wanted, doc.html)
		}
	}
	// What is left without our own elements is text.
	rest := regexp.MustCompile(`</?(h2|h3|p|table|thead|tbody|tr|strong|code)>|<t[dh] style="text-align:(left|right)">|</t[dh]>`).ReplaceAllString(doc.html, "")
	if strings.ContainsAny(rest, "<>") {
		t.Errorf("an element of a name in\n%s", rest)
	}
	if want := 2 + 1 + 2*len(hostileNames); len(doc.cells) != want {
		t.Errorf("%d rows, want %d", len(doc.cells), want)
	}
	for _, row := range doc.cells {
		if len(row) != 4 && len(row) != 5 {
			t.Errorf("%d cells in %q", len(row), row)
		}
	}
}

// A name is shown as it is.
func TestMarkdownCode(t *testing.T) {
	for name, want := range map[string]string{
		"(*T).Name":  "`(*T).Name`",
		"a|b":        "<code>a&#124;b</code>",
		"a`b":        "<code>a&#96;b</code>",
		"<script>":   "<code>&#60;script&#62;</code>",
		"":           "<code></code>",
		" a":         "<code>&#32;a</code>",
		"größe.New":  "`größe.New`",
		"a\x1b[31mb": `<code>&#34;a&#92;x1b&#91;31mb&#34;</code>`,
	} {
		if got := code(name); got != want {
			t.Errorf("code of %q is %s, want %s", name, got, want)
		}
	}
}
