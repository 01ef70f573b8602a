// The position of a mark.
//
// The compiler must make of a marked file what it makes of the original, plus the marks.
// Two things would give a mark away, and both decide where it goes:
//
// 1. Lines. The compiler's line table says for each instruction which line it comes from.
// Debuggers set breakpoints by it, tracebacks and profiles print it. If a mark is on a
// line that has no code of its own, such as that of the opening brace, the table gains a
// line. So a mark goes in front of the first statement, on that statement's line. In an
// empty body it goes in front of the closing brace, which is the line of the return
// instruction. Declarations at the start of the body are skipped: many of them are no
// code, and none of them can fail or block.
//
// 2. Columns. The compiler prints them in its messages, and a mark moves everything
// behind it on its line. So a directive /*line :L:C*/ follows the mark and gives the
// position that the text had before. Its empty file name stands for the current one.
// Behind a //line directive without a column there must be no such directive, because
// there the compiler prints no columns.
//
// The compiler stores a column in eight bits, where 255 means 255 or more. It computes
// the column that it prints from the stored one, so behind a mark the end of a long line
// would get a wrong column instead of none. If the line is long, the mark therefore goes
// behind the opening brace, provided that nothing else follows on that line. A directive
// says that it is on the line of the statement, with column 255, which stands for none:
//
//	func f() {/*line :2:255*/if _scavenger_0123456789ab[4113] == 0 { _scavenger_0123456789ab[4113] = 1 };/*line :1:11*/
//		return "…"
//	}
//
// In the same way, a mark in front of "switch {", which is no code, gets the line of the
// first case.
//
// A body may start with an if whose condition is constant, which is no code either.
// Without types we cannot tell, so the mark gets the line of the if, and the table gains
// it.
//
// A function on one line has no other line for its mark. From about column 160 on, or
// behind the second mark of the line, columns may be wrong.
//
// For the compiler, a directive starts what it treats as another file. If the compiler
// inlines the call in a mark, it needs an instruction on the first statement's line to
// stand for that call in the tables for tracebacks. It finds none in the other file, and
// inserts one that does nothing. So columns are restored only if somebody will read them
// ([Options.Columns]). Lines need no directive if the mark and the code behind it are on
// the same line.
//
// Directives cannot restore all of the compiler's messages. It sorts messages by
// directive first, and to a second position within a message it adds the position without
// directives. If the output has to be the same, compile the original files after a
// failure.

package rewrite

import (
	"bytes"
	"go/ast"
	"go/token"
	"strconv"
)

const (
	maxColumn     = 255     // the compiler stores (cmd/internal/src.colMax)
	maxLineColumn = 1 << 30 // a directive may give (cmd/compile/internal/syntax.PosMax)
)

// A writer copies the text of a file and adds marks to it.
type writer struct {
	*file
	symbol   string // name of the mark array
	counters string // name of the array that free marks assign to; "" without free marks
	columns  bool   // the text behind a mark keeps its columns
	form     form   // of the next mark

	out  []byte // the marked text; nil as long as nothing differs from the original
	next int    // offset of the first byte that is not yet copied
	buf  []byte // the text of the current mark
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

// copyTo copies the text up to pos.
func (w *writer) copyTo(pos token.Pos) {
	offset := w.offset(pos)
	w.out = append(w.out, w.source.Text[w.next:offset]...)
	w.next = offset
}

// text writes a mark that is to stand in front of pos into w.buf. If the position code is
// on a later line, and a directive can say so, the mark gets that line.
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

// sameLines reports whether to is on a later line than from and a directive at from can
// give the position of to: no directive in between changes the file name or the count of
// lines, and both columns are known.
func (w *writer) sameLines(from, to token.Pos) bool {
	lines := w.raw(to).Line - w.raw(from).Line
	if lines == 0 {
		return false
	}
	a, b := w.adjusted(from), w.adjusted(to)
	return b.Line-a.Line == lines && a.Filename == b.Filename && canSay(a) && canSay(b)
}

// begin starts the output with a header. The header, a //line directive like that of
// cmd/cover, gives the marked file the name of the original.
//
// A byte order mark is an error anywhere but at the start of a file. Three blanks replace
// it, because the compiler counts its three bytes as columns. They also keep a comment
// that follows at column 4, where it cannot be a //line directive.
func (w *writer) begin() {
	text := w.source.Text
	// A mark is about 90 bytes long, and the average function four to five times as long.
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

// finish returns the marked text, or nil if it does not differ from the original.
func (w *writer) finish() []byte {
	if w.out == nil {
		return nil
	}
	return append(w.out, w.source.Text[w.next:]...)
}

// position returns the position in front of which the mark of a body goes. It also
// returns the position of the body's first code, whose line the mark should have.
func (w *writer) position(body *ast.BlockStmt) (pos, code token.Pos) {
	code = firstCode(body.List, body.Rbrace)
	for _, stmt := range body.List {
		if !isDeclaration(stmt) {
			return stmt.Pos(), code
		}
	}
	// Behind the last declaration there must be a line break, or a semicolon would be
	// missing.
	if n := len(body.List); n > 0 {
		last := body.List[n-1]
		if w.raw(last.End()).Line == w.raw(body.Rbrace).Line {
			return last.Pos(), code
		}
	}
	return body.Rbrace, code
}

// firstCode returns the position of the first code in a list of statements, or end if
// there is none.
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

// isDeclaration reports whether a statement only declares names, and runs no code that
// can fail or block.
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

// areSimple reports whether all expressions are literals or names.
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

// appendLine appends a directive that gives the text behind it the position pos. It
// appends nothing if no directive can.
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

// canSay reports whether a directive can give the position pos.
func canSay(pos token.Position) bool {
	return 1 <= pos.Column && pos.Column <= maxLineColumn && 1 <= pos.Line && pos.Line <= maxLineColumn
}

// isLong reports whether n more bytes in front of pos move the end of its line beyond the
// last column that the compiler stores.
func (w *writer) isLong(pos token.Pos, n int) bool {
	rest := w.source.Text[w.offset(pos):]
	room := maxColumn - w.raw(pos).Column - n
	if room < 0 {
		return true
	}
	return len(rest) > room && bytes.IndexByte(rest[:room+1], '\n') < 0
}
