// The limit of a program's functions, maxMethodsCount.

package link

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/registry"
)

// checkCount returns how many functions the packages have, and an error if they are
// more than maxMethodsCount.
func checkCount(c *config.Config, packages []*registry.Metadata) (total int, err error) {
	counts := map[string]int{}
	for _, p := range packages {
		counts[p.ImportPath] = len(p.Functions)
		total += len(p.Functions)
	}
	if total > c.MaxMethodsCount {
		return 0, fmt.Errorf("the program has %d functions to mark, %w", total, TooMany(c, counts))
	}
	return total, nil
}

// TooMany returns an error that names the packages with most functions, and says what to
// do.
func TooMany(c *config.Config, counts map[string]int) error {
	largest := slices.Sorted(maps.Keys(counts))
	slices.SortStableFunc(largest, func(a, b string) int { return cmp.Compare(counts[b], counts[a]) })
	var names []string
	for _, p := range largest[:min(5, len(largest))] {
		names = append(names, fmt.Sprintf("%s (%d)", p, counts[p]))
	}
	return fmt.Errorf("more than maxMethodsCount (%d); the largest packages are %s: "+
		"leave some out with packages or excludePackages, or raise maxMethodsCount", c.MaxMethodsCount, strings.Join(names, ", "))
}
