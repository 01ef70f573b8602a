// Tests of marks files: what living processes and killed ones had not written yet.

package report

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// marked is a process with a marks file.
type marked struct {
	dir       string
	functions []testFunc
	testProcess
	store *datafile.Store
	path  string
}

// newMarked returns a process that has the given functions in its hits file, and others
// in its marks file.
func newMarked(t *testing.T, id string, written []string, marks ...string) *marked {
	t.Helper()
	m := &marked{dir: t.TempDir(), functions: []testFunc{
		fn("store.Open", "store.go", 10), fn("store.Fast", "store.go", 20).unobservable("nosplit"),
		fn("store.*DB.Shut", "store.go", 30), fn("store.Unused", "store.go", 40),
	}}
	m.testProcess = testProcess{id: id, app: "shop", host: "h1", started: at(1), calls: calls{}, state: datafile.Running, boot: thisBoot}
	for _, name := range written {
		m.calls[name] = at(2)
	}
	m.store = store(m.dir, "a1", m.functions, m.testProcess)
	m.store.Identity.UID = os.Geteuid()
	put(t, m.dir, "codebase-a1.json", codebaseBytes(t, "a1", m.functions))
	if len(written) > 0 {
		record(t, m.store, m.functions, m.testProcess)
	}
	m.mark(t, m.dir, marks...)
	return m
}

// mark writes the marks file, into a directory.
func (m *marked) mark(t *testing.T, dir string, names ...string) {
	t.Helper()
	m.markFor(t, dir, m.dir, m.store.Directory(), names...)
}

