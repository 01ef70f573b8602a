// The report as a coverage profile, for go tool cover, editors and coverage services.

package output

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// CoverProfile writes the functions as a coverage profile of mode set: what was called is
// covered. It counts lines for statements, so percentages are of lines.
//
// Columns are not known. A block begins at the line of `func`, and ends behind the brace
// that gofmt puts first on the last line. A function literal that is listed by itself has
// the lines between its first and its last: these two belong to the code around it, which
// would otherwise have no line left in
//
//	func later(f func()) func() { return func() { f() } }
//
// Of a function of which nobody knows whether it was called, the word func is covered.
// Without any block, go tool cover -func prints 0.0%, as if it was never called. For the same
// reason, a file with selected functions is written as a whole.
//
// The note says what is missing in the profile, "" for nothing.
func CoverProfile(w io.Writer, r *report.Report) (note string, err error) {
	files, left, unknown := map[string][]coverBlock{}, 0, 0
	names := newProfileNames(r)
	add := func(f *report.Function, name string) {
		if b := newCoverBlock(r, f); isKnown(f) || !b.literal {
			files[name] = append(files[name], b)
		}
		if !isKnown(f) {
			unknown++
		}
	}
	for i := range r.Functions {
		f := &r.Functions[i]
		if name := names.of(f); name != "" {
			add(f, name)
		} else {
			left++
		}
	}
	for i := range r.Others {
		f := &r.Others[i]
		if name := names.of(f); files[name] != nil {
			add(f, name)
		}
	}
	out := bufio.NewWriter(w) // keeps its first error for Flush
	fmt.Fprintln(out, "mode: set")
	for _, name := range slices.Sorted(maps.Keys(files)) {
		for _, b := range coverBlocks(files[name]) {
			fmt.Fprintf(out, "%s:%d.1,%d.%d %d %d\n", name, b.from, b.to, b.endColumn, b.to-b.from+1, b.count)
		}
	}
	return joinNotes(
		countNote(left, "function is", "functions are", "left out: go tool cover would find no source"),
		countNote(unknown, "function counts", "functions count", "as covered in the word func alone: whether it was called is not known"),
		presumed(r, report.Printable),
	), out.Flush()
}

// isKnown reports whether it is known that a function was called, or that it was not.
func isKnown(f *report.Function) bool {
	return f.Status == report.Called || f.Status == report.NeverCalled
}

// profileNames are the names by which go tool cover finds the files of functions. It has
// the directory of each package, relative to the root of the main module or workspace.
type profileNames map[string]string

// newProfileNames finds the directories of packages. Most of a package's files are in it,
// and the others below, where //line directives say so.
func newProfileNames(r *report.Report) profileNames {
	dirs := profileNames{}
	for _, list := range [][]report.Function{r.Functions, r.Others} {
		for i := range list {
			pkg, dir := profilePackage(&list[i]), path.Dir(list[i].File)
			if have, ok := dirs[pkg]; !ok || isBelow(have, dir) {
				dirs[pkg] = dir
			}
		}
	}
	return dirs
}

// profilePackage returns the import path of the directory of a function's package.
func profilePackage(f *report.Function) string {
	if strings.HasSuffix(f.File, "_test.go") {
		return strings.TrimSuffix(f.Package, "_test")
	}
	return f.Package
}

// of returns the name of a function's file: that of its package, and the base name. It is ""
// if there is none, for files that //line directives name and programs that are built from
// files. go tool cover stops at the first file that it does not find, so in doubt a function
// is left out.
func (dirs profileNames) of(f *report.Function) string {
	pkg, dir := profilePackage(f), path.Dir(f.File)
	name := pkg + "/" + path.Base(f.File)
	switch {
	case path.Ext(name) != ".go", f.Line < 1:
	case isBelow(dir, dirs[pkg]), isBelowPackage(f, pkg, dir):
	case pkg == "", pkg == "main", pkg == "command-line-arguments", path.Clean(pkg) != pkg:
	case strings.ContainsAny(pkg[:1], "-./"), strings.Contains(pkg, "..."):
		// Flags, directories and patterns.
	case !utf8.ValidString(name), strings.IndexFunc(name, notInNames) >= 0:
	default:
		return name
	}
	return ""
}

// isBelow reports whether a directory is below another one.
func isBelow(dir, other string) bool {
	return dir != other && (other == "." || strings.HasPrefix(dir, other+"/"))
}

