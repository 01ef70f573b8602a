// The directive that is for the report: //scavenger:keep.
//
//	//scavenger:keep until=2027-02-01 runs on 31 December
//
// It stands where the other directives do, and says that a function stays although nobody
// calls it. What is marked does not depend on it, so a mistake in it must not stop a
// build. The text goes into the entry as it stands, and the report looks at it.

package rewrite

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxDirective is the length at which a directive is cut, so that no comment makes a line
// of a codebase file too long for its readers.
const maxDirective = 500

// keepText returns Function.Directive for a line that is a //scavenger:keep comment. An
// entry is a line of fields separated by tabs, so it has neither.
func keepText(line string) string {
	words := strings.Fields(strings.TrimPrefix(line, "//scavenger:"))
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(strings.Join(words, " "), "?"))
	for len(text) > maxDirective {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return text
}
