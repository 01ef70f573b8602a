package datafile

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"testing"
)

// Integers and digits are those of encoding/binary and encoding/hex.
func TestBytes(t *testing.T) {
	for range 100 {
		v := rand.Uint64()
		var got, want [9]byte
		PutUint64(got[:], v)
		binary.LittleEndian.PutUint64(want[:], v)
		if got != want || Uint64(want[:]) != v || !bytes.Equal(AppendUint64(nil, v), want[:8]) {
			t.Fatalf("%#x is %x, want %x", v, got, want)
		}
		got, want = [9]byte{}, [9]byte{}
		PutUint32(got[:], uint32(v))
		binary.LittleEndian.PutUint32(want[:], uint32(v))
		if got != want || Uint32(want[:]) != uint32(v) || !bytes.Equal(AppendUint32(nil, uint32(v)), want[:4]) {
			t.Fatalf("%#x is %x, want %x", uint32(v), got, want)
		}
	}
	for c := range 256 {
		b := []byte{byte(c), byte(255 - c)}
		if got, want := Hex(b), hex.EncodeToString(b); got != want {
			t.Errorf("Hex(%x) = %q", want, got)
		}
		var got, want [1]byte
		for _, s := range []string{string([]byte{byte(c), '7'}), string([]byte{'e', byte(c)})} {
			_, err := hex.Decode(want[:], []byte(s))
			if ok := decodeHex(got[:], s); ok != (err == nil) || ok && got != want {
				t.Errorf("decodeHex(%q): %v, %x, want %v, %x", s, ok, got, err, want)
			}
		}
	}
	if decodeHex(make([]byte, 2), "abc") || decodeHex(make([]byte, 1), "abcd") || decodeHex(make([]byte, 1), "") {
		t.Error("decodeHex took digits of another length")
	}
}
