// Lines of a codebase file, as processes write them.

package datafile

import (
	"bytes"
	"encoding/json"
)

// parse reads a line into f, which may hold the function of the line before: names that
// repeat are not allocated again. With encoding/json alone, a report would spend half of
// its time here, so it gets only lines with something unusual in them.
func (f *Function) parse(line []byte) error {
	var g Function
	if g.parsePlain(line, f) {
		*f = g
		return nil
	}
	*f = Function{}
	return json.Unmarshal(line, f)
}

// parsePlain reads a line of known keys, strings of plain ASCII and numbers, each
// key at most once. It reports whether the line is one.
func (f *Function) parsePlain(line []byte, before *Function) bool {
	rest, more := bytes.CutPrefix(line, []byte("{"))
	for more {
		key, after, ok := plainString(rest)
		if !ok || len(after) == 0 || after[0] != ':' {
			return false
		}
		if rest, ok = f.parseField(key, after[1:], before); !ok {
			return false
		}
		if string(rest) == "}\n" || string(rest) == "}" {
			return true
		}
		rest, more = bytes.CutPrefix(rest, []byte(","))
	}
	return false
}

// parseField reads the value of a key.
func (f *Function) parseField(key, text []byte, before *Function) (rest []byte, ok bool) {
	switch string(key) {
	case "package":
		return parseString(&f.Package, before.Package, text)
	case "receiver":
		return parseString(&f.Receiver, before.Receiver, text)
	case "name":
		return parseString(&f.Name, before.Name, text)
	case "signature":
		return parseString(&f.Signature, before.Signature, text)
	case "hash":
		return parseString(&f.Hash, before.Hash, text)
	case "file":
		return parseString(&f.File, before.File, text)
	case "line":
		return parseNumber(&f.Line, text, 9)
	case "lines":
		return parseNumber(&f.Lines, text, 9)
	case "reason":
		return parseString(&f.Reason, before.Reason, text)
	case "presumed":
		return parseNumber(&f.Presumed, text, 15)
	case "evidence":
		return parseString(&f.Evidence, before.Evidence, text)
	}
	return nil, false
}

// parseString reads a string that is not there yet, and takes the one before if it is the
// same.
func parseString(s *string, before string, text []byte) (rest []byte, ok bool) {
	value, rest, ok := plainString(text)
	if *s != "" || !ok {
		return nil, false
	}
	if *s = before; string(value) != before {
		*s = string(value)
	}
	return rest, true
}

// plainString returns the text of a string that begins text and means what it says.
func plainString(text []byte) (value, rest []byte, ok bool) {
	if len(text) == 0 || text[0] != '"' {
		return nil, nil, false
	}
	for i, c := range text[1:] {
		switch {
		case c == '"':
			return text[1 : i+1], text[i+2:], true
		case c == '\\' || c < ' ' || c > '~':
			return nil, nil, false
		}
	}
	return nil, nil, false
}

// parseNumber reads a number of some digits at most that is not there yet.
func parseNumber[N int | int64](n *N, text []byte, most int) (rest []byte, ok bool) {
	if *n != 0 {
		return nil, false
	}
	i := 0
	for ; i < len(text) && i <= most && '0' <= text[i] && text[i] <= '9'; i++ {
		*n = 10**n + N(text[i]-'0')
	}
	if i == 0 || i > most || i > 1 && text[0] == '0' {
		return nil, false
	}
	return text[i:], true
}
