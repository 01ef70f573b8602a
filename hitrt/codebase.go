// The program's functions. They are read from the text that the link action left in
// the binary each time they are needed: names are needed when they are sent, which is
// rare, and would take memory all the time.

package hitrt

import (
	"iter"
	"strconv"
	"strings"
)

// An entry is one function: a line of [Package.Entries].
type entry struct {
	index     int    // into Marks; -1 if the function is not observable
	reason    string // why it is not observable
	file      string // empty: as in the line before
	line      string // "12", or "12+3" if three more follow up to its end; then "g" if generated
	receiver  string
	name      string
	params    string
	directive string // mostly absent: "keep" and what follows it in the source
}

// parseEntry reads one line, without its end.
func parseEntry(line string) (e entry, ok bool) {
	var fields [6]string
	for i := range fields[:5] {
		if fields[i], line, ok = strings.Cut(line, "\t"); !ok {
			return entry{}, false
		}
	}
	fields[5], line, _ = strings.Cut(line, "\t")
	e = entry{index: -1, file: fields[1], line: fields[2], receiver: fields[3], name: fields[4], params: fields[5], directive: line}
	if reason, none := strings.CutPrefix(fields[0], "-"); none {
		e.reason = reason
		return e, true
	}
	index, err := strconv.Atoi(fields[0])
	if err != nil || index < 0 {
		return entry{}, false
	}
	e.index = index
	return e, true
}

// lines returns the function's first line, and how many it has.
func (e *entry) lines() (first, count int) {
	from, more, _ := strings.Cut(strings.TrimSuffix(e.line, generatedSuffix), "+")
	first, _ = strconv.Atoi(from)
	count, _ = strconv.Atoi(more)
	return first, count + 1
}

// generatedSuffix ends the lines of a function in a generated file.
const generatedSuffix = "g"

func (e *entry) generated() bool { return strings.HasSuffix(e.line, generatedSuffix) }

// entries yields the functions of p with the offsets of their lines. It skips lines
// that do not parse, such as the first, which is for people who look into a binary.
func (p *Package) entries() iter.Seq2[int, entry] {
	return func(yield func(int, entry) bool) {
		for at := 0; at < len(p.Entries); {
			line, _, _ := strings.Cut(p.Entries[at:], "\n")
			e, ok := parseEntry(line)
			if ok && e.index >= len(p.Marks) {
				ok = false
			}
			if ok && !yield(at, e) {
				return
			}
			at += len(line) + 1
		}
	}
}

// indices yields the indices of the functions that entries yields, in a fraction of
// its time.
func (p *Package) indices() iter.Seq[int] {
	return func(yield func(int) bool) {
		for rest := p.Entries; rest != ""; {
			var line string
			line, rest, _ = strings.Cut(rest, "\n")
			field, _, _ := strings.Cut(line, "\t")
			if strings.Count(line, "\t") < 5 {
				continue
			}
			index, err := -1, error(nil)
			if !strings.HasPrefix(field, "-") {
				if index, err = strconv.Atoi(field); err != nil || index < 0 || index >= len(p.Marks) {
					continue
				}
			}
			if !yield(index) {
				return
			}
		}
	}
}

// entryAt returns the entry at an offset that entries yielded.
func (p *Package) entryAt(at int) entry {
	line, _, _ := strings.Cut(p.Entries[at:], "\n")
	e, _ := parseEntry(line)
	return e
}

// A codebase is the program's packages. The number of a function is the position of
// its cell when all mark arrays are laid end to end; padding has numbers too.
type codebase struct {
	packages []Package
	base     []int // number of each package's first cell
	size     int   // one more than the highest number
}

func newCodebase(packages []Package) *codebase {
	c := &codebase{packages: packages, base: make([]int, len(packages))}
	for i := range packages {
		c.base[i] = c.size
		c.size += len(packages[i].Marks)
	}
	return c
}

// sweep calls hit with the indices of package and cell of every function that was hit
// since the last sweep.
func (c *codebase) sweep(hit func(pkg, cell int)) {
	for i := range c.packages {
		sweep(c.packages[i].Marks, func(cell int) { hit(i, cell) })
	}
}

// hashes yields the signature hashes of the functions in set, by number. A set that nobody
// has made yet is empty.
func (c *codebase) hashes(set bitset) iter.Seq2[int, [16]byte] {
	return func(yield func(int, [16]byte) bool) {
		if set.empty() {
			return
		}
		for i := range c.packages {
			p := &c.packages[i]
			left := set.count(c.base[i], c.base[i]+len(p.Marks))
			if left == 0 {
				continue
			}
			for _, e := range p.entries() {
				if e.index < 0 || !set.has(c.base[i]+e.index) {
					continue
				}
				if !yield(c.base[i]+e.index, signatureHash(p.Path, e.receiver, e.name)) {
					return
				}
				if left--; left == 0 {
					break
				}
			}
		}
	}
}
