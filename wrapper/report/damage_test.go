// Tests with damaged files.

package report

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// every is a prime by default, so that each byte of a stamp and of a record has its turn.
var every = flag.Int("every", 7, "damage one of that many bytes")

// damageData is a small directory: two builds, three processes, and functions
// that are called by one of them only.
func damageData(t testing.TB) string {
	dir := t.TempDir()
	v1 := []testFunc{
		fn("store.Old", "store.go", 3), fn("store.Open", "store.go", 10), fn("store.*DB.Shut", "store.go", 20),
		fn("store.Fast", "store.go", 30).unobservable("nosplit"), fn("store.Unused", "store.go", 40),
	}
	leaveOld(t, dir, "a1", v1,
		testProcess{id: "1", app: "shop", host: "h1", started: at(1), calls: calls{"Open": at(2)}},
		testProcess{id: "2", app: "shop", host: "h2", started: at(2), calls: calls{"Shut": at(2)}})
	leaveOld(t, dir, "b2", []testFunc{v1[2], v1[1], fn("store.New", "store.go", 60), v1[3], v1[4]},
		testProcess{id: "3", app: "shop", host: "h1", started: at(3), calls: calls{"New": at(4)}})
	return dir
}

// dataFileNames are the files of damageData.
var dataFileNames = [...]string{"codebase-a1.json", "codebase-b2.json", "process-1.hits", "process-2.hits", "process-3.hits"}

// checkNoSilentLoss is the promise: a function that the whole data show as called
// is still called, or damage is named.
func checkNoSilentLoss(t *testing.T, dir, name string, whole *Report) {
	t.Helper()
	r, err := Read(dir)
	if err != nil {
		t.Fatalf("Read: %v, want a report with problems", err)
	}
	for _, p := range r.Problems {
		if filepath.Base(p.File) == name && !p.Kind.OfProcesses() {
			return
		}
	}
	if len(r.Problems) > 0 {
		t.Fatalf("problems %v, none names %s", r.Problems, name)
	}
	got := statuses(r)
	for f, want := range statuses(whole) {
		switch status, ok := got[f]; {
		case !ok:
			t.Fatalf("%s vanished, and no damage is named", f)
		case want == Called && status != Called:
			t.Fatalf("%s was called, is reported as %s, and no damage is named", f, status)
		}
	}
}

func TestTruncatedEverywhere(t *testing.T) {
	dir := damageData(t)
	whole := mustRead(t, dir)
	for _, name := range dataFileNames {
		content := readFile(t, dir, name)
		for size := 0; size < len(content); size += step(name, size) {
			overwrite(t, dir, name, content[:size])
			checkNoSilentLoss(t, dir, name, whole)
		}
		overwrite(t, dir, name, content)
	}
}

// inPadding reports whether byte i is between the header of a hits file, which is
// shorter than 512 bytes here, and its stamps.
func inPadding(name string, i int) bool {
	return strings.HasSuffix(name, ".hits") && 512 <= i && i < 4096
}

// step returns how far behind byte i the next one is that is damaged. The padding is the
// bulk of these files and the same in all: one of them stands for the others.
func step(name string, i int) int {
	switch {
	case !inPadding(name, i):
		return *every
	case name != "process-1.hits":
		return 4096 - i
	}
	return 10**every - 9
}

func TestEveryByteFlipped(t *testing.T) {
	dir := damageData(t)
	whole := mustRead(t, dir)
	for _, name := range dataFileNames {
		content := readFile(t, dir, name)
		for i := 0; i < len(content); i += step(name, i) {
			old := content[i]
			// All bits, one bit, the letter case, and a byte that got lost.
			for k, b := range []byte{^old, old ^ 1, old ^ 0x20, old ^ 0x80, 0} {
				if b == old || k > 0 && inPadding(name, i) {
					continue
				}
				content[i] = b
				overwrite(t, dir, name, content)
				checkNoSilentLoss(t, dir, name, whole)
				content[i] = old
			}
		}
		overwrite(t, dir, name, content)
	}
	if got, want := statuses(mustRead(t, dir)), statuses(whole); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("after all was put right: %v, want %v", got, want)
	}
}

