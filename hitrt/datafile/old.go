// Hits files of earlier versions, "process-<uuid>.hits", each of one process:
//
//	0        "SCAVHIT1"
//	8        length L of the header, 4 bytes; CRC-32 (IEEE) of the header, 4 bytes
//	16       header, JSON, L bytes; zeros up to S
//	S + 8*i  stamp of function i: 1 = never called so far, or the Unix
//	         milliseconds of the last time that a call was seen
//
// and in format 2 also
//
//	P + 4*i  place of the cell of function i: its offset in the file, 0 if the function
//	         is not observable; their CRC-32 is in the header
//	M        cells, and bytes of no meaning around them
//
// The cells of such a file lay under the memory of the process. One that is set is a
// call whose stamp it had no time to write. The process locked its file for as long as
// it lived.

package datafile

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

const (
	oldMagic       = "SCAVHIT1"
	oldJoinedMagic = "SCAVJOI1"
	joinedMagic    = "SCAVJOI3"
	placeSize      = 4
)

// An oldHeader is the header of a file of an earlier version.
type oldHeader struct {
	Format int `json:"format"`
	Identity
	Stamps    int64  `json:"stamps"`
	Places    int64  `json:"places"`
	PlacesCRC uint32 `json:"placesCrc"`
	Marks     int64  `json:"marks"`
	Size      int64  `json:"size"`
	Locked    bool   `json:"locked"`
	Process   string `json:"process"`
	PID       int    `json:"pid"`
	StartedAt int64  `json:"startedAt"`

	latest int64 // the latest stamp
	lossy  bool  // cells are lost
}

func (h *oldHeader) fields() []field {
	return slices.Concat([]field{{key: "format", value: &h.Format}}, h.Identity.fields(), []field{
		{key: "stamps", value: &h.Stamps},
		{key: "places", value: &h.Places},
		{key: "placesCrc", value: &h.PlacesCRC},
		{key: "marks", value: &h.Marks},
		{key: "size", value: &h.Size},
		{key: "locked", value: &h.Locked},
		{key: "process", value: &h.Process},
		{key: "pid", value: &h.PID},
		{key: "startedAt", value: &h.StartedAt},
	})
}

func (r *Reader) parseOld(head []byte) error {
	h := &oldHeader{}
	if err := readObject(head, h.fields()); err != nil {
		return fmt.Errorf("damaged: header: %w", err)
	}
	switch {
	case h.Format > 2:
		return FormatError{fmt.Sprint(h.Format)}
	case h.Format < 1:
		return errors.New("damaged: no format 1 or later in the header")
	case h.Functions < 0 || h.Functions > maxFunctions:
		return fmt.Errorf("damaged: %d functions", h.Functions)
	case h.Stamps < int64(preamble+len(head)):
		return fmt.Errorf("damaged: stamps at byte %d, inside the header", h.Stamps)
	case h.Format == 2 && h.Size != r.size:
		return fmt.Errorf("damaged: %d bytes, but the header says %d", r.size, h.Size)
	}
	if info, err := r.file.Stat(); err == nil {
		h.UID = Owner(info)
	}
	r.old = h
	r.Header = Header{Format: h.Format, Identity: h.Identity, Process: h.Process, Stamps: h.Stamps, CreatedAt: h.StartedAt}
	return nil
}

// process returns the process that wrote the file. Call it after Stamps.
func (h *oldHeader) process() Process {
	p := Process{UUID: h.Process, PID: h.PID, StartedAt: h.StartedAt, SeenAt: max(h.latest, h.StartedAt), State: Recovered, Kept: OnDisk}
	if h.Format == 1 {
		p.State, p.Kept = Lossy, OnceASecond // nobody knows how it ended
	}
	if h.lossy {
		p.State = Lossy
	}
	return p
}

// oldStamps does what Stamps does. The cells are read first: a living process clears a
// cell once it has written the stamp, and a call that it stamps between the two
// readings would be in neither the other way round.
func (r *Reader) oldStamps(each func(i int, at int64, state State)) error {
	h := r.old
	set, lost, cellErr := r.oldCells()
	stampErr := r.stamps(oldStamp, func(i int, at int64, state State) {
		h.latest = max(h.latest, at)
		each(i, at, state)
	})
	if h.Format == 1 {
		if extra := r.size - h.Stamps - int64(h.Functions)*stampSize; extra > 0 && stampErr == nil {
			stampErr = fmt.Errorf("damaged: %d bytes too long", extra)
		}
	}
	if len(set) > 0 {
		h.latest = max(h.latest, MinTime)
		if info, err := r.file.Stat(); err == nil {
			h.latest = max(h.latest, millis(info.ModTime()))
		}
		for _, i := range set {
			each(i, h.latest, Unsent)
		}
	}
	if cellErr != nil {
		h.lossy = true
		for _, i := range lost {
			each(i, 0, Damaged)
		}
		for i := 0; lost == nil && i < h.Functions; i++ {
			each(i, 0, Damaged)
		}
	}
	return errors.Join(stampErr, cellErr)
}

// oldStamp returns what a stamp says.
func oldStamp(_ int, stamp uint64) (at int64, state State) {
	switch {
	case stamp == neverCalled:
		return 0, Unsent
	case MinTime-1 <= stamp && stamp <= MaxTime:
		return int64(stamp), Unsent
	}
	return 0, Damaged
}

// oldCells returns the functions whose cell is set, and with an error those whose cell
// is lost: nil are all.
func (r *Reader) oldCells() (set, lost []int, err error) {
	h := r.old
	if h.Format < 2 {
		return nil, nil, nil
	}
	size := int64(h.Functions) * placeSize
	if h.Places < h.Stamps || h.Places > r.size-size || h.Marks < h.Places || h.Marks > r.size {
		return nil, nil, fmt.Errorf("damaged: places of cells at byte %d, cells at byte %d of %d", h.Places, h.Marks, r.size)
	}
	crc := crc32.NewIEEE()
	if err := copyPart(crc, r.file, h.Places, size); err != nil {
		return nil, nil, fmt.Errorf("damaged: the places of the cells: %w", err)
	}
	if crc.Sum32() != h.PlacesCRC {
		return nil, nil, errors.New("damaged: the places of the cells do not match their checksum; calls shortly before the end may be missing")
	}
	places := bufio.NewReaderSize(io.NewSectionReader(r.file, h.Places, size), window)
	from := int64(-1)
	buf, n := make([]byte, window), 0
	for i := range h.Functions {
		var b [placeSize]byte
		if _, err := io.ReadFull(places, b[:]); err != nil {
			return set, nil, fmt.Errorf("damaged: the places of the cells: %w", withoutPath(err))
		}
		place := int64(Uint32(b[:]))
		if place == 0 {
			continue
		}
		if place < h.Marks || place >= r.size {
			lost = append(lost, i)
			continue
		}
		if from < 0 || place < from || place >= from+int64(n) {
			from = place &^ (pageSize - 1)
			n, _ = r.file.ReadAt(buf, from)
			if place >= from+int64(n) {
				lost = append(lost, i)
				continue
			}
		}
		cell := buf[place-from]
		if cell > 1 {
			lost = append(lost, i)
		}
		if cell != 0 {
			set = append(set, i)
		}
	}
	if len(lost) > 0 {
		return set, lost, fmt.Errorf("damaged: %d of %d cells make no sense", len(lost), h.Functions)
	}
	return set, nil, nil
}
