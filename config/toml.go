// scavenger.toml.

package config

import (
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
			message := parseMessage(pe)
			if name, ok := secretAt(text, pe.Position.Line); ok {
				message = name + ": want a string in quotes" // the other has the value in it
			}
			return nil, &syntaxError{pe.Position.Line, pe.Position.Col, message}
		}
		return nil, err
	}
	return topLevelKeys(text, values), nil
}

// secretAt returns the name of the secret that a line sets, if it does.
func secretAt(text string, line int) (name string, ok bool) {
	lines := strings.Split(text, "\n")
	if line < 1 || line > len(lines) {
		return "", false
	}
	name, _, ok = strings.Cut(lines[line-1], "=")
	name = strings.Trim(name, " \t\"'")
	key, known := lookUp(name)
	return name, ok && known && key.key.Secret
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
	for i, line := range strings.Split(text, "\n") {
		name, _, ok := strings.Cut(line, "=")
		if table := strings.TrimSpace(line); strings.HasPrefix(table, "[") && !ok {
			name = strings.TrimRight(table, "]\r")
		} else if !ok {
			continue
		}
		name = strings.Trim(name, " \t\"'[")
		if v, ok := values[name]; ok && !seen[name] {
			seen[name] = true
			found = append(found, property{name, v, i + 1, strings.Index(line, name) + 1})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !seen[name] {
			lost = append(lost, property{name: name, value: values[name]})
		}
	}
	return append(lost, found...)
}
