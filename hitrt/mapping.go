package hitrt

// Marks that outlive the process. A file can be mapped over the pages that a
// package's marks lie on; then the byte that a function stores is the file's at
// that moment, and what ends the process cannot undo it.
//
// Whatever is not as it must be for that (another system, larger pages, a file
// system that might fail a store when it is full or gone) leaves the marks where
// they are. Then the file knows of a hit when the marks are next read.

import (
	"io"
	"unsafe"
)

// mappedPage is the size of the pages that the padding of mark arrays is for.
const mappedPage = 4096

// A pageRange is the pages that one package's marks lie on.
type pageRange struct {
	start uintptr // address of the first page
	size  int     // of all, in bytes
	marks []uint8
	at    int // offset of the first mark in the pages
}

// markPages returns the pages of each package, by its place in packages; those
// of a package without marks are empty. ok is false if the pages of any hold
// something besides marks and padding.
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

// A mappedFile is written to through its mapping.
type mappedFile []byte

// WriteAt is that of a file. A disk that takes nothing more is an error: the
// publisher's goroutine has faults as panics.
func (m mappedFile) WriteAt(b []byte, at int64) (n int, err error) {
	defer func() {
		if recover() != nil {
			n, err = 0, io.ErrShortWrite
		}
	}()
	return copy(m[at:at+int64(len(b))], b), nil
}
