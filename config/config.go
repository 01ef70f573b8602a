// Package config reads the settings of a build from scavenger.toml or scavenger.conf and
// from SCAVENGER_* variables, and finds the main modules in go.mod or go.work. [Load]
// returns one [Config], which is passed down and never changed. [Keys] is the table of
// all settings.
package config

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A Source says where to look for settings.
type Source struct {
	Dir    string                      // the go command's working directory
	Lookup func(string) (string, bool) // looks up a variable, as [os.LookupEnv] does

	// File is the name of the settings file, relative to Dir or a parent of Dir. If it is
	// "", Load looks for the file.
	File string

	// ModFile and Overlay are the values of the go command's -modfile and -overlay, as
	// they were given.
	ModFile, Overlay string
}

// A Config holds the settings of one build.
type Config struct {
	// File is the settings file that was read, or "" if there is none.
	File string

	// Modules are the main modules of the build: the module that contains the working
	// directory, or those of its workspace. It is empty outside a module.
	Modules []Module

	// Packages are patterns of the packages to mark; if it is empty, all packages of
	// Modules are marked. Packages that match ExcludePackages are not marked. Packages
	// that match AdditionalPackages are marked in any case.
	Packages           []string
	ExcludePackages    []string
	AdditionalPackages []string

	// These say which functions of the packages are left out.
	ExportedOnly        bool
	ExcludeConstructors bool
	ExcludeGetterSetter bool
	ExcludeGenerated    bool
	ExcludeByRegex      []*regexp.Regexp // match whole names
	Annotations         []string         // if not empty, only functions that have one are marked,
	AdditionalByRegex   []*regexp.Regexp // and those that match one of these

	Closures        bool // function literals are entries of their own
	TrackTests      bool // test binaries report too
	NoNetwork       bool // programs cannot report to a collector
	MaxMethodsCount int  // programs with more functions are not linked

	// Evidence is the report or data directory that says which functions need no mark, as
	// their calls before its end are known, up to EvidenceMaxAge. It is "" without one. A
	// relative one is in the directory of the settings file, or in the working directory
	// if a variable names it.
	Evidence       string
	EvidenceMaxAge time.Duration

	// Run holds the file's settings for the running program, by key. hitrt finds them in
	// the binary. They never come from variables: a variable holds for the process that
	// has it in its environment, so no key and no path of the build machine ends up in a
	// binary.
	Run map[string]string

	// Settings are the values that were set and where they come from, in the order of
	// [Keys].
	Settings []Setting

	// Notes are about settings that are valid but have no effect, or not the effect that
	// one may expect. Each note begins with a position.
	Notes []string

	// NoAPIKey is the note about a serverUrl without an apiKey, or "".
	NoAPIKey string

	tree     moduleTree
	searched []string // the directories where the file was looked for
}

// A Setting is the value of a key.
type Setting struct {
	Key   *Key
	Value string   // unless the value is a list
	List  []string // if it is one
	From  string   // a position such as "scavenger.toml:3:1", or the name of a variable

	spelling string   // the name of the key as the file has it
	entries  []string // the position of each entry of a list of packages
}

// fromEntry returns From for entry i of a list.
func (s Setting) fromEntry(i int) string {
	if i < len(s.entries) {
		return s.entries[i]
	}
	return s.From
}

// Text returns the value as people may see it. Of a secret it only shows the beginning.
func (s Setting) Text() string {
	if s.Key.Secret && s.Value != "" && !isReference(s.Value) {
		return masked(s.Value)
	}
	if s.List != nil {
		return strings.Join(s.List, ", ")
	}
	return s.Value
}

// isReference reports whether a value is just $NAME or ${NAME}.
func isReference(v string) bool {
	name, ok := strings.CutPrefix(v, "$")
	if braced, ok := strings.CutPrefix(name, "{"); ok {
		name = strings.TrimSuffix(braced, "}")
	}
	return ok && name == strings.ToUpper(name) && !strings.Contains(name, "-")
}

// masked returns a secret as it may be printed: only its first four characters, and none
// of a secret with fewer than eight.
func masked(secret string) string {
	if len(secret) < 8 {
		return "…"
	}
	return secret[:4] + "…"
}

