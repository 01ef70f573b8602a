// The marks in a hits file of format 2.
//
//	P   one place of 4 bytes for each function: the offset of its mark in the
//	    file, or 0 if the function is not observable; their CRC-32 is in the header
//	M   marks, and bytes of no meaning around them
//
// Such a file is mapped over the memory in which the process sets its marks. A
// mark that is set is a call that the process had no time to write the stamp of.

package report

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

const placeSize = 4

// readMarks returns which of a file's functions have their mark set. An error says
// what is wrong with some of the marks: the others count all the same.
func readMarks(r io.ReaderAt, h hitsHeader, functions int) (marked []int, err error) {
	places, err := readPart(r, h.Places, int64(functions)*placeSize, h.Size)
	if err != nil {
		return nil, fmt.Errorf("damaged: the places of the marks: %w", err)
	}
	if crc32.ChecksumIEEE(places) != h.PlacesCRC {
		return nil, errors.New("damaged: the places of the marks do not match their checksum; calls shortly before the end may be missing")
	}
	marks, err := readPart(r, h.Marks, h.Size-h.Marks, h.Size)
	if err != nil {
		return nil, fmt.Errorf("damaged: the marks: %w", err)
	}
	bad := 0
	for i := range functions {
		place := int64(binary.LittleEndian.Uint32(places[i*placeSize:]))
		if place == 0 {
			continue
		}
		if place -= h.Marks; place < 0 || place >= int64(len(marks)) {
			bad++
			continue
		}
		switch marks[place] {
		case 0:
			continue
		case 1:
		default:
			bad++
		}
		marked = append(marked, i)
	}
	if bad > 0 {
		return marked, fmt.Errorf("damaged: %d of %d marks make no sense", bad, functions)
	}
	return marked, nil
}

// readPart reads a part of a file of the given size.
func readPart(r io.ReaderAt, offset, length, size int64) ([]byte, error) {
	if offset < preambleSize || length < 0 || offset > size-length {
		return nil, fmt.Errorf("%d bytes at byte %d of %d", length, offset, size)
	}
	b := make([]byte, length)
	if n, err := r.ReadAt(b, offset); n < len(b) {
		return nil, withoutPath(err)
	}
	return b, nil
}
