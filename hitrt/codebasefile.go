// The codebase file, which lists a program's functions. It has a line of JSON for each
// function, between a header line and a line with the checksum of all lines before it.

package hitrt

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// dataFingerprint returns the fingerprint that names a codebase file. Stamps are found
// by their position, so it depends on the order of functions, unlike that of a chunk; it
// also depends on lines, which the report shows. The program's own fingerprint, if it
// has one, covers all of that.
func dataFingerprint(program string, c *codebase, environment string) string {
	h := sha256.New()
	fmt.Fprintf(h, "scavenger-wrap data %d\n%q\n%s\n", codebaseFormat, environment, program)
	if program != "" {
		return hex.EncodeToString(h.Sum(nil))
	}
	for i := range c.packages {
		p := &c.packages[i]
		fmt.Fprintf(h, "%q %d\n", p.Path, len(p.Entries))
		_, _ = io.WriteString(h, p.Entries)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// codebasePath returns the path of the codebase file.
func (d *dataFile) codebasePath() string {
	return filepath.Join(d.p.set.dataDir, "codebase-"+d.fingerprint+".json")
}

// completeCodebase reports whether a codebase file is there and has its last line. That
// is quick, and finds most of what a crash of the machine leaves. verify checks the
// content later.
func completeCodebase(path string) bool {
	file, err := openFile(path, os.O_RDONLY, 0)
	if err != nil {
		return false
	}
	defer file.Close()
	info, err := file.Stat()
	last := make([]byte, len(checksumLine(nil)))
	if err != nil || info.Size() <= int64(len(last)) {
		return false
	}
	if _, err := file.ReadAt(last, info.Size()-int64(len(last))); err != nil {
		return false
	}
	return bytes.HasPrefix(last, []byte(`{"sha256":"`)) && bytes.HasSuffix(last, []byte("\"}\n"))
}

// verify reads the codebase file once and writes it anew if it is damaged. That takes
// too long for the start of a program.
func (d *dataFile) verify() {
	if d.verified || !d.listed || d.elsewhere() {
		return
	}
	d.verified = true
	d.removeStale()
	path := d.codebasePath()
	if soundCodebase(path) {
		return
	}
	if err := d.replace(path, d.writeCodebase); err != nil {
		d.verified = false
		d.p.log.WarnHourly("write", "writing to dataDir: %v", err)
	}
}

// soundCodebase reports whether the last line of a codebase file has the
// checksum of all lines before it.
func soundCodebase(path string) bool {
	file, err := openFile(path, os.O_RDONLY, 0)
	if err != nil {
		return false
	}
	defer file.Close()
	info, err := file.Stat()
	size := int64(len(checksumLine(nil)))
	if err != nil || info.Size() <= size {
		return false
	}
	h := sha256.New()
	if _, err := io.CopyN(h, file, info.Size()-size); err != nil {
		return false
	}
	last, err := io.ReadAll(io.LimitReader(file, size+1))
	return err == nil && bytes.Equal(last, checksumLine(h.Sum(nil)))
}

// checksumLine returns the last line of a codebase file.
func checksumLine(sum []byte) []byte {
	var hash [sha256.Size]byte
	copy(hash[:], sum)
	return []byte(`{"sha256":"` + hex.EncodeToString(hash[:]) + "\"}\n")
}

// writeCodebase writes the codebase file, and verifies the order of the stamps.
func (d *dataFile) writeCodebase(w io.Writer) error {
	h := sha256.New()
	lines := json.NewEncoder(io.MultiWriter(h, w))
	lines.SetEscapeHTML(false)
	if err := lines.Encode(codebaseHeader{codebaseFormat, d.fingerprint, d.functions}); err != nil {
		return err
	}
	for i := range d.p.codebase.packages {
		p := &d.p.codebase.packages[i]
		path, file := packagePart(p.Path), ""
		stamps, n := &d.packages[i], 0
		for _, e := range p.entries() {
			if stamps.stamps == nil && e.index != n {
				return wrongOrder(p)
			}
			n++
			file = cmp.Or(e.file, file)
			hash := signatureHash(p.Path, e.receiver, e.name)
			line, _ := strconv.Atoi(e.line)
			err := lines.Encode(codebaseFunction{
				Package:   p.Path,
				Receiver:  e.receiver,
				Name:      e.name,
				Signature: signature(declaringType(path, classPart(e.receiver)), e.name, e.params),
				Hash:      hex.EncodeToString(hash[:]),
				File:      file,
				Line:      line,
				Reason:    e.reason,
			})
			if err != nil {
				return err
			}
		}
		if n != stamps.functions {
			return wrongOrder(p)
		}
	}
	_, err := w.Write(checksumLine(h.Sum(nil)))
	return err
}

// wrongOrder returns the error for a registry that is wrong about the order of p's
// functions. Without a codebase file nobody takes the calls of one function for those
// of another.
func wrongOrder(p *Package) error {
	return fmt.Errorf("internal error: %s does not have %d functions in the order of their marks", p.Path, p.InOrder)
}
