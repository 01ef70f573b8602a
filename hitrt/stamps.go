package hitrt

// Which stamp of a process's file belongs to which mark.

// packageStamps says which stamps a package's functions have.
type packageStamps struct {
	first     int     // index of the first one's, among those of all packages
	functions int     // so many it has
	stamps    []int32 // index of the stamp of each mark's function; -1 = padding; nil = they are in order
}

// newPackageStamps gives the functions of p the stamps from an index on. Where the
// registry does not say that they are in order, their text tells. Who lists them
// checks what it says, see writeCodebase.
func newPackageStamps(p *Package, first int) packageStamps {
	if p.InOrder > 0 && p.InOrder <= len(p.Marks) {
		return packageStamps{first: first, functions: p.InOrder}
	}
	s := packageStamps{first: first, stamps: make([]int32, len(p.Marks))}
	for m := range s.stamps {
		s.stamps[m] = -1
	}
	for index := range p.indices() {
		if index >= 0 {
			s.stamps[index] = int32(first + s.functions)
		}
		s.functions++
	}
	return s
}

// stampOf is the index of the stamp of a mark's function, -1 if there is none.
func (s *packageStamps) stampOf(mark int) int {
	switch {
	case s.stamps != nil:
		return int(s.stamps[mark])
	case mark < s.functions:
		return s.first + mark
	}
	return -1
}
