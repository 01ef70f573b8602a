// The settings file: finding it and reading it.

package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// The names of the settings file. It is in the working directory or in a parent of it, up
// to the root of the module or workspace. PropertiesName is the name that the Java and
// Python agents use.
const (
	FileName       = "scavenger.toml"
	PropertiesName = "scavenger.conf"
)

// fileVariable is the variable that names the settings file, both for the build and for
// the running program.
const fileVariable = "SCAVENGER_CONFIG"

// findFile returns the settings file: the one that a flag or a variable names, or else
// the nearest above the working directory, no further up than root. It returns "" if
// there is none. searched are the directories that it has looked in, unless the file is
// named.
func findFile(from Source, root string) (file string, searched []string, err error) {
	if from.File != "" {
		file, err := findNamed(from, root, from.File)
		if err != nil {
			return "", nil, fmt.Errorf("-config=%s: %w", from.File, err)
		}
		return file, nil, nil
	}
	if name, _ := from.Lookup(fileVariable); strings.TrimSpace(name) != "" {
		file, err := findNamed(from, root, strings.TrimSpace(name))
		if err != nil {
			return "", nil, fmt.Errorf("%s=%s: %w", fileVariable, name, err)
		}
		return file, nil, nil
	}
	searched = upTo(from.Dir, root)
	for _, dir := range searched {
		toml, conf := filepath.Join(dir, FileName), filepath.Join(dir, PropertiesName)
		hasTOML, hasConf := exists(toml), exists(conf)
		switch {
		case hasTOML && hasConf:
			return "", nil, fmt.Errorf("%s: there is also %s, and settings stand in one file: remove %s if the other has all of them", toml, PropertiesName, PropertiesName)
		case hasTOML:
			return toml, searched, nil
		case hasConf:
			return conf, searched, nil
		}
	}
	return "", searched, nil
}

// findNamed finds a settings file by its name. A relative name may also be relative to a
// parent of the working directory, because the go command starts some tools in another
// directory than its own.
func findNamed(from Source, root, name string) (string, error) {
	if filepath.IsAbs(name) {
		_, err := os.Stat(name)
		return name, withoutPath(err)
	}
	for _, dir := range upTo(from.Dir, root) {
		if file := filepath.Join(dir, name); exists(file) {
			return file, nil
		}
	}
	return "", fmt.Errorf("no such file in %s or above it", from.Dir)
}

// upTo returns dir and its parents up to root. If root is "" it returns dir alone.
func upTo(dir, root string) []string {
	dirs := []string{dir}
	for root != "" && dir != root && filepath.Dir(dir) != dir {
		dir = filepath.Dir(dir)
		dirs = append(dirs, dir)
	}
	return dirs
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// withoutPath returns the cause of a file error, for messages that name the path anyway.
func withoutPath(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

func (c *Config) readFile(values map[*Key]Setting, lookup func(string) (string, bool)) error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("reading settings: %s: %w", c.File, withoutPath(err))
	}
	parse := parseProperties
	if filepath.Ext(c.File) == ".toml" {
		parse = parseTOML
	}
	properties, err := parse(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", position(c.File, err), err)
	}
	for i, p := range properties {
		until := 0 // the line of the next property
		if i+1 < len(properties) {
			until = properties[i+1].line
		}
		if err := c.readProperty(values, p, properties, newPositions(c.File, string(text), p, until), lookup); err != nil {
			return err
		}
	}
	return nil
}

// readProperty reads the property p of a file that contains all. at is where p is.
func (c *Config) readProperty(values map[*Key]Setting, p property, all []property, at *positions, lookup func(string) (string, bool)) error {
	name, ok := lookUp(p.name)
	if !ok {
		return fmt.Errorf("%s: unknown key %q; %s", at.key, p.name, suggestion(p.name))
	}
	if text, ok := p.value.(string); ok {
		if strings.TrimSpace(text) == "" {
			return nil // a blank value means the default
		}
		if name.key.Build {
			p.value = expand(text, all, lookup)
		}
	}
	if list, ok := p.value.([]any); ok && name.key.Build {
		for i, e := range list {
			if text, ok := e.(string); ok {
				list[i] = expand(text, all, lookup)
			}
		}
	}
	s, err := newSetting(name, p.value)
	var bad *entryError
	if errors.As(err, &bad) {
		return fmt.Errorf("%s: %s: %w", at.entry(bad.entry), p.name, err)
	}
	if err != nil {
		return fmt.Errorf("%s: %s: %w", at.key, p.name, err)
	}
	s.From, s.spelling = at.key, p.name
	if s.Key.Kind == Packages {
		list, _ := listOf(s.Key, p.value)
		for _, e := range list {
			s.entries = append(s.entries, at.entry(e))
		}
	}
	if err := c.noteDuplicate(values[name.key], s); err != nil {
		return err
	}
	values[name.key] = s
	return nil
}

// noteDuplicate notes a key that a scavenger.conf sets twice. The last value counts, as
// in Java. Two names of one key with two values are an error, because agents do not agree
// on which of them counts.
func (c *Config) noteDuplicate(before, now Setting) error {
	switch {
	case before.Key == nil || before.Value == now.Value && slices.Equal(before.List, now.List):
	case before.spelling == now.spelling:
		c.Notes = append(c.Notes, fmt.Sprintf("%s: %s is set a second time; the value at %s does not count", now.From, now.spelling, before.From))
	default:
		return fmt.Errorf("%s: %s is another name of %s, which is set at %s: remove one of the two", now.From, now.spelling, before.spelling, before.From)
	}
	return nil
}

// position returns the position of an error: the file, with line and column if the error
// has them.
func position(file string, err error) string {
	var syntax *syntaxError
	if errors.As(err, &syntax) {
		return fmt.Sprintf("%s:%d:%d", file, syntax.line, syntax.column)
	}
	return file
}

func suggestion(name string) string {
	if n := nearestName(camelCase(name), allNames()); n != "" {
		return "did you mean " + n + "?"
	}
	var names []string
	for i := range Keys {
		if Keys[i].Ignored == "" && Keys[i].Refused == "" {
			names = append(names, Keys[i].Name)
		}
	}
	return "the keys are " + strings.Join(names, ", ")
}

// expand replaces $NAME and ${NAME} by the value of the variable or of the key that is
// called NAME. If there is neither, the reference stays. Only the values of keys that act
// at build time are expanded: nothing of the build machine's environment is built in.
func expand(text string, properties []property, lookup func(string) (string, bool)) string {
	return Expand(text, func(name string) (string, bool) {
		if v, ok := lookup(name); ok {
			return v, true
		}
		for _, p := range properties {
			if v, ok := p.value.(string); ok && p.name == name {
				return v, true
			}
		}
		return "", false
	})
}

// Expand replaces $NAME and ${NAME} by the value of NAME, as hitrt does. A reference to a
// name without a value stays.
func Expand(text string, value func(name string) (string, bool)) string {
	if !strings.Contains(text, "$") {
		return text
	}
	reference := regexp.MustCompile(`\$(\{[a-zA-Z0-9._-]+\}|[a-zA-Z0-9._-]+)`)
	return reference.ReplaceAllStringFunc(text, func(ref string) string {
		if v, ok := value(strings.Trim(ref, "${}")); ok {
			return v
		}
		return ref
	})
}
