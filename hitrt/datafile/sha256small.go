//go:build nonetwork || !program

// SHA-256 for programs with network = false. What is not compiled into programs has it for its
// tests.

package datafile

import (
	"hash"
	"math/bits"
)

// A smallSHA256 computes SHA-256 (FIPS 180-4) in a few hundred bytes of code. crypto/sha256
// is several times as fast, and brings with it 24 packages, which generate random numbers
// and encrypt. It is for programs that must stay small, whose local files name and check
// themselves by such sums; no secret depends on them.
type smallSHA256 struct {
	state [8]uint32
	block [64]byte // the part of the input that is not in state
	size  uint64   // of the input, in bytes
}

func newSmallSHA256() hash.Hash {
	s := new(smallSHA256)
	s.Reset()
	return s
}

func (s *smallSHA256) Reset() {
	// The fractional parts of the square roots of the first 8 primes.
	s.state = [8]uint32{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}
	s.size = 0
}

func (s *smallSHA256) Size() int      { return 32 }
func (s *smallSHA256) BlockSize() int { return len(s.block) }

func (s *smallSHA256) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		at := int(s.size % uint64(len(s.block)))
		copied := copy(s.block[at:], p)
		p = p[copied:]
		s.size += uint64(copied)
		if at+copied == len(s.block) {
			s.add()
		}
	}
	return n, nil
}

// Sum appends the sum of what was written so far.
func (s *smallSHA256) Sum(b []byte) []byte {
	end := *s
	// A 1 bit, zeros, and the length in bits.
	var padding [72]byte
	padding[0] = 0x80
	n := 1 + (119-int(s.size%64))%64
	PutUint64(padding[n:], bits.ReverseBytes64(s.size*8))
	_, _ = end.Write(padding[:n+8])
	for _, word := range end.state {
		b = AppendUint32(b, bits.ReverseBytes32(word))
	}
	return b
}

// add adds the block to the state.
func (s *smallSHA256) add() {
	var w [64]uint32
	for i := range 16 {
		w[i] = bits.ReverseBytes32(Uint32(s.block[4*i:]))
	}
	for i := 16; i < len(w); i++ {
		x, y := w[i-15], w[i-2]
		w[i] = w[i-16] + w[i-7] +
			(bits.RotateLeft32(x, -7) ^ bits.RotateLeft32(x, -18) ^ x>>3) +
			(bits.RotateLeft32(y, -17) ^ bits.RotateLeft32(y, -19) ^ y>>10)
	}
	a, b, c, d, e, f, g, h := s.state[0], s.state[1], s.state[2], s.state[3], s.state[4], s.state[5], s.state[6], s.state[7]
	for i, k := range roundConstants {
		t := h + (bits.RotateLeft32(e, -6) ^ bits.RotateLeft32(e, -11) ^ bits.RotateLeft32(e, -25)) + (e&f ^ ^e&g) + k + w[i]
		u := (bits.RotateLeft32(a, -2) ^ bits.RotateLeft32(a, -13) ^ bits.RotateLeft32(a, -22)) + (a&b ^ a&c ^ b&c)
		h, g, f, e, d, c, b, a = g, f, e, d+t, c, b, a, t+u
	}
	for i, v := range [...]uint32{a, b, c, d, e, f, g, h} {
		s.state[i] += v
	}
}

// roundConstants are the fractional parts of the cube roots of the first 64 primes.
var roundConstants = [64]uint32{
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
}
