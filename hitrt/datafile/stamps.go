// Stamps: when a function was last called, and whether the collector has it.

package datafile

import (
	"fmt"
	"io"
	"iter"
)

const (
	stampSize = 8

	// MinTime and MaxTime are the limits of the time in a stamp, in Unix milliseconds:
	// March 2017, before which the collector takes nothing, and the year 4199.
	MinTime = 1_490_000_000_001
	MaxTime = 1<<46 - 1

	neverCalled = 1
	unknown     = 0 // a stamp that is damaged wherever it is
	onceBit     = 1 << 46
	sentBit     = 1 << 47
	valueMask   = 1<<48 - 1
)

// A State is what a stamp says besides the time.
type State uint8

const (
	Unsent  State = iota // the collector has not said OK to it
	Once                 // it said OK once
	Sent                 // it said OK twice
	Damaged              // nothing is known: the stamp does not match its checksum
	Lost                 // it said OK, and has it no more: the stamp is to say Unsent
)

// A salt makes the checksums of a file's stamps its own.
type salt uint64

func newSalt(fingerprint string) salt {
	sum := sum256([]byte(fingerprint))
	return salt(Uint64(sum[:]))
}

// stamp returns the stamp of a function with a checksum. at is 0 if it was never called.
func (s salt) stamp(i int, at int64, state State) uint64 {
	v := uint64(neverCalled)
	if at > neverCalled {
		v = uint64(min(max(at, MinTime), MaxTime))
	}
	switch state {
	case Once:
		v |= onceBit
	case Sent:
		v |= sentBit
	}
	return v | uint64(s.check(i, v))<<48
}

// read returns what the stamp of a function says. at is 0 if it was never called.
func (s salt) read(i int, stamp uint64) (at int64, state State) {
	v := stamp & valueMask
	if uint16(stamp>>48) != s.check(i, v) {
		return 0, Damaged
	}
	switch v & (onceBit | sentBit) {
	case onceBit:
		state = Once
	case sentBit:
		state = Sent
	case onceBit | sentBit:
		return 0, Damaged
	}
	switch at = int64(v &^ (onceBit | sentBit)); {
	case at == neverCalled:
		return 0, state
	case at < MinTime:
		return 0, Damaged
	}
	return at, state
}

// check returns the checksum of a stamp: a CRC-16 of its value, which notices every
// change of one bit and of neighbouring ones, combined with its place.
func (s salt) check(i int, v uint64) uint16 {
	crc := uint16(neverCRC)
	if v != neverCalled {
		crc = crc16(v)
	}
	place := (uint64(s) ^ uint64(i)) * 0x9e3779b97f4a7c15
	place = (place ^ place>>32) * 0xd6e8feb86659fd93
	return crc ^ uint16(place>>48)
}

// neverCRC is crc16(neverCalled), which most stamps have.
const neverCRC = 0x1e31

// crc16 returns the CRC-16/CCITT of 48 bits, eight at a time.
func crc16(v uint64) uint16 {
	crc := uint16(0xffff)
	for shift := 40; shift >= 0; shift -= 8 {
		x := crc>>8 ^ uint16(v>>shift)&0xff
		x ^= x >> 4
		crc = crc<<8 ^ x<<12 ^ x<<5 ^ x
	}
	return crc
}

// window is the size of the part of a file that is read and written at once.
const window = 16 * pageSize

// A stampFile is what raise needs of an [os.File].
type stampFile interface {
	io.ReaderAt
	io.WriterAt
}

// raise raises the stamps of calls, or sets their state as [Update.State] says. It returns
// the number of those that were damaged.
func raise(file stampFile, h *Header, calls iter.Seq2[int, int64], state State) (damaged int, err error) {
	if calls == nil {
		return 0, nil
	}
	salt, buf := newSalt(h.Fingerprint), make([]byte, 0, window)
	at, low, high := int64(-1), 0, 0 // the window, and what was changed in it
	flush := func() error {
		if low >= high {
			return nil
		}
		_, err := file.WriteAt(buf[low:high], at+int64(low))
		return err
	}
	for i, call := range calls {
		if i < 0 || i >= h.Functions {
			continue
		}
		offset := h.Stamps + int64(i)*stampSize
		if at < 0 || offset >= at+int64(len(buf)) || offset < at {
			if err := flush(); err != nil {
				return damaged, err
			}
			at = offset &^ (pageSize - 1)
			buf = buf[:min(window, h.Records-at)]
			if n, err := file.ReadAt(buf, at); n < len(buf) {
				return damaged, fmt.Errorf("reading stamps: %w", err)
			}
			low, high = len(buf), 0
		}
		b := buf[offset-at:][:stampSize]
		old := Uint64(b)
		last, was := salt.read(i, old)
		if was == Damaged {
			damaged++
		}
		// A clock that is wrong must not make a call look like none.
		call = min(max(call, MinTime), MaxTime)
		stamp := old
		switch {
		case was == Damaged && state != Unsent:
		case state == Damaged && last == 0:
			stamp = unknown
		case state == Damaged:
		case state == Lost && last != 0 && last <= call:
			stamp = salt.stamp(i, last, Unsent)
		case state == Lost:
		case state == Unsent && (call > last || was == Damaged):
			stamp = salt.stamp(i, call, Unsent)
		case state != Unsent && last != 0 && last <= call && state > was:
			stamp = salt.stamp(i, last, state)
		}
		if stamp != old {
			PutUint64(b, stamp)
			low, high = min(low, int(offset-at)), max(high, int(offset-at)+stampSize)
		}
	}
	return damaged, flush()
}
