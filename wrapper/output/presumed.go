// Functions without marks, because evidence of an earlier build knows that they were called.

package output

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// presumed says how many functions count as called because evidence says so, or "" if there
// is none. show writes the name of evidence.
func presumed(r *report.Report, show func(name string) string) string {
	counts := map[string]int{}
	all := 0
	for i := range r.Functions {
		if name := r.Functions[i].Presumed; name != "" {
			counts[name]++
			all++
		}
	}
	if all == 0 {
		return ""
	}
	var names []string
	for name := range counts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b)) })
	for i, name := range names {
		names[i] = fmt.Sprintf("%s: %d", show(name), counts[name])
	}
	return fmt.Sprintf("Presumed: %s no mark, as evidence knows of their calls (%s). Calls since then were not seen.",
		pluralVerb(all, "function that counts as called has", "functions that count as called have"), strings.Join(names, ", "))
}
