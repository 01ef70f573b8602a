// The digest: the presumed functions of a build, as text of which an action reads its part.
//
//	scavenger-wrap evidence 1
//	{"source":"report.json","main":"example.com/app","problem":"","to":"…","count":2}
//	package example.com/app/cart 2f8a6c…
//	Cart	Add	1796000000000
//		New	1796000000000
//	…
//	sum <hex of all bytes before this line>
//
// The hash behind a package is that of its names, without times: only with another one the
// package is compiled again.

package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Digest says which functions of a program need no mark.
type Digest struct {
	Source  string `json:"source"`  // the name of the evidence, without its directory
	Main    string `json:"main"`    // import path of the program's main package
	Problem string `json:"problem"` // why the evidence counts for nothing, "" if it counts

	To    time.Time `json:"to,omitzero"` // its end
	Count int       `json:"count"`       // of functions that need no mark

	text  []byte // of the digest
	parts []byte // its packages, each behind packageWord
}

// A function is one that needs no mark.
type function struct {
	Package, Base, Name string
	At                  int64 // its last call, in Unix milliseconds
}

const (
	digestHead  = "scavenger-wrap evidence 1\n"
	packageWord = "\npackage "
	sumWord     = "sum "
)

// encode returns the text of a digest with some functions, which are sorted.
func (d *Digest) encode(list []function) ([]byte, error) {
	d.Count = len(list)
	head, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(digestHead)
	b.Write(head)
	b.WriteByte('\n')
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].Package == list[0].Package {
			n++
		}
		fmt.Fprintf(&b, "package %s %s\n", list[0].Package, hashOf(list[:n]))
		for _, f := range list[:n] {
			fmt.Fprintf(&b, "%s\t%s\t%d\n", f.Base, f.Name, f.At)
		}
		list = list[n:]
	}
	fmt.Fprintf(&b, sumWord+"%x\n", sha256.Sum256(b.Bytes()))
	return b.Bytes(), nil
}

// hashOf returns a hash of the names of a package's functions.
func hashOf(list []function) string {
	h := sha256.New()
	for _, f := range list {
		fmt.Fprintf(h, "%s\t%s\n", f.Base, f.Name)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

// decode reads a digest. It returns an error if that is not whole.
func decode(text []byte) (*Digest, error) {
	end := len(text) - len(sumWord) - 2*sha256.Size - 1
	if end < 0 || string(text[end:]) != fmt.Sprintf(sumWord+"%x\n", sha256.Sum256(text[:end])) {
		return nil, errors.New("damaged")
	}
	rest, ok := bytes.CutPrefix(text[:end], []byte(digestHead))
	line, rest, ok2 := bytes.Cut(rest, []byte("\n"))
	d := new(Digest)
	if !ok || !ok2 || json.Unmarshal(line, d) != nil {
		return nil, errors.New("of another form")
	}
	d.text, d.parts = text, append([]byte("\n"), rest...)
	return d, nil
}

// part returns the lines of a package, and the hash of their names.
func (d *Digest) part(importPath string) (lines, hash string) {
	if d == nil {
		return "", ""
	}
	_, rest, ok := bytes.Cut(d.parts, []byte(packageWord+importPath+" "))
	if !ok {
		return "", ""
	}
	head, rest, _ := bytes.Cut(rest, []byte("\n"))
	part, _, _ := bytes.Cut(rest, []byte(packageWord))
	return string(part), string(head)
}

// A Package says which functions of a package need no mark. The zero Package says none.
type Package struct {
	Hash string // of their names, "" if there is none
	at   map[[2]string]int64
}

// Package returns what the digest says of a package.
func (d *Digest) Package(importPath string) Package {
	lines, hash := d.part(importPath)
	p := Package{Hash: hash, at: map[[2]string]int64{}}
	for line := range strings.Lines(lines) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if at, err := strconv.ParseInt(f[len(f)-1], 10, 64); err == nil && len(f) == 3 {
			p.at[[2]string{f[0], f[1]}] = at
		}
	}
	return p
}

// Has reports whether a function needs no mark. base is its receiver's type without a star.
func (p Package) Has(base, name string) bool { return p.at[[2]string{base, name}] != 0 }

// At returns when a function was last called, in Unix milliseconds, 0 if it needs a mark.
func (p Package) At(base, name string) int64 { return p.at[[2]string{base, name}] }

// Packages returns the hash of each package in which a function needs no mark.
func (d *Digest) Packages() map[string]string {
	hashes := map[string]string{}
	if d == nil {
		return hashes
	}
	for part := range bytes.SplitSeq(d.parts, []byte(packageWord)) {
		head, _, _ := bytes.Cut(part, []byte("\n"))
		if path, hash, ok := strings.Cut(string(head), " "); ok {
			hashes[path] = hash
		}
	}
	return hashes
}

// WriteCompileID writes what decides how packages are compiled: which functions have no
// mark, without times.
func (d *Digest) WriteCompileID(w io.Writer) {
	hashes := d.Packages()
	for _, path := range slices.Sorted(maps.Keys(hashes)) {
		fmt.Fprintf(w, "presumed %s %s\n", path, hashes[path])
	}
}

// WriteLinkID writes the rest: what programs say of these functions, and what link warns
// of.
func (d *Digest) WriteLinkID(w io.Writer) {
	if d != nil {
		fmt.Fprintf(w, "evidence %q %q %q %x\n", d.Source, d.Main, d.Problem, sha256.Sum256(d.parts))
	}
}
