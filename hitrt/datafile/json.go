// JSON as local files have it: objects of strings, numbers and booleans.
//
// encoding/json would make a program 0.7 MiB larger that does not use it, as reflection
// reaches methods that the linker must then keep. What is written and read here is what
// encoding/json writes and reads; a fuzz test compares them.

package datafile

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A field is a field of an object.
type field struct {
	key      string
	value    any  // *string, *bool, *int, *int64, *uint32 or *Kept
	optional bool // left out if it is empty
}

// appendObject appends an object in one line, as json.Encoder does without SetEscapeHTML.
func appendObject(b []byte, fields []field) []byte {
	b = append(b, '{')
	first := len(b)
	for i := range fields {
		f := &fields[i]
		if f.optional && isEmpty(f.value) {
			continue
		}
		if len(b) > first {
			b = append(b, ',')
		}
		b = appendString(b, f.key)
		b = append(b, ':')
		switch v := f.value.(type) {
		case *string:
			b = appendString(b, *v)
		case *bool:
			b = strconv.AppendBool(b, *v)
		default:
			b = strconv.AppendInt(b, number(v), 10)
		}
	}
	return append(b, '}')
}

// isEmpty reports whether a field has the value of one that is left out.
func isEmpty(value any) bool {
	switch v := value.(type) {
	case *string:
		return *v == ""
	case *bool:
		return !*v
	}
	return number(value) == 0
}

// number returns the value of a field that is a number.
func number(value any) int64 {
	switch v := value.(type) {
	case *int:
		return int64(*v)
	case *int64:
		return *v
	case *uint32:
		return int64(*v)
	case *Kept:
		return int64(*v)
	}
	return 0
}

// appendString appends a string with what JSON needs escaped, and U+2028 and U+2029, which
// JavaScript took for line ends. What is not UTF-8 becomes U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); {
		r, size := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
		}
		switch at := strings.IndexRune("\"\\\b\f\n\r\t", r); {
		case at >= 0 && r != utf8.RuneError:
			b = append(b, '\\', `"\bfnrt`[at])
		case r < ' ' || r == '\u2028' || r == '\u2029' || r == utf8.RuneError && size == 1:
			b = append(b, '\\', 'u', hexDigits[r>>12], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
		default:
			b = append(b, s[i:i+size]...)
		}
		i += size
	}
	return append(b, '"')
}

// readObject reads an object into fields, as json.Unmarshal does: an unknown key counts for
// nothing, one that is there twice has its last value. Fields that are not there become
// empty. A string that is in its field already is not allocated again.
func readObject(text []byte, fields []field) error {
	var seen uint64
	p := parser{text: text}
	next := 0
	for more := p.object(); more; more = p.more('}') {
		i := indexOf(fields, p.key(), next)
		switch {
		case i < 0:
			p.skip(1)
		case !p.literal("null"):
			p.into(fields[i].value)
			seen |= 1 << i
		}
		next = i + 1
	}
	for i := range fields {
		if seen&(1<<i) == 0 {
			setEmpty(fields[i].value)
		}
	}
	return p.done()
}

// ReadStrings reads an object whose values are strings.
func ReadStrings(text []byte) (map[string]string, error) {
	values := map[string]string{}
	p := parser{text: text}
	for more := p.object(); more; more = p.more('}') {
		key, value := string(p.key()), ""
		if !p.literal("null") {
			p.into(&value)
		}
		values[key] = value
	}
	return values, p.done()
}

// indexOf returns the index of the field with a key, which is most likely next; in other
// cases if there is none as it is written; -1 if there is none at all.
func indexOf(fields []field, key []byte, next int) int {
	if next < len(fields) && fields[next].key == string(key) {
		return next
	}
	i := slices.IndexFunc(fields, func(f field) bool { return f.key == string(key) })
	if i < 0 {
		i = slices.IndexFunc(fields, func(f field) bool { return strings.EqualFold(f.key, string(key)) })
	}
	return i
}

func setEmpty(value any) {
	switch v := value.(type) {
	case *string:
		*v = ""
	case *bool:
		*v = false
	default:
		setNumber(v, "0")
	}
}

// setNumber sets a field that is a number, and reports whether text is one of its size.
func setNumber(value any, text string) bool {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return false
	}
	switch v := value.(type) {
	case *int:
		*v = int(n)
		return int64(*v) == n
	case *int64:
		*v = n
		return true
	case *uint32:
		*v = uint32(n)
		return int64(*v) == n && text[0] != '-'
	case *Kept:
		*v = Kept(n)
		return int64(*v) == n && text[0] != '-'
	}
	return false
}
