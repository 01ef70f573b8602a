package hitrt

// Files of processes that are no more. What a process called and did not get to
// the collector is in its file in dataDir; the next process of the same
// application and environment sends it.
//
// It does so under its own name: the collector keeps hits by application,
// environment and function, and knows the functions of a process that lived long
// enough from the codebase that the process sent. A function that is in no
// codebase is not shown at all, so it is not shown as unused.
//
// A file is claimed by its lock. Its process holds that for as long as it lives,
// a claimant until the file is removed, which it is once the collector said OK to
// all of it. If the claimant dies too, the next one begins anew: hits that are
// sent twice with the same time change nothing.
//
// Left alone are files of other applications and environments, of processes on
// systems without such locks, of unknown formats, and damaged ones; the last two
// are named once.

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
	"slices"
	"time"
)

// leftoverInterval is how often dataDir is searched.
const leftoverInterval = 10 * time.Minute

// leftovers are the files to look at.
type leftovers struct {
	searched time.Time
	paths    []string
	named    map[string]bool // what was said to be unusable
}

// A leftover is a file that was claimed.
type leftover struct {
	file   *os.File
	path   string
	header processHeader
	last   []int64 // when each function was called, 0 = never
}

// errForeign is a file that is nobody's business.
var errForeign = errors.New("not ours, or in use")

// sendLeftover sends what one process left behind. more reports whether there
// may be others.
func (c *collector) sendLeftover() (more bool) {
	l := &c.leftovers
	if c.p.data == nil || !canLock {
		return false
	}
	now := c.p.now()
	if len(l.paths) == 0 {
		if !l.searched.IsZero() && elapsed(l.searched, now) < leftoverInterval {
			return false
		}
		l.searched = now
		l.paths, _ = filepath.Glob(filepath.Join(globQuoted(c.p.set.dataDir), "process-*.hits"))
		slices.Sort(l.paths)
	}
	for len(l.paths) > 0 {
		path := l.paths[0]
		l.paths = l.paths[1:]
		if path == c.p.data.path || l.named[path] {
			continue
		}
		left, err := c.claim(path)
		if err == nil {
			err = c.sendCalls(left)
			if err == nil {
				err = os.Remove(path)
			}
			_ = left.file.Close()
			return err == nil && len(l.paths) > 0
		}
		if !errors.Is(err, errForeign) && !errors.Is(err, os.ErrNotExist) {
			if l.named == nil {
				l.named = map[string]bool{}
			}
			l.named[path] = true
			c.p.rep.write("%s, left by an earlier process, is not sent: %v", path, err)
		}
	}
	return false
}

// globQuoted is a directory as a pattern that matches it alone.
func globQuoted(dir string) string {
	var b []byte
	for i := range len(dir) {
		if c := dir[i]; c == '*' || c == '?' || c == '[' || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, dir[i])
	}
	return string(b)
}

// claim opens a file, takes its lock and reads it.
func (c *collector) claim(path string) (l *leftover, err error) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil, errForeign
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, errForeign // not for us to read
	}
	defer func() {
		if err != nil {
			_ = file.Close()
		}
	}()
	l = &leftover{file: file, path: path}
	if err := l.readHeader(); err != nil {
		return nil, err
	}
	set := c.p.set
	if l.header.AppName != set.appName || l.header.Environment != set.environment || !l.header.Locked {
		return nil, errForeign
	}
	if lockFile(file) != nil || !isAt(file, path) {
		return nil, errForeign
	}
	return l, l.readCalls()
}

// readHeader reads what is before the stamps.
func (l *leftover) readHeader() error {
	var start [16]byte
	if _, err := l.file.ReadAt(start[:], 0); err != nil {
		return fmt.Errorf("damaged: %w", err)
	}
	length := binary.LittleEndian.Uint32(start[8:])
	if string(start[:8]) != "SCAVHIT1" || length > 1<<20 {
		return errors.New("damaged, or of another format")
	}
	head := make([]byte, length)
	if _, err := l.file.ReadAt(head, 16); err != nil {
		return fmt.Errorf("damaged: %w", err)
	}
	h := &l.header
	if crc32.ChecksumIEEE(head) != binary.LittleEndian.Uint32(start[12:]) || json.Unmarshal(head, h) != nil {
		return errors.New("damaged header")
	}
	if h.Format != stampsFormat && h.Format != marksFormat {
		return fmt.Errorf("written in format %d", h.Format)
	}
	return nil
}

