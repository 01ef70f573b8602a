// Codebase files: the functions of one build, as JSON lines.
//
//	{"format":1,"fingerprint":"…","functions":2}
//	{"package":"…","receiver":"*Server","name":"Close","signature":"…","hash":"…","file":"…","line":12}
//	{"package":"…","name":"fastpath","signature":"…","hash":"…","file":"…","line":30,"reason":"nosplit"}
//	{"sha256":"<hex of all bytes before this line>"}
//
// The last line tells a file that was cut off or altered from a whole one.

package report

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
)

// The latest formats that this code reads, of either kind of file.
const (
	codebaseFormat = 1
	hitsFormat     = 2
)

// A formatError is a file of another format than ours.
type formatError struct {
	format string
	known  int
}

func (e formatError) Error() string {
	return fmt.Sprintf("written in format %s, and this scavenger-wrap reads format %d only: report with a newer scavenger-wrap",
		e.format, e.known)
}

// checkFormat checks the format of a header.
func checkFormat(format, known int) error {
	switch {
	case 1 <= format && format <= known:
		return nil
	case format > known:
		return formatError{fmt.Sprint(format), known}
	}
	return fmt.Errorf("damaged: no format 1 or later in the header")
}

// maxLine is the longest line that is read. Signatures are clamped to less than
// 1,000 bytes, so that only damage makes longer lines.
const maxLine = 1 << 20

// sealPrefix begins the last line of a codebase file.
const sealPrefix = `{"sha256":`

// A codebase is one build: its functions, and what its processes say of them.
type codebase struct {
	err       error // why it cannot be used; the rest is empty then
	entries   []entry
	main      string    // import path of the main package, empty if that is not marked
	mainFile  string    // with func main
	numbers   []int     // of the functions, if builds are compared
	last      []int64   // the latest stamp of each function, 0 if there is none
	processes []process // whose hits are in last
}

// An entry is one line of a codebase file.
type entry struct {
	Package   string `json:"package"`
	Receiver  string `json:"receiver"`
	Name      string `json:"name"`
	Signature string `json:"signature"`
	File      string `json:"file"`
	Line      int    `json:"line"`
	Reason    string `json:"reason"`
}

// codebase returns the codebase with the given fingerprint, from its file at the
// first call. It names a damaged file, but leaves a missing one to the caller.
func (d *data) codebase(fingerprint string) *codebase {
	if c, ok := d.codebases[fingerprint]; ok {
		return c
	}
	c := &codebase{}
	d.codebases[fingerprint] = c
	c.entries, c.err = d.readCodebaseFile(fingerprint)
	if c.err != nil {
		if !errors.Is(c.err, fs.ErrNotExist) {
			d.problem(codebaseName(fingerprint), c.err)
		}
		return c
	}
	c.last = make([]int64, len(c.entries))
	for _, e := range c.entries {
		if e.Name == "main" && e.Receiver == "" {
			c.main, c.mainFile = e.Package, e.File
			break
		}
	}
	return c
}

// remedy says what became of a codebase that cannot be used, and how to get it
// back: a process writes its codebase if there is none, and then the hits that
// earlier processes of the same build left count again.
func (c *codebase) remedy() string {
	var format formatError
	switch {
	case errors.Is(c.err, fs.ErrNotExist):
		return "is missing; the next process of the same build writes it"
	case errors.As(c.err, &format):
		return "is of a newer format"
	}
	return "is unusable; remove it, and the next process of the same build writes it anew"
}

func codebaseName(fingerprint string) string {
	return codebasePrefix + fingerprint + codebaseSuffix
}

func (d *data) readCodebaseFile(fingerprint string) ([]entry, error) {
	name := codebaseName(fingerprint)
	if filepath.Base(name) != name {
		return nil, fs.ErrNotExist // do not let a fingerprint name a file outside the directory
	}
	f, _, err := d.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readCodebase(f, fingerprint)
}

// readCodebase reads a codebase file. Nothing of it is used unless it is whole:
// hits are matched with functions by position alone.
func readCodebase(r io.Reader, fingerprint string) ([]entry, error) {
	var entries []entry
	var want int
	sum := sha256.New()
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	lines.Split(wholeLines)
	n := 0
	for lines.Scan() {
		line := lines.Bytes()
		n++
		switch {
		case n == 1:
			var err error
			if want, err = readCodebaseHeader(line, fingerprint); err != nil {
				return nil, err
			}
		case bytes.HasPrefix(line, []byte(sealPrefix)):
			if err := checkSeal(line, sum, lines); err != nil {
				return nil, err
			}
			if len(entries) != want {
				return nil, fmt.Errorf("damaged: %d functions, but the header says %d", len(entries), want)
			}
			return entries, nil
		default:
			e, err := readEntry(line)
			if err != nil {
				return nil, fmt.Errorf("damaged: line %d: %w", n, err)
			}
			entries = append(entries, e)
		}
		sum.Write(line)
	}
	switch err := lines.Err(); {
	case err == bufio.ErrTooLong:
		return nil, fmt.Errorf("damaged: line %d is longer than %d bytes", n+1, maxLine)
	case err != nil:
		return nil, withoutPath(err)
	case n == 0:
		return nil, errors.New("damaged: empty")
	}
	return nil, fmt.Errorf("damaged: cut off after line %d", n)
}

// wholeLines splits as bufio.ScanLines does, but leaves the line ends in place:
// the checksum covers them.
func wholeLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	n := bytes.IndexByte(data, '\n') + 1
	if n == 0 && atEOF {
		n = len(data)
	}
	if n == 0 {
		return 0, nil, nil
	}
	return n, data[:n], nil
}

// readCodebaseHeader reads the first line and returns the number of functions
// that it announces.
func readCodebaseHeader(line []byte, fingerprint string) (functions int, err error) {
	var h struct {
		Format      int    `json:"format"`
		Fingerprint string `json:"fingerprint"`
		Functions   int    `json:"functions"`
	}
	if err := json.Unmarshal(line, &h); err != nil {
		return 0, fmt.Errorf("damaged: line 1: %w", err)
	}
	if err := checkFormat(h.Format, codebaseFormat); err != nil {
		return 0, err
	}
	if h.Fingerprint != fingerprint {
		return 0, fmt.Errorf("damaged: it holds the codebase %q, and is named after another", h.Fingerprint)
	}
	return h.Functions, nil
}

// checkSeal compares the last line with the sum of all lines before it.
func checkSeal(line []byte, sum hash.Hash, rest *bufio.Scanner) error {
	var seal struct {
		SHA256 string `json:"sha256"`
	}
	if err := json.Unmarshal(line, &seal); err != nil {
		return fmt.Errorf("damaged: last line: %w", err)
	}
	if seal.SHA256 != hex.EncodeToString(sum.Sum(nil)) {
		return errors.New("damaged: the content does not match the checksum in its last line")
	}
	if rest.Scan() || rest.Err() != nil {
		return errors.New("damaged: something follows its last line")
	}
	return nil
}

func readEntry(line []byte) (entry, error) {
	var e entry
	if err := json.Unmarshal(line, &e); err != nil {
		return e, err
	}
	if e.Package == "" || e.Name == "" {
		return e, errors.New("a function without package or name")
	}
	return e, nil
}

// An identity is what makes two entries the same function: the hash of the
// collector stands for the same three things.
type identity struct{ pkg, base, name string }

func (e *entry) identity() identity {
	return identity{e.Package, strings.TrimPrefix(e.Receiver, "*"), e.Name}
}
