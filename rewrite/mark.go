// Where a mark goes, and its text.
//
// What the compiler makes of a marked file shall differ from what it makes of
// the original in the marks only. Two things give a mark away, and both decide
// about its place:
//
// 1. Lines. The compiler's line table says for each instruction where it comes
// from: debuggers set breakpoints by it, tracebacks and profiles print it. If
// a mark is on a line that has no code of its own, such as that of the opening
// brace, the table gains a line. So a mark goes before the first statement, on
// the statement's line; in an empty body before the closing brace, which is
// where the return instruction says it is. Declarations at the start of the body
// are passed over, because they often are no code at all and can neither fail
// nor block.
//
// 2. Columns. They show in the compiler's messages, and whatever is behind a
// mark on its line moves. The directive /*line :L:C*/ behind the mark says
// where the text would be without it. An empty file name stands for the one in
// force. There must be no such directive behind a //line directive that gives
// no column, since the compiler then prints none.
//
// The compiler keeps a column in eight bits, and computes what it prints from
// the column in the file after it was cut off at 255. Behind a mark a long line
// would reach that sooner, and get wrong columns instead of none. So if the line
// is long the mark goes behind the opening brace, on a line that has nothing else
// behind it, and is said to be on the line of the statement nevertheless:
//
//	func f() {/*line :2:255*/if _scavenger_0123456789ab[4113] == 0 { _scavenger_0123456789ab[4113] = 1 };/*line :1:11*/
//		return "…"
//	}
//
// in which 255 stands for no column. A mark in front of "switch {", which is no
// code, is said to be on the line of the first case in the same way.
//
// What is left are functions on one line: from about column 160 on, or the
// second mark, their columns may be wrong.
//
// A directive begins what the compiler keeps as a file of its own. There it finds
// no instruction of the first statement's line that could stand for the call of
// a mark that it has inlined, in the tables for tracebacks, and puts one in that
// does nothing. So columns are restored only if somebody is going to read them
// ([Options.Columns]); line numbers need no directive where the mark and the code
// behind it are on one line.
//
// Nor can directives restore all of the compiler's messages. It sorts them by
// directive first, and where a message mentions a second position it adds the
// one without directives. Where its output is to be the same, let it compile the
// original files after a failure.

package rewrite

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/token"
	"strconv"
)

const (
	maxColumn     = 255     // that the compiler distinguishes (cmd/internal/src.colMax)
	maxLineColumn = 1 << 30 // that a directive may give (cmd/compile/internal/syntax.PosMax)
)

// A writer copies the text of a file and adds marks to it.
type writer struct {
	*file
	symbol   string // the array of marks
	counters string // the array that free marks assign to; "" if there are none
	columns  bool   // what is behind a mark keeps its column
	form     form   // of the next mark

	out  []byte // nil as long as there is no mark
	next int    // offset of the text that has not been copied
	buf  []byte // for the text of a mark
}

// mark adds the mark of the function with the given body and index.
func (w *writer) mark(body *ast.BlockStmt, index int) {
	if w.out == nil {
		w.begin()
	}
	pos, code := w.position(body)
	w.text(pos, code, index)
	if start := body.Lbrace + 1; w.columns && w.isLong(pos, len(w.buf)) && w.sameLines(start, code) {
		pos = start
		w.text(pos, code, index)
	}
	w.copyTo(pos)
	w.out = append(w.out, w.buf...)
}

// copyTo copies the text in front of pos that has not been copied.
func (w *writer) copyTo(pos token.Pos) {
	offset := w.offset(pos)
	w.out = append(w.out, w.source.Text[w.next:offset]...)
	w.next = offset
}

// replace puts another name in the place of one.
func (w *writer) replace(old *ast.Ident, name string) {
	if w.out == nil {
		w.begin()
	}
	w.copyTo(old.Pos())
	w.out = append(w.out, name...)
	w.next = w.offset(old.End())
	if w.columns {
		w.out = appendLine(w.out, w.adjusted(old.End()))
	}
}

// beginTwin starts a copy of what stands at pos, behind all of the file's text.
func (w *writer) beginTwin(pos token.Pos) {
	if !bytes.HasSuffix(w.out, []byte("\n")) {
		w.out = append(w.out, '\n')
	}
	if p := w.adjusted(pos); canSay(p) {
		w.out = appendLine(w.out, p)
	} else {
		w.out = fmt.Appendf(w.out, "//line %s:%d\n", p.Filename, p.Line)
	}
	w.next = w.offset(pos)
}

// text makes the text of a mark in front of pos. If it can, the mark says that
// it is on the line of code.
func (w *writer) text(pos, code token.Pos, index int) {
	w.buf = w.buf[:0]
	elsewhere := w.sameLines(pos, code)
	if elsewhere {
		p := w.adjusted(code)
		p.Column = maxColumn
		w.buf = appendLine(w.buf, p)
	}
	w.buf = w.appendMark(w.buf, index)
	if elsewhere || w.columns {
		w.buf = appendLine(w.buf, w.adjusted(pos))
	}
}

