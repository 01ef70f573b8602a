// Tests of hits files of earlier versions in format 2, whose last hits are in their marks.

package report

import (
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// markedBytes is a file of format 2, from the description of the format. marks
// are the names of functions whose mark is set.
func markedBytes(t testing.TB, fingerprint string, functions []testFunc, p testProcess, marks ...string) []byte {
	t.Helper()
	const stamps = 4096
	places := stamps + 8*len(functions)
	first := (places + 4*len(functions) + 4095) &^ 4095
	b := make([]byte, first+4096)
	for i, f := range functions {
		binary.LittleEndian.PutUint64(b[stamps+8*i:], 1)
		if at, ok := p.calls[f.Name]; ok {
			binary.LittleEndian.PutUint64(b[stamps+8*i:], uint64(at.UnixMilli()))
		}
		if f.Reason != "" {
			continue
		}
		place := first + 0x120 + i
		binary.LittleEndian.PutUint32(b[places+4*i:], uint32(place))
		for _, name := range marks {
			if name == f.Name {
				b[place] = 1
			}
		}
	}
	text, err := json.Marshal(map[string]any{
		"format": 2, "fingerprint": fingerprint, "functions": len(functions), "stamps": stamps, "places": places,
		"placesCrc": crc32.ChecksumIEEE(b[places : places+4*len(functions)]), "marks": first, "size": len(b),
		"appName": p.app, "environment": "test", "hostname": p.host, "process": p.id, "pid": 123, "startedAt": p.started.UnixMilli(),
	})
	if err != nil {
		t.Fatal(err)
	}
	copy(b, "SCAVHIT1")
	binary.LittleEndian.PutUint32(b[8:], uint32(len(text)))
	binary.LittleEndian.PutUint32(b[12:], crc32.ChecksumIEEE(text))
	copy(b[16:], text)
	return b
}

// markData is a directory with one process that was killed.
func markData(t testing.TB) (dir string, functions []testFunc) {
	t.Helper()
	dir = t.TempDir()
	functions = []testFunc{
		fn("store.Open", "store.go", 10), fn("store.Fast", "store.go", 20).unobservable("nosplit"),
		fn("store.*DB.Shut", "store.go", 30), fn("store.Unused", "store.go", 40),
	}
	leaveOld(t, dir, "a1", functions)
	p := testProcess{id: "1", app: "shop", host: "h1", started: at(1), calls: calls{"Open": at(2)}}
	put(t, dir, "process-1.hits", markedBytes(t, "a1", functions, p, "Open", "Shut"))
	return dir, functions
}

// A mark that is set is a call, at the time that the file was last changed.
func TestMarks(t *testing.T) {
	dir, _ := markData(t)
	if err := os.Chtimes(filepath.Join(dir, "process-1.hits"), time.Time{}, at(5)); err != nil {
		t.Fatal(err)
	}
	r := mustRead(t, dir)
	want := map[string]Status{"Open": Called, "Fast": NotObservable, "Shut": Called, "Unused": NeverCalled}
	for _, f := range r.Functions {
		if f.Status != want[f.Name] {
			t.Errorf("%s is %s, want %s", f.Name, f.Status, want[f.Name])
		}
		if f.Status == Called && !f.LastCalledAt.Equal(at(5)) {
			t.Errorf("%s was called at %v, want %v", f.Name, f.LastCalledAt, at(5))
		}
	}
	if len(r.Functions) != 4 || !r.Programs[0].To.Equal(at(5)) {
		t.Errorf("%d functions, observed until %v; want 4, %v", len(r.Functions), r.Programs[0].To, at(5))
	}
}

// The stamps' times count if somebody set the file's back.
func TestMarksOldFile(t *testing.T) {
	dir, _ := markData(t)
	if err := os.Chtimes(filepath.Join(dir, "process-1.hits"), time.Time{}, time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	for _, f := range mustRead(t, dir).Functions {
		if f.Name == "Shut" && (f.Status != Called || !f.LastCalledAt.Equal(at(2))) {
			t.Errorf("Shut: %+v, want a call at %v", f, at(2))
		}
	}
}

// Damage hides no call without being named, wherever it is; except that a mark
// that is lost cannot be told from one that was never set.
func TestMarksDamaged(t *testing.T) {
	dir, functions := markData(t)
	whole := mustRead(t, dir)
	content := readFile(t, dir, "process-1.hits")
	for size := 0; size < len(content); size += 253 {
		overwrite(t, dir, "process-1.hits", content[:size])
		checkNoSilentLoss(t, dir, "process-1.hits", whole)
	}
	marks := len(content) - 4096
	for i := range marks {
		if 512 <= i && i < 4096 || i >= 4096+(8+4)*len(functions) {
			continue // padding
		}
		content[i] = ^content[i]
		overwrite(t, dir, "process-1.hits", content)
		checkNoSilentLoss(t, dir, "process-1.hits", whole)
		content[i] = ^content[i]
	}
	content[marks+0x120] = 7
	overwrite(t, dir, "process-1.hits", content)
	check := func(name string) {
		r, err := Read(dir)
		if err != nil || kinds(r) != "damaged lossy" || !strings.Contains(r.Problems[0].Err.Error(), "1 of 4 cells make no sense") {
			t.Errorf("%s: a mark of 7: %+v, %v", name, r, err)
		}
	}
	check("process-1.hits")
	if err := os.Rename(filepath.Join(dir, "process-1.hits"), filepath.Join(dir, "process-1.hits.1")); err != nil {
		t.Fatal(err)
	}
	check("process-1.hits.1")
}
