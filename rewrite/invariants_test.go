// What holds for the marks of every package: of the goldens, the standard library, and
// what the fuzzer makes up.

package rewrite

import (
	"bytes"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// marks returns an expression that matches a mark with its directives. A directive in
// front belongs to the mark only if it has column 255.
func marks(symbol string) *regexp.Regexp {
	cell := regexp.QuoteMeta(symbol) + `\[(\d+)\]`
	generic := regexp.QuoteMeta(symbol) + `_generic`
	return regexp.MustCompile(`(?:/\*line :\d+:255\*/)?` +
		`(?:if ` + cell + ` == 0 \{ ` + cell + ` = 1 \};|` + `(?:\w+\[0\] = )?` + regexp.QuoteMeta(symbol) + `_hit\((?:` + cell + `, )?&` + cell + `\);|` + generic + `\(` + generic + `\.m(\d+)\)\.m(\d+)\(\);)` +
		`(?:/\*line :\d+:\d+\*/)?`)
}

// findMarks returns where marks and their parts are, as FindAllSubmatchIndex does. It
// looks at the lines with the symbol only: in a whole file the search takes ten times as
// long.
func findMarks(text []byte, symbol string) (found [][]int) {
	expression, start := marks(symbol), 0
	for line := range bytes.Lines(text) {
		if bytes.Contains(line, []byte(symbol)) {
			for _, m := range expression.FindAllSubmatchIndex(line, -1) {
				for i := range m {
					if m[i] >= 0 {
						m[i] += start
					}
				}
				found = append(found, m)
			}
		}
		start += len(line)
	}
	return found
}

// removeMarks returns the original of a marked text.
func removeMarks(marked []byte, name, symbol string) []byte {
	marked = bytes.TrimPrefix(marked, []byte("//line "+name+":1:1\n"))
	removed, end := []byte{}, 0
	for _, m := range findMarks(marked, symbol) {
		removed = append(removed, marked[end:m[0]]...)
		end = m[1]
	}
	return append(removed, marked[end:]...)
}

// checkResult checks everything about a result that needs no types.
func checkResult(t *testing.T, opts Options, sources []Source, res *Result) {
	t.Helper()
	for i, source := range sources {
		if res.Files[i] != nil {
			checkFile(t, source, res.Files[i], res.Symbol, opts.Columns)
		}
	}
	checkEntries(t, res)
	again, err := Package(opts, sources)
	if err != nil || !reflect.DeepEqual(res, again) {
		t.Errorf("second result is another one (%v)", err)
	}
}

func checkFile(t *testing.T, source Source, marked []byte, symbol string, columns bool) {
	t.Helper()
	removed := removeMarks(marked, source.Name, symbol)
	if text, ok := bytes.CutPrefix(source.Text, []byte("\uFEFF")); ok {
		if want := append([]byte("   "), text...); !bytes.Equal(removed, want) {
			t.Errorf("%s: without marks: got\n%q\nwant\n%q", source.Name, removed, want)
		}
	} else if !bytes.Equal(removed, source.Text) {
		t.Errorf("%s: without marks: got\n%q\nwant\n%q", source.Name, removed, source.Text)
	}
	if again := removeMarks(removed, source.Name, symbol); !bytes.Equal(again, removed) {
		t.Errorf("%s: marks are left after removal:\n%s", source.Name, removed)
	}
	lines := bytes.Count(marked, []byte("\n"))
	if bytes.HasPrefix(marked, []byte("//line "+source.Name+":1:1\n")) {
		lines--
	}
	if want := bytes.Count(source.Text, []byte("\n")); lines != want {
		t.Errorf("%s: %d lines, want %d", source.Name, lines, want)
	}
	if _, err := parser.ParseFile(token.NewFileSet(), source.Name, marked, parser.ParseComments); err != nil {
		t.Errorf("%s: marked text: %v\n%s", source.Name, err, marked)
	}
	checkPositions(t, source, marked, symbol, columns)
}

// checkPositions checks that everything but the marks has the position that it had
// before, or at least the line.
func checkPositions(t *testing.T, source Source, marked []byte, symbol string, columns bool) {
	t.Helper()
	got := scan(source.Name, marked, findMarks(marked, symbol))
	want := scan(source.Name, source.Text, nil)
	if len(got) != len(want) {
		t.Errorf("%s: %d tokens, want %d", source.Name, len(got), len(want))
		return
	}
	for i := range want {
		if max(want[i].pos.Line, want[i].pos.Column) > maxLineColumn {
			continue // cannot be said in a directive
		}
		if !columns {
			got[i].pos.Column, want[i].pos.Column = 0, 0
		}
		if got[i] != want[i] {
			t.Errorf("%s: token %+v, want %+v in\n%s", source.Name, got[i], want[i], marked)
			return
		}
	}
}

type item struct {
	pos token.Position // after //line directives, without offset
	tok token.Token
	lit string
}

// scan returns the tokens of text outside of the ranges, each of which begins with its
// start and end.
func scan(name string, text []byte, ranges [][]int) []item {
	file := token.NewFileSet().AddFile(name, -1, len(text))
	var s scanner.Scanner
	s.Init(file, text, nil, 0)
	var items []item
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return items
		}
		offset := file.Offset(pos)
		for len(ranges) > 0 && ranges[0][1] <= offset {
			ranges = ranges[1:]
		}
		if len(ranges) > 0 && ranges[0][0] <= offset {
			continue
		}
		p := file.PositionFor(pos, true)
		p.Offset = 0
		items = append(items, item{p, tok, lit})
	}
}

