// What the settings mean for one package and one program.

package wrapper

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/rewrite"
)

// filterOf returns which functions of a package the settings leave out.
func filterOf(c *config.Config, importPath string) rewrite.Filter {
	f := rewrite.Filter{
		ExportedOnly: c.ExportedOnly,
		Constructors: c.ExcludeConstructors,
		Accessors:    c.ExcludeGetterSetter,
		Generated:    c.ExcludeGenerated,
		Names:        c.ExcludeByRegex,
	}
	if !c.Annotated(importPath) {
		f.Markers, f.Unmarked = c.Annotations, c.AdditionalByRegex
	}
	return f
}

// noMatch says why a package does not match.
func noMatch(c *config.Config, importPath string) string {
	key, pattern, _ := c.MatchedBy(importPath)
	switch {
	case key != "":
		return fmt.Sprintf("%s has %s", key, pattern)
	case len(c.Packages) > 0:
		return "no pattern of packages matches"
	}
	return "not of a main module, and packages is not set"
}

// checkCount returns how many functions the packages have, and an error if they are
// more than maxMethodsCount.
func checkCount(c *config.Config, packages []*metadata) (total int, err error) {
	counts := map[string]int{}
	for _, p := range packages {
		counts[p.ImportPath] = len(p.Functions)
		total += len(p.Functions)
	}
	if total > c.MaxMethodsCount {
		return 0, fmt.Errorf("the program has %d functions to mark, %w", total, tooMany(c, counts))
	}
	return total, nil
}

// tooMany says which packages have most functions, and what to do.
func tooMany(c *config.Config, counts map[string]int) error {
	largest := slices.Sorted(maps.Keys(counts))
	slices.SortStableFunc(largest, func(a, b string) int { return cmp.Compare(counts[b], counts[a]) })
	var names []string
	for _, p := range largest[:min(5, len(largest))] {
		names = append(names, fmt.Sprintf("%s (%d)", p, counts[p]))
	}
	return fmt.Errorf("more than maxMethodsCount (%d); the largest packages are %s: "+
		"leave some out with packages or excludePackages, or raise maxMethodsCount", c.MaxMethodsCount, strings.Join(names, ", "))
}
