package report

import (
	"bytes"
	"compress/gzip"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What an archive has lost may be where a call stands, so one that is cut off anywhere is
// refused, also between two files.
func TestReadArchiveCutOff(t *testing.T) {
	root := t.TempDir()
	writeHosts(t, root)
	whole := archive(t, root)
	const block = 512
	end := len(bytes.TrimRight(whole, "\x00"))
	end += block - 1 - (end-1)%block // of the last file
	for n := block; n <= end; n += block {
		if _, err := openRead(t, bytes.NewReader(whole[:n]), Filter{}, "-"); err == nil || !strings.Contains(err.Error(), "it is cut off") {
			t.Errorf("the first %d of %d bytes: %v, want that they are cut off", n, len(whole), err)
		}
	}
	packed := pack(t, whole)
	for n := len(packed) - 9; n < len(packed); n++ {
		if _, err := openRead(t, bytes.NewReader(packed[:n]), Filter{}, "-"); err == nil || !strings.Contains(err.Error(), "it is cut off") {
			t.Errorf("gzip: the first %d of %d bytes: %v, want that they are cut off", n, len(packed), err)
		}
	}
	packed[len(packed)-8] ^= 1 // of the checksum
	if _, err := openRead(t, bytes.NewReader(packed), Filter{}, "-"); err == nil || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("%v, want that the checksum is wrong", err)
	}
}

// Archives of several hosts may come one behind the other.
func TestReadArchivesInARow(t *testing.T) {
	root := t.TempDir()
	writeHosts(t, root)
	want := mustOpen(t, root)
	var plain, packed []byte
	hosts, err := filepath.Glob(filepath.Join(root, "h*"))
	if err != nil || len(hosts) < 2 {
		t.Fatal(hosts, err)
	}
	for _, host := range hosts {
		one := archive(t, host)
		plain = append(plain, append(one, make([]byte, 9*512)...)...) // as GNU tar pads it
		packed = append(packed, pack(t, one)...)
	}
	for name, content := range map[string][]byte{"plain": plain, "gzip": packed} {
		got, err := openRead(t, bytes.NewReader(content), Filter{}, "-")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.Processes != want.Processes || !maps.Equal(statuses(got), statuses(want)) {
			t.Errorf("%s: %+v\n%v\nwant %+v\n%v", name, got.Processes, statuses(got), want.Processes, statuses(want))
		}
	}
	garbage := slices.Concat(plain, []byte(strings.Repeat("garbage ", 64)))
	if _, err := openRead(t, bytes.NewReader(garbage), Filter{}, "-"); err == nil || !strings.Contains(err.Error(), "none that tar wrote") {
		t.Errorf("%v, want that something else follows", err)
	}
}

// pack compresses with gzip.
func pack(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
