// Fuzzing of the whole: no file makes a report fail, or take much memory. The readers are
// fuzzed in hitrt/datafile.

package report

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func FuzzRead(f *testing.F) {
	functions := []testFunc{fn("store.Open", "a.go", 1), fn("store.*DB.Shut", "a.go", 2).unobservable("nosplit"), fn("store.New", "a.go", 3)}
	p := testProcess{id: "1", app: "shop", started: at(1), calls: calls{"Open": at(2)}}
	dir := f.TempDir()
	leave(f, dir, "f", functions, p)
	hits := filepath.Base(store(dir, "f", functions, p).Path())
	shared, codebase := readFile(f, dir, hits), codebaseBytes(f, "f", functions)
	old := hitsBytes(f, "f", functions, p)
	f.Add(shared, codebase)
	f.Add(shared[:4096+12], codebase)
	f.Add(old, codebase[:len(codebase)/2])
	f.Add(markedBytes(f, "f", functions, p, "New"), codebase)
	f.Add(rawHits(f, map[string]any{"format": 1, "fingerprint": "f", "functions": int64(1) << 60, "stamps": int64(1<<63 - 8)}, nil), codebase)
	f.Add([]byte("SCAVHIT3\xff\xff\xff\xff\x00\x00\x00\x00{}"), []byte(`{"format":1,"fingerprint":"f","functions":999999999999}`+"\n"))
	f.Fuzz(func(t *testing.T, data, codebase []byte) {
		dir := t.TempDir()
		overwrite(t, dir, "hits-0123456789abcdef.hits", data)
		overwrite(t, dir, "codebase-f.json", codebase)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r, err := Read(dir)
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatal(err)
		}
		// JSON text of functions with empty fields is the worst case.
		if n, allowed := after.TotalAlloc-before.TotalAlloc, 8<<20+64*uint64(len(data)+len(codebase)); n > allowed {
			t.Errorf("%d bytes allocated, want %d at most", n, allowed)
		}
		for _, fn := range r.Functions {
			if (fn.Status == Called) == fn.LastCalledAt.IsZero() {
				t.Errorf("%+v", fn)
			}
		}
		if _, err := os.Stat(filepath.Join(dir, "codebase-f.json")); err != nil {
			t.Error(err)
		}
	})
}
