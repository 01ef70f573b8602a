// Parsing JSON.

package datafile

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep values may be nested. It is encoding/json's limit.
const maxDepth = 10000

// A parser is at a byte of a text. Where the text is wrong it comes to its end: then
// nothing more can be read, and done returns an error.
type parser struct {
	text []byte
	at   int
	err  error
}

func (p *parser) fail() {
	switch {
	case p.err != nil:
	case p.at < len(p.text):
		p.err = fmt.Errorf("wrong JSON at byte %d", p.at)
	default:
		p.err = errors.New("unexpected end of JSON")
	}
	p.text = p.text[:min(p.at, len(p.text))]
}

// done returns an error if the text was wrong, or has something behind the value.
func (p *parser) done() error {
	if p.space(); p.at < len(p.text) {
		p.fail()
	}
	return p.err
}

// object reads the begin of an object, and reports whether it has a member. null has none.
func (p *parser) object() bool {
	p.space()
	return !p.literal("null") && p.open('{')
}

// open reads the begin of an object or array, and reports whether anything is in it.
func (p *parser) open(begin byte) bool {
	if !p.take(begin) {
		p.fail()
		return false
	}
	p.space()
	return !p.take(begin + 2) // its end
}

// more reads what follows a member, and reports whether there is another one.
func (p *parser) more(end byte) bool {
	if p.space(); p.take(end) {
		return false
	}
	more := p.take(',')
	if p.space(); !more {
		p.fail()
	}
	return more
}

// key reads the key of a member.
func (p *parser) key() []byte {
	key := p.string()
	if p.space(); !p.take(':') {
		p.fail()
	}
	p.space()
	return key
}

// skip reads a value of any kind that is inside of so many others.
func (p *parser) skip(depth int) {
	switch c := p.peek(); {
	case c == '{' || c == '[':
		if depth == maxDepth {
			p.fail()
		}
		for ok := p.open(c); ok; ok = p.more(c + 2) {
			if c == '{' {
				p.key()
			}
			p.skip(depth + 1)
		}
	case c == '"':
		p.string()
	case !p.literal("true") && !p.literal("false") && !p.literal("null"):
		p.number()
	}
}

// into reads the value of a field.
func (p *parser) into(value any) {
	switch v := value.(type) {
	case *string:
		if s := p.string(); string(s) != *v {
			*v = string(s)
		}
	case *bool:
		if *v = p.literal("true"); !*v && !p.literal("false") {
			p.fail()
		}
	default:
		if !setNumber(v, string(p.number())) {
			p.fail()
		}
	}
}

// peek returns the next byte, 0 at the end.
func (p *parser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

// take reads a byte, if it is the next one.
func (p *parser) take(c byte) bool {
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *parser) space() {
	for p.take(' ') || p.take('\n') || p.take('\t') || p.take('\r') {
	}
}

// literal reads a word, if it is the next one.
func (p *parser) literal(word string) bool {
	if !bytes.HasPrefix(p.text[min(p.at, len(p.text)):], []byte(word)) {
		return false
	}
	p.at += len(word)
	return true
}

// number reads a number.
func (p *parser) number() []byte {
	from := p.at
	p.take('-')
	if !p.take('0') {
		p.digits()
	}
	if p.take('.') {
		p.digits()
	}
	if p.take('e') || p.take('E') {
		_ = p.take('+') || p.take('-')
		p.digits()
	}
	return p.text[from:p.at]
}

// digits reads at least one digit.
func (p *parser) digits() {
	from := p.at
	for c := p.peek(); '0' <= c && c <= '9'; c = p.peek() {
		p.at++
	}
	if p.at == from {
		p.fail()
	}
}

// string reads a string, and returns what it stands for.
func (p *parser) string() []byte {
	if !p.take('"') {
		p.fail()
	}
	from := p.at
	for ; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '"':
			p.at++
			return p.text[from : p.at-1]
		case c == '\\' || c < ' ' || c >= utf8.RuneSelf:
			return p.unusual(slices.Clone(p.text[from:p.at]))
		}
	}
	p.fail()
	return nil
}

// unusual reads the rest of a string that has more than plain ASCII in it.
func (p *parser) unusual(value []byte) []byte {
	for {
		switch c := p.peek(); {
		case p.take('"'):
			return value
		case c < ' ':
			p.fail()
			return nil
		case p.take('\\'):
			value = utf8.AppendRune(value, p.escaped())
		default:
			r, size := utf8.DecodeRune(p.text[p.at:])
			value = utf8.AppendRune(value, r) // U+FFFD for what is not UTF-8
			p.at += size
		}
	}
}

// escaped reads what follows a backslash.
func (p *parser) escaped() rune {
	if p.take('u') {
		r := p.hex()
		if after := *p; r>>10 == 0xd800>>10 && after.take('\\') && after.take('u') {
			if low := after.hex(); low>>10 == 0xdc00>>10 {
				*p = after
				return 0x10000 + (r-0xd800)<<10 + low - 0xdc00
			}
		}
		return r
	}
	i := strings.IndexByte(`"\/bfnrt`, p.peek())
	if i < 0 {
		p.fail()
		return 0
	}
	p.at++
	return rune("\"\\/\b\f\n\r\t"[i])
}

// hex reads four hexadecimal digits.
func (p *parser) hex() rune {
	end := min(p.at+4, len(p.text))
	n, err := strconv.ParseUint(string(p.text[p.at:end]), 16, 16)
	if err != nil || end < p.at+4 {
		p.fail()
		return 0
	}
	p.at = end
	return rune(n)
}
