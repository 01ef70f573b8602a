// scavenger.toml.

package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// parseTOML reads the keys of a TOML file, in the order of the file, so that its
// first mistake is the one reported.
func parseTOML(text string) ([]property, error) {
	var values map[string]any
	if _, err := toml.Decode(text, &values); err != nil {
		if pe, ok := err.(toml.ParseError); ok {
			return nil, newSyntaxError(text, pe)
		}
		return nil, err
	}
	return topLevelKeys(text, values), nil
}

// newSyntaxError says what is wrong with a line, in words of which nothing is secret.
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
		message = name + ": want a string in quotes" // the other has the value in it
	case known && strings.HasPrefix(message, "expected value but found "):
		message = name + ": " + message + ": strings stand in quotes"
	}
	return &syntaxError{line, column, message}
}

// keyAt returns the key, or the table, that a line begins with, and its column; ""
// if there is none.
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

// parseMessage is what is wrong, without the position that the toml package
// puts in front of it.
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

// topLevelKeys returns the keys of values in the order of text. The toml
// package does not keep positions of what it decoded, so they are looked for
// in the text; a key written in a form not found this way comes first, at 0:0.
func topLevelKeys(text string, values map[string]any) []property {
	var found, lost []property
	seen := map[string]bool{}
	lines := strings.Split(text, "\n")
	for i := range lines {
		name, column := keyAt(lines, i+1)
		name, _, _ = strings.Cut(name, ".") // which makes it a table
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
