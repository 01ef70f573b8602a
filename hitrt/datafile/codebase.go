// Codebase files: the functions of one build, as JSON lines.
//
//	{"format":1,"fingerprint":"…","functions":2,"unlisted":"func() fmt example.com/a:New,Cart.Add"}
//	{"package":"…","receiver":"*Server","name":"Close","signature":"…","hash":"…","file":"…","line":12}
//	{"package":"…","name":"fastpath","signature":"…","hash":"…","file":"…","line":30,"reason":"nosplit"}
//	{"package":"…","name":"hot","signature":"…","hash":"…","file":"…","line":36,"presumed":1796000000000,"evidence":"report.json"}
//	{"package":"…","name":"closeYear","signature":"…","hash":"…","file":"…","line":42,"directive":"keep runs on 31 December"}
//	{"sha256":"<hex of all bytes before this line>"}
//
// The last line tells a file that was cut off or altered from a whole one. Readers of
// earlier versions pass over keys that they do not know, but not over lines. So what is
// about the whole program is in the first line.

package datafile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// CodebaseFormat is the format of codebase files.
const CodebaseFormat = 1

// maxLine is the longest line that is read. Signatures are clamped to less than 1,000
// bytes, so that only damage makes longer lines.
const maxLine = 1 << 20

// The last line is sealPrefix, the digits of a checksum in quotes, and sealEnd.
const (
	sealPrefix = `{"sha256":`
	sealEnd    = "\"}\n"
	sealSize   = len(sealPrefix) + 1 + 64 + len(sealEnd)
)

// A CodebaseHeader is the first line of a codebase file.
type CodebaseHeader struct {
	Format      int    `json:"format"`
	Fingerprint string `json:"fingerprint"`
	Functions   int    `json:"functions"`

	// Unlisted says which functions the program has that are not listed: words with a
	// blank in between. An import path is a package without marks, and one with a colon is
	// followed by the functions that are left out of it, with commas in between. AnyLiteral
	// and AnyFunction stand for more than a package. Files of earlier versions say nothing.
	Unlisted string `json:"unlisted,omitempty"`
}

// Words of [CodebaseHeader.Unlisted]. wrapper/link, which writes them, has its own.
const (
	AnyLiteral  = "func()" // the function literals in all packages
	AnyFunction = "..."
)

// A Function is a function's line in a codebase file.
type Function struct {
	Package   string `json:"package"`            // import path
	Receiver  string `json:"receiver,omitempty"` // base type with its star
	Name      string `json:"name"`
	Signature string `json:"signature"` // as the collector shows it
	Hash      string `json:"hash"`      // by which the collector knows it
	File      string `json:"file"`
	Line      int    `json:"line"`
	Lines     int    `json:"lines,omitempty"`  // that it has; 0 in files of earlier versions
	Reason    string `json:"reason,omitempty"` // why it cannot be observed
	Generated bool   `json:"generated,omitempty"`
	Directive string `json:"directive,omitempty"` // "keep" and what follows it in //scavenger:keep

	// Presumed is the last call that is known of a function without a mark, in Unix
	// milliseconds, and Evidence is what knows it.
	Presumed int64  `json:"presumed,omitempty"`
	Evidence string `json:"evidence,omitempty"`
}

func (h *CodebaseHeader) fields() []field {
	return []field{
		{key: "format", value: &h.Format},
		{key: "fingerprint", value: &h.Fingerprint},
		{key: "functions", value: &h.Functions},
		{key: "unlisted", value: &h.Unlisted, optional: true},
	}
}

// AppendTo appends the line that the header is, without its end.
func (h *CodebaseHeader) AppendTo(b []byte) []byte { return appendObject(b, h.fields()) }