// readCalls reads stamps and marks.
func (l *leftover) readCalls() error {
	h := &l.header
	info, err := l.file.Stat()
	if err != nil {
		return err
	}
	n := int64(h.Functions)
	if n < 0 || n > 1<<28 || h.Stamps < 16 || h.Size != info.Size() || h.Stamps > h.Size-n*stampSize {
		return fmt.Errorf("damaged: %d bytes", info.Size())
	}
	b := make([]byte, h.Size)
	if _, err := l.file.ReadAt(b, 0); err != nil {
		return err
	}
	l.last = make([]int64, n)
	var latest int64
	for i := range l.last {
		stamp := int64(binary.LittleEndian.Uint64(b[h.Stamps+int64(i)*stampSize:]))
		if stamp == neverHit {
			continue
		}
		if stamp < earliest {
			return fmt.Errorf("damaged: stamp %d is %d", i, stamp)
		}
		l.last[i] = stamp
		latest = max(latest, stamp)
	}
	if h.Format < marksFormat {
		return nil
	}
	if h.Places < h.Stamps || h.Places > h.Size-n*placeSize ||
		crc32.ChecksumIEEE(b[h.Places:h.Places+n*placeSize]) != h.PlacesCRC {
		return errors.New("damaged: the places of the marks")
	}
	for i := range l.last {
		place := binary.LittleEndian.Uint32(b[h.Places+int64(i)*placeSize:])
		if place != 0 && int64(place) < h.Size && b[place] != 0 {
			l.last[i] = max(latest, unixMillis(info.ModTime()))
		}
	}
	return nil
}

// sendCalls sends the calls of a process, those of each hour with the time of
// the first of them.
func (c *collector) sendCalls(l *leftover) error {
	hashes, err := c.hashesOf(l)
	if err != nil {
		c.p.rep.say("leftover", "%s, left by an earlier process, cannot be sent: %v", l.path, err)
		return err
	}
	byHour := map[int64][]int{}
	for i, at := range l.last {
		if at != 0 {
			hour := at / time.Hour.Milliseconds()
			byHour[hour] = append(byHour[hour], i)
		}
	}
	count := 0
	for _, calls := range byHour {
		start := l.last[calls[0]]
		for _, i := range calls {
			start = min(start, l.last[i])
		}
		head := appendInt(nil, 3, start)
		head = appendBytes(head, 1, c.common(c.fingerprint, unixMillis(c.p.now())))
		for part := range slices.Chunk(calls, max((c.limit-len(head))/hitSize-1, 1)) {
			message := append(newMessage(len(head)+hitSize*len(part)), head...)
			for _, i := range part {
				message = appendHit(message, hashes[i])
			}
			if err := c.publish(methodInvocations, message); err != nil {
				c.invocation.failed(c.p.now())
				c.shrink(err)
				c.report(err, &c.invocation, "publishing what an earlier process left behind")
				return err
			}
		}
		count += len(calls)
	}
	c.p.rep.trace("%d invocations of process %s published", count, l.header.Process)
	return nil
}

// hashesOf returns the signature hashes of the functions in the codebase of l.
func (c *collector) hashesOf(l *leftover) ([][16]byte, error) {
	fingerprint := l.header.Fingerprint
	name := "codebase-" + fingerprint + ".json"
	if filepath.Base(name) != name {
		return nil, errors.New("damaged: its fingerprint is none")
	}
	file, err := os.Open(filepath.Join(c.p.set.dataDir, name))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	hashes, err := readHashes(file)
	if err == nil && len(hashes) != l.header.Functions {
		err = fmt.Errorf("%d functions, want %d", len(hashes), l.header.Functions)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return hashes, nil
}

// readHashes reads a codebase file.
func readHashes(r io.Reader) ([][16]byte, error) {
	var hashes [][16]byte
	sum := sha256.New()
	lines := bufio.NewReader(r)
	for n := 0; ; n++ {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return nil, fmt.Errorf("damaged: line %d: %w", n+1, err)
		}
		if bytes.HasPrefix(line, []byte(`{"sha256":`)) {
			if !bytes.Equal(line, checksumLine(sum.Sum(nil))) {
				return nil, errors.New("damaged: wrong checksum")
			}
			return hashes, nil
		}
		_, _ = sum.Write(line)
		if n == 0 {
			continue
		}
		var f struct{ Hash string }
		if err := json.Unmarshal(line, &f); err != nil {
			return nil, fmt.Errorf("damaged: line %d: %w", n+1, err)
		}
		var hash [16]byte
		if k, err := hex.Decode(hash[:], []byte(f.Hash)); err != nil || k != len(hash) {
			return nil, fmt.Errorf("damaged: line %d: hash %s", n+1, shown(f.Hash))
		}
		hashes = append(hashes, hash)
	}
}