// A zeroed block of a hits file is named wherever it lies, whole stamps of it too.
func TestZeroedStamps(t *testing.T) {
	dir := damageData(t)
	whole := mustRead(t, dir)
	content := readFile(t, dir, "process-1.hits")
	for from := 4096; from < len(content); from += 8 {
		for to := from + 8; to <= len(content); to += 8 {
			damaged := append([]byte(nil), content...)
			clear(damaged[from:to])
			overwrite(t, dir, "process-1.hits", damaged)
			r, err := Read(dir)
			if err != nil || len(r.Problems) != 1 {
				t.Fatalf("zeroes from %d to %d: %v, %v, want one problem", from, to, r, err)
			}
			checkNoSilentLoss(t, dir, "process-1.hits", whole)
		}
	}
}

// sharedDamage is damageData in the present format.
func sharedDamage(t testing.TB) (dir string, names []string) {
	dir = t.TempDir()
	v1 := []testFunc{
		fn("store.Old", "store.go", 3), fn("store.Open", "store.go", 10), fn("store.*DB.Shut", "store.go", 20),
		fn("store.Fast", "store.go", 30).unobservable("nosplit"), fn("store.Unused", "store.go", 40),
	}
	leave(t, dir, "a1", v1,
		testProcess{id: "1", app: "shop", host: "h1", started: at(1), calls: calls{"Open": at(2), "Shut": at(2)}})
	leave(t, dir, "b2", []testFunc{v1[2], v1[1], fn("store.New", "store.go", 60), v1[3], v1[4]},
		testProcess{id: "3", app: "shop", host: "h1", started: at(3), calls: calls{"New": at(4)}})
	for _, hits := range dataFiles(t, dir, "hits-*.hits") {
		names = append(names, filepath.Base(hits))
	}
	return dir, names
}

func dataFiles(t testing.TB, dir, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no %s: %v", pattern, err)
	}
	return paths
}

// In the shared files, no flipped bit and no lost part hides a call without being
// named, and a function whose own stamp is damaged is unknown.
func TestSharedDamage(t *testing.T) {
	dir, names := sharedDamage(t)
	whole := mustRead(t, dir)
	for _, name := range names {
		content := readFile(t, dir, name)
		for i := 0; i < len(content); i += *every {
			// Where no function's stamp is, and no process's record, nothing is lost.
			if i > 600 && i < 4096-8 || i > 4096+5*8+8 && i < 8192-8 || i > 8192+3*256 {
				continue
			}
			flip := byte(1) << (i % 8)
			content[i] ^= flip
			overwrite(t, dir, name, content)
			checkNoSilentLoss(t, dir, name, whole)
			content[i] ^= flip
		}
		for size := 0; size < len(content); size += 61 {
			overwrite(t, dir, name, content[:size])
			checkNoSilentLoss(t, dir, name, whole)
		}
		overwrite(t, dir, name, content)
	}
	damageStamp(t, dir, "b2", make([]testFunc, 5), testProcess{app: "shop", host: "h1"}, 4)
	r, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := statuses(r); got["store.Unused"] != Unknown || got["store.New"] != Called || got["store.Fast"] != NotObservable {
		t.Errorf("statuses = %v, want Unused unknown, and all else as before", got)
	}
}

