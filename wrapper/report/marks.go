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

// readMarks raises the elements of last whose marks are set to now, the last
// time that is known of the process. It returns the latest time of a call,
// which was latest before.
func readMarks(r io.ReaderAt, h hitsHeader, now, latest int64, last []int64) (int64, error) {
	places, err := readPart(r, h.Places, int64(len(last))*placeSize, h.Size)
	if err != nil {
		return latest, fmt.Errorf("damaged: the places of the marks: %w", err)
	}
	if crc32.ChecksumIEEE(places) != h.PlacesCRC {
		return latest, errors.New("damaged: the places of the marks do not match their checksum; calls shortly before the end may be missing")
	}
	marks, err := readPart(r, h.Marks, h.Size-h.Marks, h.Size)
	if err != nil {
		return latest, fmt.Errorf("damaged: the marks: %w", err)
	}
	if now < 0 || !isTime(uint64(now)) {
		now = max(latest, minStamp)
	}
	bad := 0
	for i := range last {
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
		last[i] = max(last[i], now)
		latest = max(latest, now)
	}
	if bad > 0 {
		return latest, fmt.Errorf("damaged: %d of %d marks make no sense", bad, len(last))
	}
	return latest, nil
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