// Load reads the settings of a build.
//
// An error about a file begins with the path of the file and, if they are known, line and
// column.
func Load(from Source) (*Config, error) {
	c := &Config{Run: map[string]string{}, ExcludeGenerated: true, MaxMethodsCount: 100_000, EvidenceMaxAge: 30 * 24 * time.Hour}
	t, err := findTree(from)
	if err != nil {
		return nil, err
	}
	c.tree = *t
	c.Modules = c.tree.modules()
	if c.File, c.searched, err = findFile(from, c.tree.root); err != nil {
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
		if err := c.set(s, from.Dir); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", s.From, s.Key.Name, err)
		}
		if s.Key.Ignored != "" {
			c.Notes = append(c.Notes, fmt.Sprintf("%s: %s has no effect: %s", s.From, s.Key.Name, s.Key.Ignored))
		}
	}
	c.noteNoAPIKey(values)
	c.noteNetwork()
	return c, nil
}

// BuiltIn returns the settings for the running program that are built into it: all of Run,
// but what is of no use without network code. That may be meant for scavenger-wrap publish.
func (c *Config) BuiltIn() map[string]string {
	settings := maps.Clone(c.Run)
	if c.NoNetwork {
		delete(settings, "serverUrl")
		delete(settings, "apiKey")
		settings["network"] = "false" // for doctor
	}
	return settings
}

// noteNetwork adds a note if programs get network code that the settings have no use for,
// and one if a serverUrl finds none.
func (c *Config) noteNetwork() {
	chosen := slices.ContainsFunc(c.Settings, func(s Setting) bool { return s.Key.Name == "network" })
	for _, s := range c.Settings {
		switch {
		case s.Key.Name == "dataDir" && c.Run["serverUrl"] == "" && !chosen:
			c.Notes = append(c.Notes, s.From+": dataDir without a serverUrl: if no program gets one where it runs, network = false makes those that do not use net/http themselves 6 MiB smaller, and their first build quicker")
		case s.Key.Name == "serverUrl" && c.NoNetwork:
			c.Notes = append(c.Notes, s.From+": serverUrl is for scavenger-wrap publish only, as network = false: no program reports to it")
		}
	}
}

// noteNoAPIKey adds a note if there is a serverUrl without an apiKey. This is not an
// error, because the key may be kept out of the file and given to the running program.
func (c *Config) noteNoAPIKey(values map[*Key]Setting) {
	if c.Run["serverUrl"] == "" || c.Run["apiKey"] != "" || c.NoNetwork {
		return
	}
	for k, s := range values {
		if k.Name == "serverUrl" {
			c.NoAPIKey = fmt.Sprintf("%s: serverUrl has no effect without apiKey: set apiKey here, or write apiKey = \"$%s\" if the program gets it from its environment", s.From, Variable("apiKey"))
			c.Notes = append(c.Notes, c.NoAPIKey)
		}
	}
}

// readVariables reads the variables of keys that act at build time. The variables of
// other keys are for the running program. A blank variable means the default.
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

// set stores a value, which [newSetting] has checked, in the field that it is for. dir is
// the working directory.
func (c *Config) set(s Setting, dir string) error {
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
	case "network":
		c.NoNetwork = !yes
	case "evidence":
		if c.Evidence = s.Value; !filepath.IsAbs(c.Evidence) {
			if s.spelling != "" { // only settings of the file have one
				dir = filepath.Dir(c.File)
			}
			c.Evidence = filepath.Join(dir, c.Evidence)
		}
	case "evidenceMaxAge":
		c.EvidenceMaxAge, _ = parseAge(s.Value)
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

// WriteCompileID writes everything that decides how packages are compiled: which packages
// match, which of their functions do, and the directories of modules, with which the file
// names of functions begin. Two configs that write the same compile every package the
// same.
//
// It avoids absolute directories where it can, so that two checkouts of a module have the
// same ID.
func (c *Config) WriteCompileID(w io.Writer) {
	for _, m := range c.Modules {
		fmt.Fprintf(w, "module %q %q\n", m.Path, m.Rel)
	}
	for _, r := range c.tree.replaced {
		fmt.Fprintf(w, "replaced %q %q\n", r.path, c.tree.idDir(r))
	}
	c.writeID(w, Recompiles)
}

// WriteLinkID writes the rest of what decides how programs are linked.
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
