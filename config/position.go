// Where the entries of a list are in the settings file.

package config

import (
	"fmt"
	"strings"
)

// A places tells where a key and the entries of its value are. Entries are
// looked for in the text, one behind the other, since the file's readers keep
// positions of keys only. One that is not found, as it is written with escapes,
// stands behind a # or has $NAME in it, is where the key is.
type positions struct {
	file, key    string
	text         string // from the key on, to the next one or a little further
	line, column int    // of the beginning of text
}

// newPositions returns the places of a property whose value ends above the line
// until; 0 if it is the last.
func newPositions(file, text string, p property, until int) *positions {
	at := &positions{file: file, key: fmt.Sprintf("%s:%d:%d", file, p.line, p.column), line: 1, column: 1}
	text, _ = strings.CutPrefix(text, "\uFEFF")
	for at.text = text; at.text != "" && (at.line < p.line || at.line == p.line && at.column < p.column); {
		at.skip(1)
	}
	if until > p.line {
		end := &positions{text: at.text, line: at.line, column: at.column}
		for end.text != "" && end.line < until {
			end.skip(1)
		}
		at.text = strings.TrimSuffix(at.text, end.text)
	}
	return at
}

// skip goes n bytes on. A line ends with "\n", "\r" or "\r\n".
func (at *positions) skip(n int) {
	for ; n > 0; n-- {
		c := at.text[0]
		at.text = at.text[1:]
		at.column++
		if c == '\n' || c == '\r' && !strings.HasPrefix(at.text, "\n") {
			at.line, at.column = at.line+1, 1
		}
	}
}

// entry returns the place of the next entry that is written like this.
func (at *positions) entry(e string) string {
	for _, written := range []string{e, strings.ReplaceAll(e, `\`, `\\`)} {
		for from := 0; written != ""; {
			i := strings.Index(at.text[from:], written)
			if i < 0 {
				break
			}
			i += from
			end := i + len(written)
			comment := strings.Contains(at.text[strings.LastIndexByte(at.text[:i], '\n')+1:i], "#")
			if i > 0 && !comment && strings.IndexByte(" \t\r\n\"'=:,;[", at.text[i-1]) >= 0 &&
				(end == len(at.text) || strings.IndexByte(" \t\r\n\"'=:,;]#\\", at.text[end]) >= 0) {
				at.skip(i)
				place := fmt.Sprintf("%s:%d:%d", at.file, at.line, at.column)
				at.skip(len(written))
				return place
			}
			from = i + 1
		}
	}
	return at.key
}