func (f *Function) fields() [13]field {
	return [...]field{
		{key: "package", value: &f.Package},
		{key: "receiver", value: &f.Receiver, optional: true},
		{key: "name", value: &f.Name},
		{key: "signature", value: &f.Signature},
		{key: "hash", value: &f.Hash},
		{key: "file", value: &f.File},
		{key: "line", value: &f.Line},
		{key: "lines", value: &f.Lines, optional: true},
		{key: "reason", value: &f.Reason, optional: true},
		{key: "generated", value: &f.Generated, optional: true},
		{key: "directive", value: &f.Directive, optional: true},
		{key: "presumed", value: &f.Presumed, optional: true},
		{key: "evidence", value: &f.Evidence, optional: true},
	}
}

// AppendTo appends the line that the function is, without its end.
func (f *Function) AppendTo(b []byte) []byte {
	fields := f.fields()
	return appendObject(b, fields[:])
}

// CodebaseName returns the name of the codebase file with a fingerprint. A user who
// cannot use the file of that name has one of his own, whose name ends in his number.
func CodebaseName(fingerprint string, own int) string {
	if own >= 0 {
		fingerprint += "-" + strconv.Itoa(own)
	}
	return codebasePrefix + fingerprint + codebaseSuffix
}

// CodebaseFingerprint returns the fingerprint in the name of a codebase file.
func CodebaseFingerprint(name string) (fingerprint string, ok bool) {
	fingerprint, ok = strings.CutPrefix(name, codebasePrefix)
	if !ok {
		return "", false
	}
	if fingerprint, ok = strings.CutSuffix(fingerprint, codebaseSuffix); !ok {
		return "", false
	}
	fingerprint, _, _ = strings.Cut(fingerprint, "-")
	return fingerprint, true
}

// OpenCodebase opens the codebase file that names the functions of hits files of a user.
// A file of somebody else might give calls other names, so it opens none but the user's
// own, root's, and those of others that the caller believes: a copy of the directory
// belongs to whoever made it.
func OpenCodebase(dir, fingerprint string, user int, believed ...int) (*os.File, error) {
	if strings.ContainsAny(fingerprint, `/\:`) || fingerprint == "" {
		return nil, fs.ErrNotExist // a fingerprint must not name a file elsewhere
	}
	file, err := openOf(filepath.Join(dir, CodebaseName(fingerprint, -1)), user, believed)
	if err == nil || user < 0 {
		return file, err
	}
	own, ownErr := openOf(filepath.Join(dir, CodebaseName(fingerprint, user)), user, believed)
	if errors.Is(ownErr, fs.ErrNotExist) {
		return nil, err
	}
	return own, ownErr
}

// openOf opens a file if it belongs to a user, to root, or to others that are believed.
func openOf(path string, user int, believed []int) (*os.File, error) {
	file, err := Open(path, os.O_RDONLY, 0)
	if err != nil || user < 0 {
		return file, err
	}
	info, err := file.Stat()
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	if owner := Owner(info); owner != user && owner > 0 && !slices.Contains(believed, owner) {
		_ = file.Close()
		return nil, fmt.Errorf("%s belongs to user %d, and the calls are of user %d: %w", filepath.Base(path), owner, user, ErrNotBelieved)
	}
	return file, nil
}

// ReadCodebase reads a codebase file, calls each with its functions, in order, and returns
// its header; f is the next function as soon as each returns. If it returns an error,
// discard what each was given: calls are matched with functions by position alone.
func ReadCodebase(r io.Reader, fingerprint string, each func(f *Function) error) (h CodebaseHeader, err error) {
	got := 0
	sum := NewSHA256()
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxLine) // few reads of a file of 20 MB
	lines.Split(wholeLines)
	n := 0
	var f Function
	fields := f.fields()
	for lines.Scan() {
		line := lines.Bytes()
		n++
		switch {
		case n == 1:
			if h, err = readCodebaseHeader(line, fingerprint); err != nil {
				return h, err
			}
		case bytes.HasPrefix(line, []byte(sealPrefix)):
			if err := checkSeal(line, sum, lines); err != nil {
				return h, err
			}
			if got != h.Functions {
				return h, fmt.Errorf("damaged: %d functions, but the header says %d", got, h.Functions)
			}
			return h, nil
		default:
			if got++; got > h.Functions {
				return h, fmt.Errorf("damaged: more than %d functions, as the header says", h.Functions)
			}
			if err := readFunction(line, &f, fields[:], each); err != nil {
				return h, fmt.Errorf("damaged: line %d: %w", n, err)
			}
		}
		_, _ = sum.Write(line)
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return h, fmt.Errorf("damaged: line %d is longer than %d bytes", n+1, maxLine)
	case err != nil:
		return h, withoutPath(err)
	case n == 0:
		return h, errors.New("damaged: empty")
	}
	return h, fmt.Errorf("damaged: cut off after line %d", n)
}