// markFor writes the marks file of a process with another dataDir, or one that was there
// before.
func (m *marked) markFor(t *testing.T, dir, dataDir, directory string, names ...string) {
	t.Helper()
	info, err := os.Stat(m.dir)
	if err != nil {
		t.Fatal(err)
	}
	h := datafile.MarksHeader{
		Identity: m.store.Identity, Process: uuidOf(m.id), PID: 123, Boot: thisBoot,
		StartedAt: m.started.UnixMilli(), Kept: cmp.Or(m.kept, datafile.InMemory), DataDir: dataDir, Directory: directory,
	}
	const cells = 4096
	head, err := h.Encode([]datafile.Range{{At: 100, First: 0, Count: uint32(len(m.functions))}}, cells)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, h.Size)
	copy(b, head)
	if len(m.calls) > 0 {
		b[h.State+datafile.WritesAt] = 1
	}
	for i, f := range m.functions {
		if slices.Contains(names, f.Name) {
			b[h.Cells+100+int64(i)] = 1
		}
	}
	name, _ := datafile.MarksName(info, h.Process)
	m.path = filepath.Join(dir, name)
	if err := os.WriteFile(m.path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// hold locks a file as a living process does.
func hold(t *testing.T, path string) *os.File {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	if err := datafile.Lock(file, 0); errors.Is(err, datafile.ErrNoLocks) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	return file
}

// check reads the directory and compares: Open and Shut are called, Unused is not.
func (m *marked) check(t *testing.T, want Processes) {
	t.Helper()
	r, err := readAt(m.dir, at(20), thisBoot)
	if err != nil {
		t.Fatal(err)
	}
	statusOf := statuses(r)
	if statusOf["store.Open"] != Called || statusOf["store.*DB.Shut"] != Called || statusOf["store.Unused"] != NeverCalled {
		t.Errorf("statuses = %v, want Open and Shut called, Unused never", statusOf)
	}
	if r.Processes != want || !r.Complete() {
		t.Errorf("processes %+v, problems %v, want %+v and none", r.Processes, r.Problems, want)
	}
	if len(r.Programs) != 1 || r.Programs[0].Processes != 1 {
		t.Errorf("programs %+v, want one of one process", r.Programs)
	}
}

// A living process's calls count, though its file stays as it is.
func TestMarksOfLivingProcess(t *testing.T) {
	for _, written := range [][]string{{"Open"}, nil} {
		m := newMarked(t, "1", written, "Shut", "Open")
		hold(t, m.path)
		before := readFile(t, m.dir, filepath.Base(m.path))
		for range 2 {
			m.check(t, Processes{Total: 1, Running: 1})
		}
		if !slices.Equal(readFile(t, m.dir, filepath.Base(m.path)), before) {
			t.Error("the marks file was changed")
		}
	}
}

// Its first calls come to the hits file before its record. It counts once all the same, and
// as one that lives: in the report on the directory, and in that on what merge makes of it.
func TestMarksOfFirstWrite(t *testing.T) {
	m := newMarked(t, "1", nil, "Shut", "Open")
	hold(t, m.path)
	if _, err := m.store.Update(&datafile.Update{Calls: func(yield func(int, int64) bool) { yield(0, at(2).UnixMilli()) }}); err != nil {
		t.Fatal(err)
	}
	m.check(t, Processes{Total: 1, Running: 1})
	if r, err := readAt(mergedOf(t, m.dir), at(20), thisBoot); err != nil || r.Processes.Total != 1 {
		t.Errorf("merged: %+v, %v, want one process", r, err)
	}
}

// A killed process's calls are in its hits file afterwards.
func TestMarksOfKilledProcess(t *testing.T) {
	for _, written := range [][]string{{"Open"}, nil} {
		m := newMarked(t, "1", written, "Shut", "Open")
		hold(t, m.path).Close()
		m.check(t, Processes{Total: 1, Recovered: 1})
		if err := os.Remove(m.path); err != nil {
			t.Fatal(err)
		}
		m.check(t, Processes{Total: 1, Recovered: 1})
	}
}

// They count as well if they cannot be moved there.
func TestMarksNotRecovered(t *testing.T) {
	m := newMarked(t, "1", []string{"Open"}, "Shut")
	hold(t, m.store.Path())
	m.check(t, Processes{Total: 1, Recovered: 1})
	if !strings.Contains(m.path, m.dir) {
		t.Fatal("the marks file is elsewhere")
	}
	if file, err := os.Open(m.path); err != nil {
		t.Error(err)
	} else if read, err := datafile.ReadMarks(file); err != nil || read.Saved {
		t.Errorf("the marks are taken for saved, or damaged: %v", err)
	}
}

// sharedMemory returns the directory for this user's marks files there.
func sharedMemory(t *testing.T) string {
	t.Helper()
	dir := datafile.MarksDir(os.Geteuid(), 0)
	if err := os.Mkdir(dir, 0o700); err == nil {
		t.Cleanup(func() { os.Remove(dir) })
	} else if !datafile.IsOwn(dir, os.Geteuid()) {
		t.Skip(err)
	}
	return dir
}

// In shared memory, marks files of other directories stay.
func TestMarksInSharedMemory(t *testing.T) {
	dir := sharedMemory(t)
	m := newMarked(t, "1", []string{"Open"})
	if err := os.Remove(m.path); err != nil {
		t.Fatal(err)
	}
	other := newMarked(t, "1", []string{"Open"})
	m.mark(t, dir, "Shut")
	other.mark(t, dir, "Shut")
	t.Cleanup(func() { os.Remove(m.path); os.Remove(other.path) })
	m.check(t, Processes{Total: 1, Recovered: 1})
	if _, err := os.Stat(m.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the marks file is still there: %v", err)
	}
	if _, err := os.Stat(other.path); err != nil {
		t.Error(err)
	}
}

// A directory may get the number that another one had before it was removed.
func TestMarksOfRemovedDirectory(t *testing.T) {
	dir := sharedMemory(t)
	m := newMarked(t, "1", []string{"Open"})
	if err := os.Remove(m.path); err != nil {
		t.Fatal(err)
	}
	other := newMarked(t, "2", nil)
	other.dir = m.dir // for its number
	other.markFor(t, dir, filepath.Join(t.TempDir(), "removed"), other.store.Directory(), "Open", "Shut")
	t.Cleanup(func() { os.Remove(other.path) })
	r, err := readAt(m.dir, at(20), thisBoot)
	if err != nil {
		t.Fatal(err)
	}
	if got := statuses(r)["store.*DB.Shut"]; got != NeverCalled || r.Processes.Total != 1 {
		t.Errorf("Shut is %s in %d processes, want never called in one", got, r.Processes.Total)
	}
	if _, err := os.Stat(other.path); err != nil {
		t.Error(err)
	}
	// One that has moved is still the same.
	other.markFor(t, dir, filepath.Join(t.TempDir(), "moved"), m.store.Directory(), "Open", "Shut")
	if r, err = readAt(m.dir, at(20), thisBoot); err != nil || statuses(r)["store.*DB.Shut"] != Called {
		t.Errorf("Shut is %s (%v), want called", statuses(r)["store.*DB.Shut"], err)
	}
}

// If what it had written is gone, that is said.
func TestMarksWithoutHits(t *testing.T) {
	m := newMarked(t, "1", []string{"Open"}, "Shut")
	if err := os.Remove(m.store.Path()); err != nil {
		t.Fatal(err)
	}
	r, err := readAt(m.dir, at(20), thisBoot)
	if err != nil {
		t.Fatal(err)
	}
	if kinds(r) != "lossy" || r.Processes != (Processes{Total: 1, Lossy: 1}) {
		t.Errorf("processes %+v, problems %v, want a lossy one", r.Processes, r.Problems)
	}
}

// Damage of a marks file is named, wherever it makes a difference, and stops nothing.
func TestMarksFileDamaged(t *testing.T) {
	m := newMarked(t, "1", []string{"Open"}, "Shut")
	name := filepath.Base(m.path)
	content := readFile(t, m.dir, name)
	for i := 0; i < 1000; i += 7 {
		content[i] ^= 0x11
		overwrite(t, m.dir, name, content)
		r, err := readAt(m.dir, at(20), thisBoot)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(r.Problems, func(p Problem) bool { return filepath.Base(p.File) == name }) && statuses(r)["store.*DB.Shut"] != Called {
			t.Fatalf("byte %d: a call is lost, and problems are %v", i, r.Problems)
		}
		content[i] ^= 0x11
		if statuses(r)["store.Open"] != Called {
			t.Fatalf("byte %d: Open is lost", i)
		}
	}
}

// A process that cannot write any more is in use as long as it lives, and so is its build:
// what that cannot observe is not known.
func TestMarksOfProcessInUse(t *testing.T) {
	for _, alive := range []bool{true, false} {
		m := newMarked(t, "1", []string{"Open"})
		if alive {
			hold(t, m.path)
		}
		later := testProcess{id: "2", app: "shop", host: "h1", started: at(10), calls: calls{"Open": at(11)}}
		leave(t, m.dir, "b1", []testFunc{m.functions[0], fn("store.Fast", "store.go", 20), m.functions[2], m.functions[3]}, later)
		r, err := readAt(m.dir, at(20), thisBoot)
		if err != nil {
			t.Fatal(err)
		}
		want := NeverCalled
		if alive {
			want = NotObservable
		}
		if got := statuses(r)["store.Fast"]; got != want {
			t.Errorf("alive %v: Fast is %s, want %s", alive, got, want)
		}
		if to := r.Observed.To; alive != to.Equal(at(20)) {
			t.Errorf("alive %v: observed until %v", alive, to)
		}
	}
}
