// Package config reads the settings that a build runs under: scavenger.toml or
// scavenger.conf, SCAVENGER_* variables, and the main modules that go.mod or
// go.work name. [Load] yields one [Config], which is passed down and never
// changed. The table of all settings is [Keys].
package config

import (
	"fmt"
	"io"
	"regexp"
	"strings"
)

// A Source is where settings are looked for.
type Source struct {
	Dir    string                      // the go command's working directory
	File   string                      // the settings file, "" to look for one; relative to Dir or a parent of it
	Lookup func(string) (string, bool) // of environment variables, as [os.LookupEnv]

	// The values of the go command's flags that say where go.mod is, as given.
	ModFile, Overlay string
}

// A Config is what one build runs under.
type Config struct {
	// File is the settings file that was read, "" if there is none.
	File string

	// Modules are the main modules of the build: the one that the working
	// directory belongs to, or those of its workspace. Empty outside a module.
	Modules []Module

	// Packages are the patterns of the packages to mark; empty means every
	// package of Modules. ExcludePackages are taken out of either, and
	// AdditionalPackages are marked whatever the others say.
	Packages           []string
	ExcludePackages    []string
	AdditionalPackages []string

	// Which functions of these packages are left out.
	ExportedOnly        bool
	ExcludeConstructors bool
	ExcludeGetterSetter bool
	ExcludeGenerated    bool
	ExcludeByRegex      []*regexp.Regexp // match whole names
	Annotations         []string         // if there are any, only functions that have one
	AdditionalByRegex   []*regexp.Regexp // and these

	Closures        bool // function literals are entries of their own
	TrackTests      bool // test binaries report too
	MaxMethodsCount int  // programs with more functions are not linked

	// Run holds the settings that the file has for the running program, by
	// key; hitrt finds them in the binary. Variables are not among them: what
	// the environment says counts in the process that has it, so that a key or
	// a path of the build machine never ends up in a binary.
	Run map[string]string

	// Settings are the values behind all of this and where they are from, in the
	// order of [Keys]; keys that have their default value are left out.
	Settings []Setting

	// Notes are about settings that are not wrong but have no effect, or not the
	// one that somebody may expect. Each begins with its place.
	Notes []string

	// NoAPIKey is the note about a serverUrl without an apiKey, "" if there is
	// no such thing.
	NoAPIKey string

	tree moduleTree
}

// A Setting is the value of a key.
type Setting struct {
	Key   *Key
	Value string   // the value of a key that is no list
	List  []string // that of a list
	From  string   // "scavenger.toml:3:1" or the name of a variable

	spelling string   // the name of the key that the file has
	entries  []string // where each entry of a list of packages is in the file
}

// fromEntry is From for one entry of a list.
func (s Setting) fromEntry(i int) string {
	if i < len(s.entries) {
		return s.entries[i]
	}
	return s.From
}

// Text is the value for people: secrets only show how they begin.
func (s Setting) Text() string {
	if s.Key.Secret && s.Value != "" && !isReference(s.Value) {
		return Masked(s.Value)
	}
	if s.List != nil {
		return strings.Join(s.List, ", ")
	}
	return s.Value
}

// isReference reports whether a value is only a $NAME or ${NAME}.
func isReference(v string) bool {
	name, ok := strings.CutPrefix(v, "$")
	if braced, ok := strings.CutPrefix(name, "{"); ok {
		name = strings.TrimSuffix(braced, "}")
	}
	return ok && name == strings.ToUpper(name) && !strings.Contains(name, "-")
}

// Masked is a secret as it may be printed: its first four characters, or none
// if that is half of it.
func Masked(secret string) string {
	if len(secret) < 8 {
		return "…"
	}
	return secret[:4] + "…"
}

// Load reads the settings of a build.
//
// A file that cannot be read or does not hold settings is an error that begins
// with its path and, where they are known, line and column.
func Load(from Source) (*Config, error) {
	c := &Config{Run: map[string]string{}, ExcludeGenerated: true, MaxMethodsCount: 100_000}
	t, err := findTree(from)
	if err != nil {
		return nil, err
	}
	c.tree = *t
	c.Modules = c.tree.modules()
	if c.File, err = findFile(from, c.tree.root); err != nil {
		return nil, err
	}
	values := map[*Key]Setting{}
	if c.File != "" {
		if err := c.readFile(values, from.Lookup); err != nil {
			return nil, err
		}
	}
	if err := readVariables(values, from.Lookup); err != nil {
		return nil, err
	}
	for i := range Keys {
		s, ok := values[&Keys[i]]
		if !ok {
			continue
		}
		c.Settings = append(c.Settings, s)
		if err := c.set(s); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", s.From, s.Key.Name, err)
		}
		if s.Key.Ignored != "" {
			c.Notes = append(c.Notes, fmt.Sprintf("%s: %s has no effect: %s", s.From, s.Key.Name, s.Key.Ignored))
		}
	}
	c.noteNoAPIKey(values)
	return c, nil
}

