// Reading and clearing cells, and sets of functions.

package hitrt

import (
	"iter"
	"math/bits"
	"strings"
	"sync/atomic"
	"unsafe"
)

// sweep calls hit with the index of every cell that is set, and clears it.
//
// The program sets cells at any time, on any thread, with plain byte stores, so sweep
// must read and clear a cell in one step. And in a mapped file the cell is what a
// killed process leaves, so hit must record it before it is cleared. sweep reads four
// cells, calls hit, and clears them if they have not changed since:
//
//	for v := load(w); v != 0; v = load(w) { hit…; if compareAndSwap(w, v, 0) { break } }
//
// A store before the swap makes it fail, unless v contains it; a store after it stays
// for the next sweep. Program code that finds its cell set and stores nothing read the
// 1 before the swap, so v contains it. The program only sets cells, so four attempts
// are the most. Copying the array and clearing it afterwards would lose every store in
// between.
//
// The link action lays mark arrays out in whole, aligned words. If they ever are not, a word
// could reach into a neighbour's memory; then cells are read and never cleared: such a
// function counts as hit again and again, but is never lost.
func sweep(cells []uint8, hit func(i int)) {
	n := len(cells)
	if n == 0 {
		return
	}
	if n%4 != 0 || uintptr(unsafe.Pointer(&cells[0]))%4 != 0 {
		for i, c := range cells {
			if c != 0 {
				hit(i)
			}
		}
		return
	}
	words := unsafe.Slice((*uint32)(unsafe.Pointer(&cells[0])), n/4)
	for w := range words {
		for v := atomic.LoadUint32(&words[w]); v != 0; v = atomic.LoadUint32(&words[w]) {
			for i, c := range *(*[4]uint8)(unsafe.Pointer(&v)) {
				if c != 0 {
					hit(4*w + i)
				}
			}
			if atomic.CompareAndSwapUint32(&words[w], v, 0) {
				break
			}
		}
	}
}

// isHit reports whether a cell is set. It clears none.
func (c *codebase) isHit() bool {
	for i := range c.packages {
		cells := c.packages[i].Marks
		// The search for a byte is the runtime's, which takes many at once. A cell is 0 or 1.
		if len(cells) > 0 && strings.IndexByte(unsafe.String(&cells[0], len(cells)), 1) >= 0 {
			return true
		}
	}
	return false
}

// A bitset is a set of functions, by their number in the [codebase].
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (s bitset) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s bitset) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }

// members yields the members in order.
func (s bitset) members() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i, w := range s {
			for ; w != 0; w &= w - 1 {
				if !yield(64*i + bits.TrailingZeros64(w)) {
					return
				}
			}
		}
	}
}

// or adds the members of t to s.
func (s bitset) or(t bitset) {
	for i, w := range t {
		s[i] |= w
	}
}

// remove takes the members of t out of s.
func (s bitset) remove(t bitset) {
	for i, w := range t {
		s[i] &^= w
	}
}

// count returns the number of members from i up to, not including, j.
func (s bitset) count(i, j int) int {
	n := 0
	for ; i < j && i%64 != 0; i++ {
		n += int(s[i/64] >> (i % 64) & 1)
	}
	for ; i+64 <= j; i += 64 {
		n += bits.OnesCount64(s[i/64])
	}
	for ; i < j; i++ {
		n += int(s[i/64] >> (i % 64) & 1)
	}
	return n
}

// empty reports whether s has no members.
func (s bitset) empty() bool {
	for _, w := range s {
		if w != 0 {
			return false
		}
	}
	return true
}
