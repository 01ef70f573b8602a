// Function literals: which are the same one in two builds.
//
// Their names have numbers, and others get the number of one that was added or deleted. A
// call counts for all that ever had the name. But that one was not called says nothing about
// another.

package report

import (
	"fmt"
	"hash/fnv"
	"strings"
)

// literals stands for the literals in a function, by name, parameters and length: 0 for none.
type literals uint64

// literals returns those of each function that has some.
func (b *build) literals() map[identity]literals {
	var all map[identity]literals
	for i := range b.entries {
		e := &b.entries[i]
		around := e.around()
		if around == (identity{}) {
			continue
		}
		if all == nil {
			all = map[identity]literals{}
		}
		h := fnv.New64a()
		fmt.Fprintf(h, "%q %q %d %d", e.Name, e.Signature, e.Lines, all[around])
		all[around] = literals(h.Sum64())
	}
	return all
}

// around returns the function that a literal stands in, nothing for what is none.
func (e *entry) around() identity {
	outer, literal := Around(e.Name)
	if !literal {
		return identity{}
	}
	id := e.identity()
	id.name = outer
	return id
}

// Around returns the name of the function that a literal stands in, and any other name as it
// is: that of Outer.func1, and of Outer-range1.1, which is in a range over a function.
func Around(name string) (outer string, literal bool) {
	n := strings.IndexAny(name, ".-")
	if n < 0 {
		return name, false
	}
	return name[:n], true
}
