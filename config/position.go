// The positions of settings in the settings file, for messages.

package config

import (
	"fmt"
	"strings"
)

// A positions finds the positions of a key and of the entries in its list. The parsers
// keep only the positions of keys, so the entries are looked up in the text, one after
// the other. An entry may not be found there, because it is written with escapes,
// contains $NAME, or follows a #. Its position is then that of the key.
type positions struct {
	file         string
	key          string // position of the key, such as scavenger.toml:3:1
	text         string // the rest of the file behind the last entry, up to the next key
	line, column int    // of the start of text
}

// newPositions returns the positions of a property. The next property is on line until,
// which is 0 if there is none.
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

// skip advances by n bytes. A line ends with "\n", "\r" or "\r\n".
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

// entry returns the position of the next entry whose text is e.
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
				position := fmt.Sprintf("%s:%d:%d", at.file, at.line, at.column)
				at.skip(len(written))
				return position
			}
			from = i + 1
		}
	}
	return at.key
}
