// Reading orphans and the codebase files that they name.

package hitrt

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
)

// readHeader reads the header.
func (o *orphan) readHeader(file *os.File) error {
	var start [16]byte
	if _, err := file.ReadAt(start[:], 0); err != nil {
		return fmt.Errorf("damaged: %w", err)
	}
	length := binary.LittleEndian.Uint32(start[8:])
	if string(start[:8]) != "SCAVHIT1" || length > 1<<20 {
		return errors.New("damaged, or of another format")
	}
	head := make([]byte, length)
	if _, err := file.ReadAt(head, 16); err != nil {
		return fmt.Errorf("damaged: %w", err)
	}
	h := &o.header
	if crc32.ChecksumIEEE(head) != binary.LittleEndian.Uint32(start[12:]) || json.Unmarshal(head, h) != nil {
		return errors.New("damaged header")
	}
	if h.Format != stampsFormat && h.Format != marksFormat {
		return fmt.Errorf("written in format %d", h.Format)
	}
	return nil
}

// readCalls reads stamps and marks.
func (o *orphan) readCalls(file *os.File) error {
	h := &o.header
	info, err := file.Stat()
	if err != nil {
		return err
	}
	n := int64(h.Functions)
	if n < 0 || n > 1<<28 || h.Stamps < 16 || h.Size != info.Size() || h.Stamps > h.Size-n*stampSize {
		return fmt.Errorf("damaged: %d bytes", info.Size())
	}
	b := make([]byte, h.Size)
	if _, err := file.ReadAt(b, 0); err != nil {
		return err
	}
	o.last = make([]int64, n)
	var latest int64
	for i := range o.last {
		stamp := int64(binary.LittleEndian.Uint64(b[h.Stamps+int64(i)*stampSize:]))
		if stamp == neverHit {
			continue
		}
		if stamp < earliest {
			return fmt.Errorf("damaged: stamp %d is %d", i, stamp)
		}
		o.last[i] = stamp
		latest = max(latest, stamp)
	}
	if h.Format < marksFormat {
		return nil
	}
	if h.Places < h.Stamps || h.Places > h.Size-n*placeSize ||
		crc32.ChecksumIEEE(b[h.Places:h.Places+n*placeSize]) != h.PlacesCRC {
		return errors.New("damaged: the places of the marks")
	}
	for i := range o.last {
		place := binary.LittleEndian.Uint32(b[h.Places+int64(i)*placeSize:])
		if place != 0 && int64(place) < h.Size && b[place] != 0 {
			o.last[i] = max(latest, unixMillis(info.ModTime()))
		}
	}
	return nil
}

// codebase calls each with the functions of the codebase that o names, in order.
func (o *orphan) codebase(each func(f codebaseFunction, hash [16]byte)) error {
	name := "codebase-" + o.header.Fingerprint + ".json"
	if filepath.Base(name) != name {
		return errors.New("damaged: its fingerprint is none")
	}
	file, err := openFile(filepath.Join(filepath.Dir(o.path), name), os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	n := 0
	err = parseCodebase(file, func(f codebaseFunction, hash [16]byte) {
		n++
		each(f, hash)
	})
	if err == nil && n != o.header.Functions {
		err = fmt.Errorf("%d functions, want %d", n, o.header.Functions)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// hashes returns the signature hashes of the functions in the codebase that o names.
func (o *orphan) hashes() (hashes [][16]byte, err error) {
	err = o.codebase(func(_ codebaseFunction, hash [16]byte) { hashes = append(hashes, hash) })
	return hashes, err
}

// parseCodebase reads a codebase file and calls each with its functions. If it returns
// an error, discard what each was given.
func parseCodebase(r io.Reader, each func(f codebaseFunction, hash [16]byte)) error {
	sum := sha256.New()
	lines := bufio.NewReader(r)
	for n := 0; ; n++ {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return fmt.Errorf("damaged: line %d: %w", n+1, err)
		}
		if bytes.HasPrefix(line, []byte(`{"sha256":`)) {
			if !bytes.Equal(line, checksumLine(sum.Sum(nil))) {
				return errors.New("damaged: wrong checksum")
			}
			return nil
		}
		_, _ = sum.Write(line)
		if n == 0 {
			continue
		}
		var f codebaseFunction
		if err := json.Unmarshal(line, &f); err != nil {
			return fmt.Errorf("damaged: line %d: %w", n+1, err)
		}
		var hash [16]byte
		if len(f.Hash) != 2*len(hash) {
			return fmt.Errorf("damaged: line %d: hash %s", n+1, shown(f.Hash))
		}
		if _, err := hex.Decode(hash[:], []byte(f.Hash)); err != nil {
			return fmt.Errorf("damaged: line %d: hash %s", n+1, shown(f.Hash))
		}
		each(f, hash)
	}
}
