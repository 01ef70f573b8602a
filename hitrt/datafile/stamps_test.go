package datafile

import (
	"math/rand/v2"
	"testing"
)

// stampsToTry are stamps of every kind, at places of every kind.
func stampsToTry(yield func(s salt, i int, at int64, state State) bool) {
	for _, s := range []salt{0, newSalt("b49752263469da43"), 1<<64 - 1} {
		for _, i := range []int{0, 1, 2, 511, 512, 65535, 65536, 1 << 20, maxFunctions - 1} {
			for _, at := range []int64{0, MinTime, MinTime + 1, 1_795_887_670_584, MaxTime - 1, MaxTime} {
				for _, state := range []State{Unsent, Once, Sent} {
					if !yield(s, i, at, state) {
						return
					}
				}
			}
		}
	}
}

func TestStampIsReadAsWritten(t *testing.T) {
	for s, i := range map[salt]int{7: 0, newSalt("x"): 1000} {
		for _, c := range []struct{ at, want int64 }{
			{0, 0}, {MinTime, MinTime}, {MaxTime, MaxTime}, {MaxTime + 1, MaxTime}, {2, MinTime},
		} {
			if at, state := s.read(i, s.stamp(i, c.at, Once)); at != c.want || state != Once {
				t.Errorf("a stamp of %d reads as %d, %d; want %d, %d", c.at, at, state, c.want, Once)
			}
		}
	}
	if got := crc16(0x313233343536); got != 0x2ef4 { // the CRC-16/CCITT-FALSE of "123456"
		t.Errorf("crc16 = %#04x, want 0x2ef4", got)
	}
	if got := crc16(neverCalled); got != neverCRC {
		t.Errorf("crc16(%d) = %#04x, want %#04x", neverCalled, got, neverCRC)
	}
}

// Every change of one bit, and of two or more that are near each other, is noticed in
// the value, and every change that is confined to the checksum.
func TestStampNoticesFlippedBits(t *testing.T) {
	stampsToTry(func(s salt, i int, at int64, state State) bool {
		stamp := s.stamp(i, at, state)
		for bit := range 64 {
			if _, got := s.read(i, stamp^1<<bit); got != Damaged {
				t.Fatalf("salt %d, stamp %d (%#x): nobody notices a flip of bit %d", s, i, stamp, bit)
			}
		}
		for burst := uint64(1); burst < 1<<7; burst++ {
			for shift := range 48 - 7 {
				if _, got := s.read(i, stamp^burst<<shift); got != Damaged {
					t.Fatalf("salt %d, stamp %d (%#x): nobody notices a flip of %#x", s, i, stamp, burst<<shift)
				}
			}
		}
		return true
	})
}

// A stamp of zeros, of ones or of nothing but its checksum is damage wherever it is,
// also where the checksum happens to be right.
func TestStampOfZerosIsDamage(t *testing.T) {
	s := newSalt("a")
	fitting := 0
	for i := range 1 << 20 {
		if uint16(0) == s.check(i, 0) {
			fitting++
		}
		for _, stamp := range []uint64{0, 1<<64 - 1, uint64(s.check(i, 0)) << 48} {
			if _, got := s.read(i, stamp); got != Damaged {
				t.Fatalf("stamp %d of %#x reads as state %d, want damage", i, stamp, got)
			}
		}
	}
	if fitting == 0 {
		t.Error("no place has a checksum of 0: the test does not reach what it is for")
	}
}

// Stamps in the place of others are noticed: 1 in 65,536 fits by chance.
func TestStampNoticesSwaps(t *testing.T) {
	s := newSalt("fingerprint")
	const n = 4096
	missed := 0
	for i := range n {
		stamp := s.stamp(i, 0, Unsent)
		for j := range n {
			if _, got := s.read(j, stamp); i != j && got != Damaged {
				missed++
			}
		}
	}
	if most := 2 * n * n / 65536; missed > most {
		t.Errorf("%d of %d swaps are not noticed, want at most %d", missed, n*n, most)
	}
	// A block in the place of another is noticed at almost all of its stamps.
	for block := range 8 {
		for other := range 8 {
			bad := 0
			for k := range 512 {
				if _, got := s.read(other*512+k, s.stamp(block*512+k, 0, Unsent)); got == Damaged {
					bad++
				}
			}
			if block != other && bad < 500 {
				t.Errorf("block %d in the place of %d: %d of 512 stamps are noticed", block, other, bad)
			}
		}
	}
}

// What lies in a file by chance is noticed all but once in 65,536 times.
func TestStampNoticesNoise(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	missed := 0
	const n = 1 << 20
	for range n {
		if _, got := newSalt("x").read(int(random.Uint32()%maxFunctions), random.Uint64()); got != Damaged {
			missed++
		}
	}
	if missed > 3*n/65536 {
		t.Errorf("%d of %d random stamps are not noticed", missed, n)
	}
}