// isBelowPackage reports whether a directory is below that of its package, as the path of
// the main module tells. In a workspace the module may be in any directory, so one of the
// same name as the package is the package's.
func isBelowPackage(f *report.Function, pkg, dir string) bool {
	if !strings.HasPrefix(path.Join(f.Module, dir), pkg+"/") {
		return false
	}
	rest, ofModule := strings.CutPrefix(pkg, f.Module)
	return f.Module == "" || !ofModule || !strings.HasSuffix("/"+dir, rest)
}

// notInNames reports whether neither an import path nor the name of a Go file has r in it.
func notInNames(r rune) bool {
	return !unicode.IsPrint(r) || unicode.IsSpace(r) || strings.ContainsRune("!\"#$%&'()*,:;<=>?@[\\]^`{|}", r)
}

// A coverBlock is a block of a profile. It has whole lines, but for the end of the last.
type coverBlock struct {
	from, to  int // lines
	endColumn int // behind the block
	count     int // 1 if it was covered, else 0
	literal   bool
	whole     bool         // of several functions, so it has no literals
	inner     []coverBlock // literals in it, those within others behind these
}

const (
	behindBrace = 2    // column behind the last brace of a function
	behindFunc  = 5    // column behind the word func
	behindLine  = 9999 // column behind any line
)

// newCoverBlock returns the block of a function.
func newCoverBlock(r *report.Report, f *report.Function) coverBlock {
	b := coverBlock{from: f.Line, to: f.Line + max(f.Lines, 1) - 1, endColumn: behindLine, literal: strings.Contains(f.Name, ".")}
	switch {
	case !isKnown(f):
		b.to, b.endColumn = b.from, behindFunc
	case b.to > b.from:
		b.endColumn = behindBrace
	}
	if f.Status != report.NeverCalled && !r.Uncalled(f) {
		b.count = 1
	}
	return b
}

// coverBlocks returns the blocks of a file, in order. No two of them overlap: go tool cover
// -html shows the first alone, and -func adds them up.
func coverBlocks(blocks []coverBlock) (list []coverBlock) {
	slices.SortStableFunc(blocks, func(a, b coverBlock) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)) })
	var outer []coverBlock
	for _, b := range blocks {
		outer = appendBlock(outer, b)
	}
	for i := range outer {
		list = append(list, outer[i].split()...)
	}
	return list
}

// appendBlock appends a block to those that begin before it. A literal goes into the last
// of them. Other blocks overlap if functions share a line, or if one stands where another
// build has another one: then the lines are those of the function that was called.
func appendBlock(list []coverBlock, b coverBlock) []coverBlock {
	if len(list) == 0 {
		return append(list, b)
	}
	last := &list[len(list)-1]
	switch {
	case b.from > last.to:
	case b.literal && b.to <= last.to:
		if !last.whole {
			last.inner = append(last.inner, b)
		}
		return list
	case b.count == last.count:
		*last = coverBlock{from: last.from, to: max(last.to, b.to), endColumn: behindLine, count: b.count, whole: true}
		return list
	case b.count == 0:
		b.from = last.to + 1
		if b.from > b.to {
			return list
		}
	case b.from <= last.from:
		return appendBlock(list[:len(list)-1], b)
	default:
		last.to, last.endColumn = b.from-1, behindLine
	}
	return append(list, b)
}

// split returns the parts of a block: the literals in it, and what is around them.
func (b *coverBlock) split() (list []coverBlock) {
	next := b.from // the first line that is in no part
	for i, l := range b.inner {
		in := coverBlock{from: l.from + 1, to: l.to - 1, endColumn: behindLine, count: l.count}
		if l.from > b.to {
			break
		}
		if in.from > in.to || in.from < next || in.to > b.to {
			continue
		}
		if next < in.from {
			list = appendPart(list, coverBlock{from: next, to: in.from - 1, endColumn: behindLine, count: b.count})
		}
		in.inner = b.inner[i+1:]
		for _, part := range in.split() {
			list = appendPart(list, part)
		}
		next = in.to + 1
	}
	if next <= b.to {
		list = appendPart(list, coverBlock{from: next, to: b.to, endColumn: b.endColumn, count: b.count})
	}
	return list
}

// appendPart appends a part to those in front of it, as one with the last if it can be.
func appendPart(list []coverBlock, part coverBlock) []coverBlock {
	if n := len(list); n > 0 && list[n-1].count == part.count {
		list[n-1].to, list[n-1].endColumn = part.to, part.endColumn
		return list
	}
	return append(list, part)
}
