//go:build !nonetwork

// The codebase as it is published: split into messages.

package hitrt

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"sort"
	"strings"
)

// A chunk is the part of the codebase that one publication contains.
type chunk struct {
	fingerprint string
	members     []member // by hash
}

// A member is an observable function on its way into a publication.
type member struct {
	hash [16]byte
	sum  [16]byte // of its encoded entry, for the fingerprint
	size int32    // of its encoded entry
	pkg  int32    // index into packages
	at   int32    // offset of its line
}

// chunks splits the observable functions into chunks of at most limit bytes.
//
// The collector skips a publication whose fingerprint it knows, so each chunk has a
// fingerprint of its own. Chunks are cut by the first bits of the signature hash: a
// function that comes or goes changes one chunk, and the others keep their
// fingerprints and cost the collector nothing. The environment is in the fingerprint
// because the collector keeps fingerprints by application only: it would skip the
// codebase of a second environment, and miss the functions that are new there.
func (c *codebase) chunks(environment string, limit int) []chunk {
	all := c.members()
	bits := 0
	for ; bits < 12 && !fits(all, bits, limit); bits++ {
	}
	var list []chunk
	for from, to := range ranges(all, bits) {
		list = append(list, chunk{fingerprint(environment, all[from:to]), all[from:to]})
	}
	if len(list) > 1 {
		for i := range list {
			list[i].fingerprint += fmt.Sprintf("-%02dof%02d", i+1, len(list))
		}
	}
	return list
}

// members returns the observable functions, sorted by hash.
func (c *codebase) members() []member {
	all := make([]member, 0, c.size)
	var b []byte
	for i := range c.packages {
		p := &c.packages[i]
		path := packagePart(p.Path)
		for at, e := range p.entries() {
			if e.index < 0 {
				continue
			}
			hash := signatureHash(p.Path, e.receiver, e.name)
			b = appendEntry(b[:0], e, path, hash)
			sum := sha256.Sum256(b)
			all = append(all, member{hash, [16]byte(sum[:16]), int32(len(b)), int32(i), int32(at)})
		}
	}
	slices.SortFunc(all, func(a, b member) int { return bytes.Compare(a.hash[:], b.hash[:]) })
	return all
}

// fits reports whether each of 2^bits chunks is within the limit.
func fits(all []member, bits, limit int) bool {
	for from, to := range ranges(all, bits) {
		size := 0
		for i := range all[from:to] {
			size += int(all[from+i].size)
		}
		if size > limit {
			return false
		}
	}
	return true
}

// ranges yields, in order, the 2^bits ranges of members whose hashes begin with the
// same bits; bits is at most 16.
func ranges(all []member, bits int) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		from := 0
		for next := 1; next <= 1<<bits; next++ {
			to := from + sort.Search(len(all)-from, func(i int) bool {
				h := all[from+i].hash
				return (int(h[0])<<8|int(h[1]))>>(16-bits) >= next
			})
			if !yield(from, to) {
				return
			}
			from = to
		}
	}
}

// size returns the bytes of all entries of chunks.
func size(chunks []chunk) (bytes int) {
	for _, k := range chunks {
		for i := range k.members {
			bytes += int(k.members[i].size)
		}
	}
	return bytes
}

// fingerprint returns the hash of a chunk's content.
func fingerprint(environment string, members []member) string {
	h := sha256.New()
	fmt.Fprintf(h, "scavenger-wrap codebase 1\n%q\n", environment)
	for i := range members {
		h.Write(members[i].sum[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// encode returns the codebase publication of a chunk, ready to be sent.
func (c *codebase) encode(k chunk, common []byte) []byte {
	b := appendBytes(newMessage(len(common)+300*len(k.members)), 1, common)
	paths := map[int32]string{}
	var e []byte
	for _, m := range k.members {
		path, ok := paths[m.pkg]
		if !ok {
			path = packagePart(c.packages[m.pkg].Path)
			paths[m.pkg] = path
		}
		e = appendEntry(e[:0], c.packages[m.pkg].entryAt(int(m.at)), path, m.hash)
		b = append(b, e...)
	}
	return b
}

// appendEntry appends one entry of a codebase publication, without package name and
// parameter types, which the collector discards.
func appendEntry(b []byte, e entry, path string, hash [16]byte) []byte {
	declaring := declaringType(path, e.receiver)
	visibility, modifiers := "package-private", ""
	if exported(e.name) {
		visibility, modifiers = "public", "public"
	}
	if e.receiver == "" {
		modifiers = strings.TrimLeft(modifiers+" static", " ")
	}
	var hexHash [32]byte
	hex.Encode(hexHash[:], hash[:])

	var body [2048]byte // larger than any entry, so that it stays on the stack
	m := appendString(body[:0], 1, declaring)
	m = appendString(m, 2, visibility)
	m = appendString(m, 3, signature(declaring, e.name, e.params))
	m = appendString(m, 4, methodName(e.name))
	m = appendString(m, 5, modifiers)
	m = appendBytes(m, 8, hexHash[:])
	return appendBytes(b, 2, m)
}
