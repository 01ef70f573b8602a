// Parsing scavenger.conf: Java properties in UTF-8.
//
// There are libraries for this. The tests compare this parser with
// github.com/magiconair/properties. That one keeps no positions, and it links net/http,
// which costs 1.2 ms at each of the hundreds of starts in a build.

package config

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// A property is one entry of a properties file, or a key of a TOML file.
type property struct {
	name         string
	value        any // a string, or a value of TOML: bool, int64, []any, …
	line, column int // of the name, from 1, 0 if unknown; columns count bytes
}

// A syntaxError is an error in the syntax of a file.
type syntaxError struct {
	line, column int
	message      string
}

func (e *syntaxError) Error() string { return e.message }

// parseProperties parses a properties file as java.util.Properties.load does.
func parseProperties(text string) ([]property, error) {
	text, _ = strings.CutPrefix(text, "\uFEFF")
	p := &propertyParser{text: text, line: 1, column: 1}
	if i := invalidUTF8(text); i >= 0 {
		p.skip(i)
		return nil, p.syntaxError("not UTF-8")
	}
	var properties []property
	for {
		p.skipBlank()
		switch c := p.peek(); {
		case p.offset == len(p.text):
			return properties, nil
		case c == '#' || c == '!':
			p.skip(len(p.text[p.offset:]) - len(strings.TrimLeftFunc(p.text[p.offset:], func(r rune) bool { return r != '\n' && r != '\r' })))
		default:
			entry, err := p.entry()
			if err != nil {
				return nil, err
			}
			properties = append(properties, entry)
		}
	}
}

func invalidUTF8(text string) int {
	for i, r := range text {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
				return i
			}
		}
	}
	return -1
}

// A propertyParser parses text from offset on.
type propertyParser struct {
	text         string
	offset       int
	line, column int
}

func (p *propertyParser) syntaxError(message string) error {
	return &syntaxError{p.line, p.column, message}
}

// peek returns the next byte, or 0 at the end.
func (p *propertyParser) peek() byte {
	if p.offset == len(p.text) {
		return 0
	}
	return p.text[p.offset]
}

// skip advances by n bytes. A line ends with "\n", "\r" or "\r\n".
func (p *propertyParser) skip(n int) {
	for range n {
		c := p.text[p.offset]
		p.offset++
		p.column++
		if c == '\n' || c == '\r' && p.peek() != '\n' {
			p.line, p.column = p.line+1, 1
		}
	}
}

func (p *propertyParser) skipAny(set string) {
	for p.offset < len(p.text) && strings.IndexByte(set, p.text[p.offset]) >= 0 {
		p.skip(1)
	}
}

const (
	blanks   = " \t\f"
	lineEnds = "\r\n"
)

// skipBlank skips blank lines and the blanks at the start of a line.
func (p *propertyParser) skipBlank() { p.skipAny(blanks + lineEnds) }

// entry parses the next logical line: a name, which ends at the first blank, "=" or ":",
// and a value.
func (p *propertyParser) entry() (property, error) {
	e := property{line: p.line, column: p.column}
	name, err := p.chars(blanks + lineEnds + "=:")
	if err != nil {
		return e, err
	}
	e.name = name
	if err := p.separator(); err != nil {
		return e, err
	}
	if c := p.peek(); c == '=' || c == ':' {
		p.skip(1)
		if err := p.separator(); err != nil {
			return e, err
		}
	}
	value, err := p.chars(lineEnds)
	e.value = value
	return e, err
}

// separator skips blanks and continuations.
func (p *propertyParser) separator() error {
	for {
		p.skipAny(blanks)
		if !p.continuation() {
			return nil
		}
	}
}

// continuation skips a backslash at the end of a line, the end of that line, and the
// blanks at the start of the next. It reports whether there was such a backslash.
func (p *propertyParser) continuation() bool {
	rest := p.text[p.offset:]
	if !strings.HasPrefix(rest, "\\\n") && !strings.HasPrefix(rest, "\\\r") {
		return false
	}
	n := 2
	if strings.HasPrefix(rest, "\\\r\n") {
		n = 3
	}
	p.skip(n)
	p.skipAny(blanks)
	return true
}

// chars parses text up to a byte in end that has no backslash in front of it.
func (p *propertyParser) chars(end string) (string, error) {
	var b strings.Builder
	for p.offset < len(p.text) && strings.IndexByte(end, p.text[p.offset]) < 0 {
		c := p.text[p.offset]
		if c != '\\' {
			b.WriteByte(c)
			p.skip(1)
			continue
		}
		if p.continuation() {
			continue
		}
		if p.offset+1 == len(p.text) {
			p.skip(1)
			break
		}
		switch c := p.text[p.offset+1]; c {
		case 'u':
			digits := p.text[min(p.offset+2, len(p.text)):min(p.offset+6, len(p.text))]
			n, err := strconv.ParseUint(digits, 16, 16)
			if err != nil || len(digits) != 4 {
				return "", p.syntaxError("\\u wants four hexadecimal digits; write a backslash as \\\\")
			}
			b.WriteRune(rune(n))
			p.skip(6)
			continue
		case 't', 'n', 'r', 'f':
			b.WriteByte("\t\n\r\f"[strings.IndexByte("tnrf", c)])
		default:
			b.WriteByte(c)
		}
		p.skip(2)
	}
	return b.String(), nil
}
