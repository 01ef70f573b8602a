// Files that are too deep for go/parser.

package rewrite

import (
	"go/scanner"
	"go/token"
)

// WithoutBodies returns the text with blanks in place of the bodies of its functions. All
// positions stay the same. go/parser refuses a file whose expressions and statements are
// nested too deeply, although the compiler accepts it. Without bodies most such files can
// be parsed, and what they declare can be listed.
func WithoutBodies(text []byte) []byte {
	out := append([]byte{}, text...)
	set := token.NewFileSet()
	file := set.AddFile("", -1, len(text))
	var s scanner.Scanner
	s.Init(file, text, nil, 0)
	depth := 0        // of brackets of any kind
	function := false // the token is in the signature or the body of a function
	begin := -1       // offset of the body, behind its brace; -1 outside of a body
	last := token.EOF // the previous token
	for {
		pos, tok, _ := s.Scan()
		switch tok {
		case token.EOF:
			return out
		case token.FUNC:
			function = function || depth == 0 && (last == token.EOF || last == token.SEMICOLON)
		case token.LBRACE:
			if function && begin < 0 && depth == 0 && last != token.INTERFACE && last != token.STRUCT {
				begin = file.Offset(pos) + 1
			}
			depth++
		case token.LPAREN, token.LBRACK:
			depth++
		case token.RPAREN, token.RBRACK:
			depth--
		case token.RBRACE:
			if depth--; depth == 0 && begin >= 0 {
				erase(out[begin:file.Offset(pos)])
				function, begin = false, -1
			}
		case token.SEMICOLON:
			if depth == 0 {
				function = false // the function has no body
			}
		}
		last = tok
	}
}

func erase(text []byte) {
	for i, c := range text {
		if c != '\n' && c != '\r' {
			text[i] = ' '
		}
	}
}