// noteNoAPIKey notes a serverUrl without an apiKey. It is not an error: the
// key may well be kept out of the file and given to the running program.
func (c *Config) noteNoAPIKey(values map[*Key]Setting) {
	if c.Run["serverUrl"] == "" || c.Run["apiKey"] != "" {
		return
	}
	for k, s := range values {
		if k.Name == "serverUrl" {
			c.NoAPIKey = fmt.Sprintf("%s: serverUrl has no effect without apiKey: set it here; apiKey = \"$%s\" says that the program finds it where it runs", s.From, Variable("apiKey"))
			c.Notes = append(c.Notes, c.NoAPIKey)
		}
	}
}

// readVariables reads the variables of keys that act at build time. Those of the
// others are for the running program. A blank variable means the default.
func readVariables(values map[*Key]Setting, lookup func(string) (string, bool)) error {
	for i := range Keys {
		k := &Keys[i]
		if !k.Build {
			continue
		}
		for _, name := range k.names() {
			text, ok := lookup(Variable(name))
			if !ok {
				continue
			}
			delete(values, k)
			if strings.TrimSpace(text) != "" {
				s, err := newSetting(spelling{key: k}, text)
				if err != nil {
					return fmt.Errorf("%s: %w", Variable(name), err)
				}
				s.From = Variable(name)
				values[k] = s
			}
			break
		}
	}
	return nil
}

// set puts a value, of which [newSetting] has said that it is one, where it acts.
func (c *Config) set(s Setting) error {
	yes := strings.EqualFold(s.Value, "true")
	switch s.Key.Name {
	case "packages":
		c.Packages = s.List
	case "excludePackages":
		c.ExcludePackages = s.List
	case "additionalPackages":
		c.AdditionalPackages = s.List
	case "excludeGenerated":
		c.ExcludeGenerated = yes
	case "methodVisibility":
		c.ExportedOnly = s.Value == "public" || s.Value == "protected"
	case "excludeConstructors":
		c.ExcludeConstructors = yes
	case "excludeGetterSetter":
		c.ExcludeGetterSetter = yes
	case "annotations":
		c.Annotations = s.List
	case "excludeByRegex":
		return compileAll(&c.ExcludeByRegex, s.List)
	case "additionalByRegex":
		return compileAll(&c.AdditionalByRegex, s.List)
	case "closures":
		c.Closures = yes
	case "trackTests":
		c.TrackTests = yes
	case "maxMethodsCount":
		_, err := fmt.Sscan(s.Value, &c.MaxMethodsCount)
		return err
	default:
		if !s.Key.Build && s.Key.Ignored == "" && s.Key.Refused == "" {
			c.Run[s.Key.Name] = s.Value
		}
	}
	return nil
}

func compileAll(to *[]*regexp.Regexp, list []string) error {
	for _, text := range list {
		re, err := compileName(text)
		if err != nil {
			return err
		}
		*to = append(*to, re)
	}
	return nil
}

// WriteCompileID writes all that decides how a package is compiled: which
// packages match, which of their functions, and the module directories, which
// the marked functions' file names begin with. Two configs that write the same
// compile every package the same.
//
// A directory is only written where nothing else says it: another checkout of the
// same module has the same ID.
func (c *Config) WriteCompileID(w io.Writer) {
	for _, m := range c.Modules {
		fmt.Fprintf(w, "module %q %q\n", m.Path, m.Rel)
	}
	for _, r := range c.tree.replaced {
		fmt.Fprintf(w, "replaced %q %q\n", r.path, c.tree.idDir(r))
	}
	c.writeID(w, Recompiles)
}

// WriteLinkID writes what, beyond that, only reaches the link action.
func (c *Config) WriteLinkID(w io.Writer) {
	c.writeID(w, Relinks)
}

func (c *Config) writeID(w io.Writer, effect Effect) {
	for _, s := range c.Settings {
		if s.Key.Effect == effect && (s.List != nil || !strings.EqualFold(s.Value, s.Key.Default)) {
			fmt.Fprintf(w, "%s %q %q\n", s.Key.Name, s.Value, s.List)
		}
	}
}
