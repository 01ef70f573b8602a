package datafile

import (
	"bytes"
	"crypto/sha256"
	"math/rand/v2"
	"testing"
)

// smallSHA256 sums as crypto/sha256 does, of every length around its blocks, in pieces of
// any size, and also before the last piece is there.
func TestSmallSHA256(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	input := make([]byte, 1000)
	for i := range input {
		input[i] = byte(random.Uint32())
	}
	small := newSmallSHA256()
	for n := range len(input) {
		small.Reset()
		for rest := input[:n]; len(rest) > 0; {
			piece := 1 + random.IntN(min(len(rest), 150))
			_, _ = small.Write(rest[:piece])
			rest = rest[piece:]
			if random.IntN(4) == 0 {
				small.Sum(nil) // changes nothing
			}
		}
		want := sha256.Sum256(input[:n])
		if got := small.Sum([]byte("x")); !bytes.Equal(got, append([]byte("x"), want[:]...)) {
			t.Fatalf("of %d bytes: %x, want %x", n, got[1:], want)
		}
	}
}
