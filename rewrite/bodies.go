// What a file declares, without what its functions do.

package rewrite

import (
	"go/scanner"
	"go/token"
)

// WithoutBodies returns the text with blanks for what is within the braces of its
// functions. Positions stay as they are. Of a file that go/parser gives up for the
// depth of its expressions and statements, which the compiler takes, that can be
// parsed in most cases.
func WithoutBodies(text []byte) []byte {
	out := append([]byte{}, text...)
	set := token.NewFileSet()
	file := set.AddFile("", -1, len(text))
	var s scanner.Scanner
	s.Init(file, text, nil, 0)
	depth := 0        // of all brackets
	function := false // in the signature or the body of a function
	begin := -1       // of what is in the braces of the body
	last := token.EOF // the token before
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
				function = false // it had no body
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