func readFile(t testing.TB, dir, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// overwrite gives a file other content. It does not cut it to nothing first: some file
// systems write to the disk at once what comes after that.
func overwrite(t testing.TB, dir, name string, content []byte) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(content, 0)
	if err := errors.Join(err, f.Truncate(int64(len(content))), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// What each kind of damage is called, and what still counts.
func TestDamage(t *testing.T) {
	functions := []testFunc{fn("store.Open", "a.go", 1), fn("store.Shut", "a.go", 2)}
	both := testProcess{id: "2", app: "shop", started: at(1), calls: calls{"Open": at(2), "Shut": at(2)}}
	hits := hitsBytes(t, "f", functions, both)
	codebase := codebaseBytes(t, "f", functions)
	header := func(changes map[string]any) []byte {
		h := map[string]any{"format": 1, "fingerprint": "f", "functions": 2, "process": "2", "startedAt": at(1).UnixMilli()}
		maps.Copy(h, changes)
		return rawHits(t, h, []uint64{uint64(at(2).UnixMilli()), uint64(at(2).UnixMilli())})
	}
	patch := func(b []byte, at int, bytes ...byte) []byte {
		b = append([]byte(nil), b...)
		copy(b[at:], bytes)
		return b
	}
	const open, openShut = "Open", "Open Shut"
	tests := []struct {
		name   string
		file   string // that is replaced
		data   []byte // by this; nil removes it
		want   string // in the problem; "" means none
		called string // afterwards
	}{
		{"whole", "process-2.hits", hits, "", openShut},
		{"empty", "process-2.hits", []byte{}, "damaged: empty", open},
		{"short", "process-2.hits", hits[:10], "damaged: cut off after 10 bytes", open},
		{"header only", "process-2.hits", hits[:60], "damaged: cut off in the header", open},
		{"no stamps", "process-2.hits", hits[:4000], "damaged: cut off, the last 2 of 2 stamps are lost", open},
		{"half a stamp", "process-2.hits", hits[:4096+12], "damaged: cut off, the last 1 of 2 stamps are lost", open},
		{"too long", "process-2.hits", append(slices.Clip(hits), 1, 2), "damaged: 2 bytes too long", openShut},
		{"not hits", "process-2.hits", []byte("something else of some length"), "damaged: it does not begin with \"SCAVHIT\"", open},
		{"newer magic", "process-2.hits", patch(hits, 7, '4'), "written in format \"4\"", open},
		{"newer header", "process-2.hits", header(map[string]any{"format": 3}), "written in format 3", open},
		{"no format", "process-2.hits", header(map[string]any{"format": 0}), "no format 1 or later", open},
		{"header type", "process-2.hits", header(map[string]any{"fingerprint": 3}), "damaged: header: wrong JSON at byte", open},
		{"lying length", "process-2.hits", patch(hits, 8, 255, 255, 255, 255), "a wrong length of the header (4294967295)", open},
		{"header checksum", "process-2.hits", patch(hits, 30, 'X'), "the header does not match its checksum", open},
		{"more functions", "process-2.hits", header(map[string]any{"functions": 1 << 40}), "damaged: 1099511627776 functions", open},
		{"some more functions", "process-2.hits", header(map[string]any{"functions": 3}), "damaged: 3 functions, but codebase-f.json lists 2", open},
		{"negative functions", "process-2.hits", header(map[string]any{"functions": -1}), "damaged: -1 functions", open},
		{"stamps in header", "process-2.hits", header(map[string]any{"stamps": 16}), "stamps at byte 16, inside the header", open},
		{"stamps behind end", "process-2.hits", header(map[string]any{"stamps": 1 << 62}), "stamps are lost", open},
		{"stamps at the end of the world", "process-2.hits", header(map[string]any{"stamps": int64(1<<63 - 1)}), "stamps are lost", open},
		{"zero stamp", "process-2.hits", patch(hits, 4096, 0, 0, 0, 0, 0, 0, 0, 0), "1 of 2 stamps make no sense, the first at byte 4096", openShut},
		{"old stamp", "process-2.hits", patch(hits, 4104, 2, 0, 0, 0, 0, 0, 0, 0), "1 of 2 stamps make no sense, the first at byte 4104", open},
		{"far stamp", "process-2.hits", patch(hits, 4111, 255), "1 of 2 stamps make no sense", open},
		{"other codebase", "process-2.hits", header(map[string]any{"fingerprint": "g"}), "codebase-g.json, which lists its functions, is missing", open},
		{"path as codebase", "process-2.hits", header(map[string]any{"fingerprint": "../f"}), "is missing", open},
		{"no codebase", "codebase-f.json", nil, "codebase-f.json, which lists its functions, is missing", ""},
		{"codebase empty", "codebase-f.json", []byte{}, "damaged: empty", ""},
		{"codebase empty, of its processes", "codebase-f.json", []byte{}, "is unusable; remove it", ""},
		{"codebase newer, of its processes", "codebase-f.json", seal([]byte(`{"format":2}` + "\n")), "is of a newer format", ""},
		{"codebase cut", "codebase-f.json", codebase[:len(codebase)-90], "damaged: line 3: unexpected end of JSON", ""},
		{"codebase cut between lines", "codebase-f.json", codebase[:len(codebase)-78], "damaged: cut off after line 3", ""},
		{"codebase altered", "codebase-f.json", []byte(strings.Replace(string(codebase), "Shut", "Shot", 1)), "does not match the checksum", ""},
		{"codebase longer", "codebase-f.json", append(slices.Clip(codebase), '\n'), "something follows its last line", ""},
		{"codebase newer", "codebase-f.json", seal([]byte(`{"format":2}` + "\n")), "written in format 2, which this version does not read", ""},
		{"codebase of another", "codebase-f.json", codebaseBytes(t, "g", functions), "it holds the codebase \"g\"", ""},
		{"codebase count", "codebase-f.json", seal([]byte(`{"format":1,"fingerprint":"f","functions":7}` + "\n")), "0 functions, but the header says 7", ""},
		{"codebase nameless", "codebase-f.json", seal([]byte(`{"format":1,"fingerprint":"f","functions":1}` + "\n{}\n")), "line 2: a function without package or name", ""},
		{"codebase long line", "codebase-f.json", []byte(`{"format":1,"fingerprint":"f","functions":1}` + "\n" + strings.Repeat(" ", 2<<20)), "line 2 is longer than", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			one := testProcess{id: "1", app: "shop", started: at(1), calls: calls{"Open": at(2)}}
			leaveOld(t, dir, "f", functions, one, both)
			if tt.data != nil {
				put(t, dir, tt.file, tt.data)
			} else if err := os.Remove(filepath.Join(dir, tt.file)); err != nil {
				t.Fatal(err)
			}
			r, err := Read(dir)
			if err != nil {
				t.Fatal(err)
			}
			checkProblem(t, r, dir, tt.file, tt.want)
			var called []string
			for _, f := range r.Functions {
				if f.Status == Called {
					called = append(called, f.Name)
				}
			}
			if got := strings.Join(called, " "); got != tt.called {
				t.Errorf("called: %q, want %q", got, tt.called)
			}
		})
	}
}

// checkProblem wants a problem that names file, or a process if file is missing.
func checkProblem(t *testing.T, r *Report, dir, file, want string) {
	t.Helper()
	if want == "" {
		if len(r.Problems) > 0 {
			t.Errorf("problems %v, want none", r.Problems)
		}
		return
	}
	for _, p := range r.Problems {
		if !strings.HasPrefix(p.Error(), filepath.Join(dir, "")) {
			t.Errorf("problem %q does not begin with the path of a file", p)
		}
	}
	if strings.HasPrefix(file, "codebase-") && len(r.Problems) < 2 {
		t.Errorf("problems %v, want both processes named", r.Problems)
	}
	for _, p := range r.Problems {
		if strings.Contains(p.Err.Error(), want) {
			return
		}
	}
	t.Errorf("problems %v, want one with %q", r.Problems, want)
}

// Several damaged files are all named, sorted, and the rest counts.
func TestSeveralDamaged(t *testing.T) {
	dir := damageData(t)
	overwrite(t, dir, "process-1.hits", nil)
	overwrite(t, dir, "codebase-b2.json", []byte("{}\n"))
	overwrite(t, dir, "codebase-zz.json", []byte("{}\n")) // of no process
	r, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range r.Problems {
		names = append(names, filepath.Base(p.File))
	}
	if got, want := strings.Join(names, " "), "codebase-b2.json codebase-zz.json process-1.hits process-3.hits"; got != want {
		t.Errorf("problems name %s, want %s", got, want)
	}
	if got := statuses(r); got["store.*DB.Shut"] != Called || got["store.Open"] != NeverCalled {
		t.Errorf("statuses = %v, want Shut called and Open not", got)
	}
}
