// Lists of words as the go command reads them in -toolexec, GOFLAGS and -gcflags. The
// rules are those of cmd/internal/quoted, which only cmd can import.

package toolchain

import (
	"fmt"
	"strings"
)

// SplitQuoted splits a command into words as the go command splits -toolexec:
// at white space, except between two single or two double quotes that begin
// and end a word.
func SplitQuoted(s string) ([]string, error) {
	var words []string
	for s = strings.TrimLeft(s, " \t\n\r"); s != ""; s = strings.TrimLeft(s, " \t\n\r") {
		if quote := s[0]; quote == '"' || quote == '\'' {
			end := strings.IndexByte(s[1:], quote)
			if end < 0 {
				return nil, fmt.Errorf("unterminated %c string", quote)
			}
			words = append(words, s[1:1+end])
			s = s[1+end+1:]
			continue
		}
		end := strings.IndexAny(s, " \t\n\r")
		if end < 0 {
			end = len(s)
		}
		words = append(words, s[:end])
		s = s[end:]
	}
	return words, nil
}

// JoinQuoted is the inverse of SplitQuoted. A quote counts only at the start of a word, so
// most words are written as they are. There is no way to write a word that needs quotes and
// contains both kinds.
func JoinQuoted(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		switch {
		case w != "" && !strings.ContainsAny(w, " \t\n\r") && w[0] != '\'' && w[0] != '"':
			quoted[i] = w
		case !strings.Contains(w, "'"):
			quoted[i] = "'" + w + "'"
		default:
			quoted[i] = `"` + w + `"`
		}
	}
	return strings.Join(quoted, " ")
}