// sameLines reports whether the position to is some lines below from and
// nothing but their number makes a difference between the two: there is no
// directive in between that gives another name or count, and columns are known.
func (w *writer) sameLines(from, to token.Pos) bool {
	lines := w.raw(to).Line - w.raw(from).Line
	if lines == 0 {
		return false
	}
	a, b := w.adjusted(from), w.adjusted(to)
	return b.Line-a.Line == lines && a.Filename == b.Filename && canSay(a) && canSay(b)
}

// begin starts the output. The header gives the file the name that it would
// have without it, as cmd/cover does.
//
// A byte order mark would be an error behind a header. Three blanks take its
// place, since the compiler counts its bytes as columns; and the comment behind
// it must not turn into the directive that it is not at column 4.
func (w *writer) begin() {
	text := w.source.Text
	// A mark has about 90 bytes, the average function four to five times as many.
	w.out = make([]byte, 0, len(text)+len(text)/4+1024)
	if w.name == "" {
		w.out = append(w.out, "//line "...)
		w.out = append(w.out, w.source.Name...)
		w.out = append(w.out, ":1:1\n"...)
	}
	if bytes.HasPrefix(text, []byte("\uFEFF")) {
		w.out = append(w.out, "   "...)
		w.next = 3
	}
}

// finish returns the marked text, nil if there is no mark.
func (w *writer) finish() []byte {
	if w.out == nil {
		return nil
	}
	return append(w.out, w.source.Text[w.next:]...)
}

// place returns the position in front of which the mark of a body goes, and the
// position of the body's first code, on whose line it should be.
func (w *writer) position(body *ast.BlockStmt) (pos, code token.Pos) {
	code = firstCode(body.List, body.Rbrace)
	for _, stmt := range body.List {
		if !isDeclaration(stmt) {
			return stmt.Pos(), code
		}
	}
	// Behind a declaration there must be a line break, or a semicolon would be
	// missing.
	if n := len(body.List); n > 0 {
		last := body.List[n-1]
		if w.raw(last.End()).Line == w.raw(body.Rbrace).Line {
			return last.Pos(), code
		}
	}
	return body.Rbrace, code
}

// firstCode returns the position of the first code of a list of statements that
// ends at end.
func firstCode(list []ast.Stmt, end token.Pos) token.Pos {
	for _, stmt := range list {
		if isDeclaration(stmt) {
			continue
		}
		switch s := stmt.(type) {
		case *ast.BlockStmt:
			return firstCode(s.List, s.Rbrace)
		case *ast.DeclStmt:
			for _, spec := range s.Decl.(*ast.GenDecl).Specs {
				if v, ok := spec.(*ast.ValueSpec); ok && !areSimple(v.Values) {
					return v.Pos()
				}
			}
		case *ast.SwitchStmt:
			for _, c := range s.Body.List {
				if c := c.(*ast.CaseClause); s.Init == nil && s.Tag == nil && len(c.List) > 0 {
					return c.List[0].Pos()
				}
			}
		}
		return stmt.Pos()
	}
	return end
}

// isDeclaration reports whether a statement only declares names, and executes
// nothing that can fail or block.
func isDeclaration(stmt ast.Stmt) bool {
	switch stmt := stmt.(type) {
	case *ast.EmptyStmt:
		return true
	case *ast.AssignStmt:
		return stmt.Tok == token.DEFINE && areSimple(stmt.Rhs)
	case *ast.DeclStmt:
		decl, ok := stmt.Decl.(*ast.GenDecl)
		if !ok {
			return false
		}
		for _, spec := range decl.Specs {
			if v, ok := spec.(*ast.ValueSpec); ok && decl.Tok == token.VAR && !areSimple(v.Values) {
				return false
			}
		}
		return true
	}
	return false
}

// areSimple reports whether expressions are literals and names.
func areSimple(list []ast.Expr) bool {
	for _, x := range list {
		switch x.(type) {
		case *ast.BasicLit, *ast.Ident:
		default:
			return false
		}
	}
	return true
}

// appendLine appends the directive that gives the text behind it the position
// pos, if there is one.
func appendLine(b []byte, pos token.Position) []byte {
	if !canSay(pos) {
		return b
	}
	b = append(b, "/*line :"...)
	b = strconv.AppendInt(b, int64(pos.Line), 10)
	b = append(b, ':')
	b = strconv.AppendInt(b, int64(pos.Column), 10)
	return append(b, "*/"...)
}

// canSay reports whether a directive can give the position.
func canSay(pos token.Position) bool {
	return 1 <= pos.Column && pos.Column <= maxLineColumn && 1 <= pos.Line && pos.Line <= maxLineColumn
}

// isLong reports whether n more bytes in front of pos move the end of its line
// out of the columns that the compiler knows.
func (w *writer) isLong(pos token.Pos, n int) bool {
	rest := w.source.Text[w.offset(pos):]
	room := maxColumn - w.raw(pos).Column - n
	if room < 0 {
		return true
	}
	return len(rest) > room && bytes.IndexByte(rest[:room+1], '\n') < 0
}
