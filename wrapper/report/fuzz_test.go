// Fuzzing of both readers: no input makes them panic, or allocate more than a
// small multiple of its size.

package report

import (
	"bytes"
	"runtime"
	"testing"
)

// fuzzAllowance is what a reader may allocate for an input of some size, beyond
// which a header must have lied to it. JSON text of entries with empty fields is
// the worst case; a header is at most maxHeader, and copied a few times.
func fuzzAllowance(size int) uint64 { return 4<<20 + 64*uint64(size) }

func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func FuzzCodebase(f *testing.F) {
	functions := []testFunc{fn("store.Open", "a.go", 1), fn("store.*DB.Shut", "a.go", 2).unobservable("nosplit")}
	whole := codebaseBytes(f, "f", functions)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte(`{"format":1,"fingerprint":"f","functions":999999999999}` + "\n"))
	f.Add(seal([]byte(`{"format":1,"fingerprint":"f","functions":-1}` + "\n")))
	f.Add(seal([]byte(`{"format":2,"fingerprint":"f"}` + "\n")))
	f.Fuzz(func(t *testing.T, data []byte) {
		var entries []entry
		var err error
		if n := allocated(func() { entries, err = readCodebase(bytes.NewReader(data), "f") }); n > fuzzAllowance(len(data)) {
			t.Errorf("%d bytes allocated for an input of %d", n, len(data))
		}
		if err != nil && entries != nil {
			t.Errorf("%d entries in spite of %v", len(entries), err)
		}
		// With the right checksum nearly nothing else stands in the way.
		entries, err = readCodebase(bytes.NewReader(seal(append(data[:len(data):len(data)], '\n'))), "f")
		if err == nil && len(entries) != bytes.Count(data, []byte("\n")) {
			t.Errorf("%d entries of %q", len(entries), data)
		}
	})
}

func FuzzHits(f *testing.F) {
	functions := []testFunc{fn("store.Open", "a.go", 1), fn("store.Shut", "a.go", 2), fn("store.New", "a.go", 3)}
	whole := hitsBytes(f, "f", functions, testProcess{id: "1", app: "shop", started: at(1), calls: calls{"Shut": at(2)}})
	f.Add(whole)
	f.Add(whole[:4096+12])
	f.Add(whole[:20])
	f.Add(rawHits(f, map[string]any{"format": 1, "fingerprint": "f", "functions": int64(1) << 60, "stamps": int64(1<<63 - 8)}, nil))
	f.Add([]byte("SCAVHIT1\xff\xff\xff\xff\x00\x00\x00\x00{}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, size := bytes.NewReader(data), int64(len(data))
		last := make([]int64, 3)
		var h hitsHeader
		var err error
		n := allocated(func() {
			if h, err = readHitsHeader(r, size); err == nil {
				_, err = readStamps(r, h, size, last)
			}
		})
		if n > fuzzAllowance(len(data)) {
			t.Errorf("%d bytes allocated for an input of %d", n, len(data))
		}
		checkStamps(t, last)
		// The fuzzer does not find checksums: stamps at any place and in any state.
		if size >= 8 {
			clear(last)
			h.Stamps = int64(int8(data[0])) + preambleSize
			_, err = readStamps(r, h, size, last)
			checkStamps(t, last)
			if wantSize := h.Stamps + 3*stampSize; err == nil && size != wantSize {
				t.Errorf("no error for %d bytes, want %d", size, wantSize)
			}
		}
	})
}

// checkStamps: what is kept is the time of a call, or nothing.
func checkStamps(t *testing.T, last []int64) {
	t.Helper()
	for i, stamp := range last {
		if stamp != 0 && (stamp < 0 || !isTime(uint64(stamp))) {
			t.Errorf("stamp %d is kept as %d", i, stamp)
		}
	}
}