// wholeLines splits as bufio.ScanLines does, but leaves the line ends in place: the
// checksum covers them.
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

// readCodebaseHeader reads the first line.
func readCodebaseHeader(line []byte, fingerprint string) (h CodebaseHeader, err error) {
	if err := readObject(line, h.fields()); err != nil {
		return h, fmt.Errorf("damaged: line 1: %w", err)
	}
	switch {
	case h.Format > CodebaseFormat:
		return h, FormatError{fmt.Sprint(h.Format)}
	case h.Format < 1:
		return h, errors.New("damaged: no format 1 or later in the header")
	case h.Fingerprint != fingerprint:
		return h, fmt.Errorf("damaged: it holds the codebase %q, and is named after another", h.Fingerprint)
	case h.Functions < 0 || h.Functions > maxFunctions:
		return h, fmt.Errorf("damaged: %d functions", h.Functions)
	}
	return h, nil
}

// checkSeal compares the last line with the sum of all lines before it.
func checkSeal(line []byte, sum hash.Hash, rest *bufio.Scanner) error {
	var want string
	if err := readObject(line, []field{{key: "sha256", value: &want}}); err != nil {
		return fmt.Errorf("damaged: last line: %w", err)
	}
	if want != Hex(sum.Sum(nil)) {
		return errors.New("damaged: the content does not match the checksum in its last line")
	}
	if rest.Scan() || rest.Err() != nil {
		return errors.New("damaged: something follows its last line")
	}
	return nil
}

// readFunction reads a line into f by its fields, which may have the function of the line
// before: names that repeat are not allocated again.
func readFunction(line []byte, f *Function, fields []field, each func(f *Function) error) error {
	if err := readObject(line, fields); err != nil {
		return err
	}
	if f.Package == "" || f.Name == "" {
		return errors.New("a function without package or name")
	}
	return each(f)
}

// Seal returns the last line of a codebase file, for the SHA-256 of all lines before it.
func Seal(sum []byte) []byte {
	return []byte(sealPrefix + `"` + Hex(sum) + sealEnd)
}

// IsSealed reports whether a codebase file has its last line. That is quick, and finds
// most of what a crash of the machine leaves. IsSound looks at the content.
func IsSealed(file *os.File) bool {
	info, err := file.Stat()
	if err != nil || info.Size() <= int64(sealSize) {
		return false
	}
	var last [sealSize]byte
	if _, err := file.ReadAt(last[:], info.Size()-int64(sealSize)); err != nil {
		return false
	}
	return bytes.HasPrefix(last[:], []byte(sealPrefix+`"`)) && bytes.HasSuffix(last[:], []byte(sealEnd))
}

// IsSound reports whether the last line of a codebase file has the checksum of all lines
// before it.
func IsSound(file *os.File) bool {
	info, err := file.Stat()
	const most = 1 << 32 // 16 million functions have less
	if err != nil || info.Size() > most || !IsSealed(file) {
		return false
	}
	h, size := NewSHA256(), info.Size()-int64(sealSize)
	if copyPart(h, file, 0, size) != nil {
		return false
	}
	var last [sealSize]byte
	_, err = file.ReadAt(last[:], size)
	return err == nil && bytes.Equal(last[:], Seal(h.Sum(nil)))
}

// HashBytes returns the hash by which the collector knows a function.
func (f *Function) HashBytes() (hash [16]byte, err error) {
	if !decodeHex(hash[:], f.Hash) {
		return hash, fmt.Errorf("hash %.40q", f.Hash)
	}
	return hash, nil
}
