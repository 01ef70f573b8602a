package registry

import (
	"testing"
)

// Any bytes may follow the words that begin a list of functions.
func FuzzReadEntries(f *testing.F) {
	f.Add([]byte("12 p\n0\ta.go\t1\t\tF\t\nrest"))
	f.Add([]byte("0 p\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, ok := readEntries(data); ok && p.Unseen > len(p.Functions) {
			t.Fatalf("%q: %+v", data, p)
		}
	})
}
