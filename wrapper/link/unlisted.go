// What the program has and does not list, so that no report takes its silence for a proof:
// another program may mark what this one only calls.

package link

import (
	"slices"
	"strings"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/registry"
)

// Words that stand for more than a package: those of hitrt/datafile, which only hitrt and the
// report import.
const (
	anyLiteral  = "func()"
	anyFunction = "..."
)

// maxUnlisted is the length from which the list says less. It is a part of one line in
// codebase files, and readers take a line of a megabyte for damage.
const maxUnlisted = 512 << 10

// unlisted returns the list of what the program does not list, in the form of codebase
// files: plain are the packages without metadata, and closures says that function literals
// are listed. A list that is too long names packages alone, or just says that there is
// something: it must not say too little.
func unlisted(plain []string, packages []*registry.Metadata, closures bool) string {
	full, short := slices.Clone(plain), slices.Clone(plain)
	for _, m := range packages {
		switch {
		case len(m.LeftOut) > 0:
			full = append(full, m.ImportPath+":"+strings.Join(m.LeftOut, ","))
			short = append(short, m.ImportPath)
		case len(m.Functions) == 0 && (m.NotMarked != "" || m.Main != nil):
			// Of a main package that is marked, func main is listed or left out.
			full, short = append(full, m.ImportPath), append(short, m.ImportPath)
		}
	}
	for _, list := range [][]string{full, short} {
		slices.Sort(list)
		if !closures {
			list = slices.Insert(list, 0, anyLiteral)
		}
		if text := strings.Join(list, " "); len(text) <= maxUnlisted {
			return text
		}
	}
	return anyFunction
}