// checkEntries checks that indices count up, that each function but the static and the
// presumed ones has exactly one mark, and that names contain neither tabs nor line breaks.
func checkEntries(t *testing.T, res *Result) {
	t.Helper()
	next := 0
	for _, f := range res.Functions {
		if (f.Index < 0) == (f.Reason == "") {
			t.Errorf("%+v: index and reason disagree", f)
		}
		if f.Index >= 0 && f.Index != next {
			t.Errorf("%+v: want index %d", f, next)
		}
		next = max(next, f.Index+1)
		if strings.ContainsAny(f.File+f.Receiver+f.Name+f.Params, "\t\r\n") || strings.HasPrefix(f.File, "/") || f.Name == "" {
			t.Errorf("%+v: bad entry", f)
		}
	}
	if res.Cells < next || res.Cells >= next+8 || res.Cells%8 != 0 {
		t.Errorf("%d marks for %d observable functions", res.Cells, next)
	}
	var want []int // the cells that have marks
	for _, f := range res.Functions {
		if f.Index >= 0 && !f.Static && !f.Presumed {
			want = append(want, 4096+f.Index)
		}
	}
	var seen []int
	for _, file := range res.Files {
		for _, m := range findMarks(file, res.Symbol) {
			cell := -1
			for k := 2; k < len(m); k += 2 {
				if m[k] < 0 {
					continue
				}
				if i, err := strconv.Atoi(string(file[m[k]:m[k+1]])); err == nil && (cell < 0 || cell == i) {
					cell = i
				}
			}
			seen = append(seen, cell)
		}
	}
	if !slices.Equal(seen, want) {
		t.Errorf("marks of cells %v in the text, want %v", seen, want)
	}
}

// checkTypes checks that the marked package type-checks if the original does. It reports
// whether the original does.
func checkTypes(t *testing.T, sources []Source, res *Result) bool {
	t.Helper()
	marked := markedSources(sources, res)
	if err := typeCheck(sources); err != nil {
		return false
	}
	if err := typeCheck(marked); err != nil {
		t.Errorf("marked package: %v", err)
	}
	return true
}

// markedSources returns the files of the marked package in the order in which the
// compiler gets them.
func markedSources(sources []Source, res *Result) []Source {
	var marked []Source
	if res.Declarations != nil {
		marked = append(marked, Source{"/src/p/" + declarationsName, res.Declarations})
	}
	for i, source := range sources {
		if res.Files[i] != nil {
			source.Text = res.Files[i]
		}
		marked = append(marked, source)
	}
	return marked
}

// imported are the packages that were type-checked for their importers, from source: all
// that is below some takes a second.
var imported = importer.ForCompiler(token.NewFileSet(), "source", nil)

func typeCheck(sources []Source) error {
	fset := token.NewFileSet()
	var files []*ast.File
	for _, source := range sources {
		f, err := parser.ParseFile(fset, source.Name, source.Text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	var first error
	conf := types.Config{
		Importer:    imported,
		FakeImportC: true,
		Error: func(err error) {
			if first == nil {
				first = err
			}
		},
	}
	if len(files) == 0 {
		return errors.New("no files")
	}
	conf.Check(testPath, fset, files, nil)
	return first
}
