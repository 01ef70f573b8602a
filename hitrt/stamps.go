// The mapping from cells to the stamps in a hits file.

package hitrt

// packageStamps maps a package's cells to stamps.
type packageStamps struct {
	first     int     // index of its first stamp among those of all packages
	functions int     // their number, which is that of its stamps
	stamps    []int32 // index of the stamp of each cell; -1 = padding; nil = in the order of cells
}

// newPackageStamps gives the functions of p the stamps from an index on. If the
// registry says that they are in order, that is taken; otherwise Entries is parsed.
// writeCodebase verifies the order.
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

// stampOf returns the index of a cell's stamp, -1 if it has none.
func (s *packageStamps) stampOf(cell int) int {
	switch {
	case s.stamps != nil:
		return int(s.stamps[cell])
	case cell < s.functions:
		return s.first + cell
	}
	return -1
}
