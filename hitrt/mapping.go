// Marks that outlive the process. A file can be mapped over the pages that a package's
// marks lie on. Then a function stores its byte directly into the file, and no end of
// the process can undo it.
//
// If that is impossible (another system, larger pages, a file system that might fail a
// store when it is full or gone), marks stay where they are. Then hits reach the file
// when the marks are next read.

package hitrt

import (
	"io"
	"unsafe"
)

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

// A mappedFile is a file that is written to through its mapping.
type mappedFile []byte

// WriteAt implements [io.WriterAt]. It returns an error if the disk is full: in the
// publisher's goroutine a fault is a panic.
func (m mappedFile) WriteAt(b []byte, at int64) (n int, err error) {
	defer func() {
		if recover() != nil {
			n, err = 0, io.ErrShortWrite
		}
	}()
	return copy(m[at:at+int64(len(b))], b), nil
}
