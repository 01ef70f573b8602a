// The pages that a program's marks lie on.

package hitrt

import "unsafe"

// mappedPage is the page size that the padding of mark arrays is made for.
const mappedPage = 4096

// A pageRange holds the pages that one package's marks lie on.
type pageRange struct {
	start uintptr // address of the first page
	size  int     // of all, in bytes
	marks []uint8
	at    int // offset of the first mark in the pages
}

// markPages returns the pages of each package, in the order of packages; a package
// without marks has none. ok is false if the pages of any hold something besides marks
// and padding.
func markPages(packages []Package) (ranges []pageRange, ok bool) {
	ranges = make([]pageRange, len(packages))
	for i := range packages {
		p := &packages[i]
		if len(p.Marks) == 0 {
			continue
		}
		first := uintptr(unsafe.Pointer(&p.Marks[0]))
		end := first + uintptr(len(p.Marks))
		start := first &^ (mappedPage - 1)
		stop := (end + mappedPage - 1) &^ (mappedPage - 1)
		if first-start > uintptr(p.Padding) || stop-end > uintptr(p.Padding) || first%4 != 0 {
			return nil, false
		}
		ranges[i] = pageRange{start, int(stop - start), p.Marks, int(first - start)}
	}
	return ranges, true
}
