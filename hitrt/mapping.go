// The pages that a program's mark arrays lie on.

package hitrt

import (
	"cmp"
	"slices"
	"unsafe"
)

// mappedPage is the page size that the padding of mark arrays is made for.
const mappedPage = 4096

// linkerGap is more than the linker leaves between two arrays to align the second.
const linkerGap = 32

// A pageRange holds pages that nothing but cells and padding lies on, mostly those of
// many packages: the linker lays arrays of about one size side by side. To map one range
// takes the system as long as to map another, however large.
type pageRange struct {
	start uintptr // address of the first page
	size  int     // of all, in bytes
	parts []arrayPart
}

// An arrayPart is the mark array of one package on the pages of a range.
type arrayPart struct {
	cells []uint8
	at    int // offset of the first one
}

// pages returns where the pages of the part begin and end.
func (a *arrayPart) pages() (from, to int) {
	return a.at &^ (mappedPage - 1), (a.at + len(a.cells) + mappedPage - 1) &^ (mappedPage - 1)
}

// arrayPages returns the pages of all packages, and where the mark array of each package
// begins if the ranges are laid end to end. ok is false if the pages hold something
// besides cells and padding.
func arrayPages(packages []Package) (ranges []pageRange, first []int, ok bool) {
	order := make([]int, 0, len(packages))
	for i := range packages {
		if len(packages[i].Marks) > 0 {
			order = append(order, i)
		}
	}
	address := func(i int) uintptr { return uintptr(unsafe.Pointer(&packages[i].Marks[0])) }
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(address(a), address(b)) })
	first = make([]int, len(packages))
	size := 0 // of the ranges before the last one
	for n, i := range order {
		p, begin := &packages[i], address(i)
		end := begin + uintptr(len(p.Marks))
		start, stop := begin&^(mappedPage-1), (end+mappedPage-1)&^(mappedPage-1)
		if begin-start > uintptr(p.Padding) || stop-end > uintptr(p.Padding) || begin%4 != 0 {
			return nil, nil, false
		}
		joins := false
		if n > 0 {
			before := &packages[order[n-1]]
			gap := int(begin - address(order[n-1]) - uintptr(len(before.Marks)))
			joins = gap < before.Padding+p.Padding+linkerGap
		}
		if !joins {
			if len(ranges) > 0 {
				size += ranges[len(ranges)-1].size
			}
			ranges = append(ranges, pageRange{start: start})
		}
		r := &ranges[len(ranges)-1]
		r.size = int(stop - r.start)
		r.parts = append(r.parts, arrayPart{p.Marks, int(begin - r.start)})
		first[i] = size + int(begin-r.start)
	}
	return ranges, first, true
}
