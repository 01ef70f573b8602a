// Parsing scavenger.toml.

package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// parseTOML returns the keys of a TOML file in the order of the file, so that the first
// error in the file is the one that is reported.
func parseTOML(text string) ([]property, error) {
	var values map[string]any
	if _, err := toml.Decode(text, &values); err != nil {
		var pe toml.ParseError
		if errors.As(err, &pe) {
			return nil, newSyntaxError(text, pe)
		}
		return nil, err
	}
	return topLevelKeys(text, values), nil
}

// newSyntaxError returns an error that says what is wrong with a line. Its message
// contains no secret.
func newSyntaxError(text string, pe toml.ParseError) error {
	line, column, message := pe.Position.Line, pe.Position.Col, parseMessage(pe)
	lines := strings.Split(text, "\n")
	name, at := keyAt(lines, line)
	key, known := lookUp(name)
	switch {
	case strings.HasSuffix(message, " has already been defined."):
		for first := 1; first < line; first++ {
			if n, firstAt := keyAt(lines, first); n == name {
				return &syntaxError{line, at, fmt.Sprintf("%s is set a second time; it is at %d:%d already: remove one of the two", name, first, firstAt)}
			}
		}
		column = at
	case known && key.key.Secret:
		message = name + ": want a string in quotes" // the parser's message shows the value
	case known && strings.HasPrefix(message, "expected value but found "):
		message = name + ": " + message + ": put strings in quotes"
	}
	return &syntaxError{line, column, message}
}

// keyAt returns the key or the table at the start of a line, and its column. The name is
// "" if there is neither.
func keyAt(lines []string, line int) (name string, column int) {
	if line < 1 || line > len(lines) {
		return "", 1
	}
	name, _, ok := strings.Cut(lines[line-1], "=")
	if table := strings.TrimSpace(name); strings.HasPrefix(table, "[") && !ok {
		name = strings.TrimRight(table, "]")
	} else if !ok {
		return "", 1
	}
	name = strings.Trim(name, " \t\"'[")
	return name, strings.Index(lines[line-1], name) + 1
}

// parseMessage returns the message of an error without the position in front of it.
func parseMessage(pe toml.ParseError) string {
	if pe.Message != "" {
		return pe.Message
	}
	msg := pe.Error()
	if _, rest, ok := strings.Cut(msg, ": "); ok {
		return rest
	}
	return msg
}

// topLevelKeys returns the keys of values in the order of text. The toml package does not
// keep the positions of what it decodes, so the keys are looked up in the text. A key
// that is written in a form that is not found there comes first, at 0:0.
func topLevelKeys(text string, values map[string]any) []property {
	var found, lost []property
	seen := map[string]bool{}
	lines := strings.Split(text, "\n")
	for i := range lines {
		name, column := keyAt(lines, i+1)
		name, _, _ = strings.Cut(name, ".") // a.b = 1 is a key of the table a
		if v, ok := values[name]; ok && !seen[name] {
			seen[name] = true
			found = append(found, property{name, v, i + 1, column})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !seen[name] {
			lost = append(lost, property{name: name, value: values[name]})
		}
	}
	return append(lost, found...)
}
