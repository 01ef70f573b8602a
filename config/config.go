// Package config reads the settings that a build runs under: scavenger.toml,
// SCAVENGER_* variables, and the main modules that go.mod or go.work name.
// [Load] yields one [Config], which is passed down and never changed.
package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/BurntSushi/toml"
)

// FileName is the name of the settings file, looked for in the working
// directory and its parents up to the module or workspace root.
const FileName = "scavenger.toml"

// A Config is what one build runs under.
type Config struct {
	// File is the settings file that was read, "" if there is none.
	File string

	// Modules are the main modules of the build: the one that the working
	// directory belongs to, or those of its workspace. Empty outside a module.
	Modules []Module

	// Packages are the patterns of the packages to mark; empty means every
	// package of Modules. ExcludePackages are taken out of either.
	Packages        []string
	ExcludePackages []string

	// Run holds the settings that the file has for the running program, by
	// key; hitrt finds them in the binary. Variables are not among them: what
	// the environment says counts in the process that has it, so that a key or
	// a path of the build machine never ends up in a binary.
	Run map[string]string
}

// A key is one setting that the settings file may have.
type key struct {
	name  string
	list  bool // a list of strings; otherwise one string
	build bool // acts at build time, and may come from a variable there
}

// keys are all settings, in the order in which messages list them.
var keys = []key{
	{name: "packages", list: true, build: true},
	{name: "excludePackages", list: true, build: true},
	{name: "apiKey"},
	{name: "serverUrl"},
	{name: "appName"},
	{name: "environment"},
	{name: "dataDir"},
}

// Load reads the settings for a build whose go command works in dir.
// getenv looks up environment variables, as [os.Getenv] does.
//
// A file that cannot be read or does not hold settings is an error that begins
// with its path and, where one is known, line and column.
func Load(dir string, getenv func(string) string) (*Config, error) {
	c := &Config{Run: map[string]string{}}
	root, modules, err := mainModules(dir, getenv)
	if err != nil {
		return nil, err
	}
	c.Modules = modules
	if c.File = findFile(dir, root); c.File != "" {
		if err := c.readFile(); err != nil {
			return nil, err
		}
	}
	for _, k := range keys {
		if v := getenv(Variable(k.name)); k.build && v != "" {
			c.set(k, splitList(v))
		}
	}
	for _, p := range append(append([]string{}, c.Packages...), c.ExcludePackages...) {
		if err := checkPattern(p); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Variable returns the name of the environment variable that holds the
// setting of that name: SCAVENGER_SERVER_URL for serverUrl.
func Variable(name string) string {
	var b strings.Builder
	b.WriteString("SCAVENGER_")
	for _, r := range name {
		if 'A' <= r && r <= 'Z' {
			b.WriteByte('_')
		}
		b.WriteRune(r)
	}
	return strings.ToUpper(b.String())
}

// findFile returns the settings file nearest to dir, no further up than root.
func findFile(dir, root string) string {
	for {
		file := filepath.Join(dir, FileName)
		if _, err := os.Stat(file); err == nil {
			return file
		}
		parent := filepath.Dir(dir)
		if dir == root || parent == dir || root == "" {
			return ""
		}
		dir = parent
	}
}

func (c *Config) readFile() error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("reading settings: %w", err)
	}
	var values map[string]any
	if _, err := toml.Decode(string(text), &values); err != nil {
		if pe, ok := err.(toml.ParseError); ok {
			return fmt.Errorf("%s:%d:%d: %s", c.File, pe.Position.Line, pe.Position.Col, parseMessage(pe))
		}
		return fmt.Errorf("%s: %w", c.File, err)
	}
	// In the order of the file, so that its first mistake is the one reported.
	for _, at := range topLevelKeys(string(text), values) {
		k, ok := lookUp(at.name)
		if !ok {
			return fmt.Errorf("%s:%d:%d: unknown key %q; known are %s", c.File, at.line, at.column, at.name, keyNames())
		}
		v, err := stringsOf(k, values[at.name])
		if err != nil {
			return fmt.Errorf("%s:%d:%d: %s: %w", c.File, at.line, at.column, at.name, err)
		}
		c.set(k, v)
	}
	return nil
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

// A keyPosition is where a key stands in the settings file.
type keyPosition struct {
	name         string
	line, column int // from 1; 0 if the key was not found as a line of its own
}

// topLevelKeys returns the keys of values in the order of text. The toml
// package does not keep positions of what it decoded, so they are looked for
// in the text; a key written in a form not found this way comes first, at 0:0.
func topLevelKeys(text string, values map[string]any) []keyPosition {
	var found, lost []keyPosition
	seen := map[string]bool{}
	for i, line := range strings.Split(text, "\n") {
		name, _, ok := strings.Cut(line, "=")
		if table := strings.TrimSpace(line); strings.HasPrefix(table, "[") && !ok {
			name = strings.TrimRight(table, "]\r")
		} else if !ok {
			continue
		}
		name = strings.Trim(name, " \t\"'[")
		if _, ok := values[name]; ok && !seen[name] {
			seen[name] = true
			found = append(found, keyPosition{name, i + 1, strings.Index(line, name) + 1})
		}
	}
	for name := range values {
		if !seen[name] {
			lost = append(lost, keyPosition{name: name})
		}
	}
	return append(lost, found...)
}

// stringsOf returns the value of k as strings: exactly one unless k is a list.
func stringsOf(k key, value any) ([]string, error) {
	switch v := value.(type) {
	case string:
		if k.list {
			return splitList(v), nil
		}
		return []string{v}, nil
	case []any:
		if !k.list {
			break
		}
		var list []string
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return nil, fmt.Errorf("want a list of strings, have %v in it", e)
			}
			list = append(list, s)
		}
		return list, nil
	}
	if k.list {
		return nil, fmt.Errorf("want a list of strings, have %v", value)
	}
	return nil, fmt.Errorf("want a string, have %v", value)
}

// splitList splits a list as the Java agent does: at ":", ";" and ",".
func splitList(s string) []string {
	list := strings.FieldsFunc(s, func(r rune) bool { return r == ':' || r == ';' || r == ',' })
	out := list[:0]
	for _, e := range list {
		if e = strings.TrimSpace(e); e != "" {
			out = append(out, e)
		}
	}
	return out
}

func (c *Config) set(k key, v []string) {
	switch {
	case k.name == "packages":
		c.Packages = v
	case k.name == "excludePackages":
		c.ExcludePackages = v
	case len(v) == 1 && v[0] != "":
		c.Run[k.name] = v[0]
	}
}

func lookUp(name string) (key, bool) {
	for _, k := range keys {
		if k.name == name {
			return k, true
		}
	}
	return key{}, false
}

func keyNames() string {
	var names []string
	for _, k := range keys {
		names = append(names, k.name)
	}
	return strings.Join(names, ", ")
}

// WriteCompileID writes all that decides how a package is compiled: which
// packages match, and the module directories, which the marked functions'
// file names begin with. Two configs that write the same compile every package
// the same.
func (c *Config) WriteCompileID(w io.Writer) {
	for _, m := range c.Modules {
		fmt.Fprintf(w, "module %q %q\n", m.Path, m.Rel)
	}
	fmt.Fprintf(w, "packages %q\n", c.Packages)
	fmt.Fprintf(w, "excludePackages %q\n", c.ExcludePackages)
}

// WriteLinkID writes what, beyond that, only reaches the registry.
func (c *Config) WriteLinkID(w io.Writer) {
	for _, k := range keys {
		if v, ok := c.Run[k.name]; ok {
			fmt.Fprintf(w, "%s %q\n", k.name, v)
		}
	}
}
