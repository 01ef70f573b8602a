// Text for people. It has names in it that others chose: of files in a data directory,
// of functions, of what a collector answers. On a terminal a control character in one of
// them would be a command, so none gets there.

package command

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Escaped returns text with its control characters, and others that cannot be seen, as
// \u001b. Line ends and tabs stay. Inside of JSON the result means the same.
func Escaped(text string) string {
	if strings.IndexFunc(text, hidden) < 0 {
		return text
	}
	var b strings.Builder
	for i, size := 0, 0; i < len(text); i += size {
		var r rune
		r, size = utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case strings.HasPrefix(text[i:], "\r\n"):
			b.WriteByte('\r')
		case !hidden(r):
			b.WriteRune(r)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// hidden reports whether a character does something else than to be seen.
func hidden(r rune) bool {
	return r != '\n' && r != '\t' && (r == utf8.RuneError || !unicode.IsGraphic(r))
}

// indented is [Escaped], and moves all lines but the first to the right: a name with a
// line end in it makes no line of its own.
func indented(text string, columns int) string {
	return strings.ReplaceAll(Escaped(text), "\n", "\n"+strings.Repeat(" ", columns))
}

// A printer is the standard output or error of commands: it writes text Escaped.
type printer struct {
	to   io.Writer
	rest []byte // the beginning of a character, or of a line end
	err  error  // the first one
}

func (p *printer) Write(b []byte) (int, error) {
	text := append(p.rest, b...)
	whole := len(text)
	for i := 1; i < utf8.UTFMax && i <= len(text); i++ {
		if tail := text[len(text)-i:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) || string(tail) == "\r" {
				whole -= i
			}
			break
		}
	}
	p.rest = append([]byte(nil), text[whole:]...)
	if _, err := io.WriteString(p.to, Escaped(string(text[:whole]))); err != nil {
		p.err = cmp.Or(p.err, err)
		return 0, err
	}
	return len(b), nil
}

// end writes what Write has kept back, and returns the first error of all that was
// written.
func (p *printer) end() error {
	_, err := io.WriteString(p.to, Escaped(string(p.rest)))
	p.rest = nil
	return cmp.Or(p.err, err)
}

// unescaped returns the writer that out writes to, for control characters of our own.
func unescaped(out io.Writer) io.Writer {
	if p, ok := out.(*printer); ok {
		return p.to
	}
	return out
}
