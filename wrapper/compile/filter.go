// What the settings mean for one package.

package compile

import (
	"fmt"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/rewrite"
)

// FilterOf returns which functions of a package the settings leave out.
func FilterOf(c *config.Config, importPath string) rewrite.Filter {
	f := rewrite.Filter{
		ExportedOnly: c.ExportedOnly,
		Constructors: c.ExcludeConstructors,
		Accessors:    c.ExcludeGetterSetter,
		Generated:    c.ExcludeGenerated,
		Names:        c.ExcludeByRegex,
	}
	if c.NeedsAnnotation(importPath) {
		f.Markers, f.Exempt = c.Annotations, c.AdditionalByRegex
	}
	return f
}

// NoMatch returns why a package does not match.
func NoMatch(c *config.Config, importPath string) string {
	key, pattern, _ := c.MatchedBy(importPath)
	switch {
	case key != "":
		return fmt.Sprintf("%s has %s", key, pattern)
	case len(c.Packages) > 0:
		return "no pattern of packages matches"
	}
	return "not of a main module, and packages is not set"
}
