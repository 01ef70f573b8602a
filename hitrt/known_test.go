// What the tests of local files share: what a directory and the marks files of its
// processes say, and processes of other programs.

package hitrt

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// childPrograms are the programs that tests start: the test binary with HITRT_TEST_CHILD
// set, before package testing has started any goroutine.
var childPrograms = map[string]func(){}

func TestMain(m *testing.M) {
	if name := os.Getenv("HITRT_TEST_CHILD"); name != "" {
		childPrograms[name]()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child returns the command that runs one of childPrograms with variables.
func child(t testing.TB, name string, variables ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(append(os.Environ(), "HITRT_TEST_CHILD="+name), variables...)
	return cmd
}

// newDataDir returns a new directory. When the test ends it removes the marks files that
// are left of processes with a dataDir in it: a later directory may get its inode, and
// with it the names of these files.
func newDataDir(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	t.Cleanup(func() {
		for _, path := range marksUnder(t, os.Geteuid(), dir) {
			_ = os.Remove(path)
		}
		if info, err := os.Stat(dir); err == nil { // of processes that were killed as they made it
			name, _ := datafile.MarksName(info, "*")
			unfinished, _ := filepath.Glob(filepath.Join(datafile.MarksDir(os.Geteuid(), 0), name+".tmp"))
			for _, path := range unfinished {
				_ = os.Remove(path)
			}
		}
	})
	return dir
}

// marksUnder returns the marks files in memory whose processes have a dataDir in a
// directory.
func marksUnder(t testing.TB, user int, dir string) (paths []string) {
	t.Helper()
	for n := range datafile.MarksNames {
		for _, path := range datafile.MarksIn(datafile.MarksDir(user, n), "") {
			if m, err := readMarksFile(path); err == nil && strings.HasPrefix(m.DataDir, dir) {
				paths = append(paths, path)
			}
		}
	}
	return paths
}

func readMarksFile(path string) (*datafile.Marks, error) {
	file, err := datafile.Open(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return datafile.ReadMarks(file)
}

// hitsIn returns the paths of the hits files in a directory.
func hitsIn(dir string) []string {
	entries, _ := os.ReadDir(dir)
	var paths []string
	for _, e := range entries {
		if datafile.IsHits(e.Name()) && e.Type().IsRegular() {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	return paths
}

// stampsOf returns when each function of a hits file was last called, 0 = never, and what
// its stamp says besides. Nothing in the file may be damaged.
func stampsOf(path string) (at []int64, states []datafile.State, err error) {
	r, err := datafile.OpenHits(path)
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	at, states = make([]int64, r.Functions), make([]datafile.State, r.Functions)
	err = r.Stamps(func(i int, when int64, state datafile.State) { at[i], states[i] = when, state })
	_, _, recordsErr := r.Processes()
	return at, states, errors.Join(err, recordsErr)
}

// known returns which functions of the only build in dir are known to have been called:
// by the marks files of processes, which are read first, and by its hits files.
func known(t testing.TB, dir string) []bool {
	t.Helper()
	var called []bool
	add := func(n int) {
		if called == nil {
			called = make([]bool, n)
		}
		if n != len(called) {
			t.Fatalf("a file of %d functions among those of %d", n, len(called))
		}
	}
	for _, path := range slices.Concat(marksUnder(t, os.Geteuid(), dir), datafile.MarksIn(dir, "")) {
		m, err := readMarksFile(path)
		if errors.Is(err, os.ErrNotExist) {
			continue // recovered at this moment: the hits file has it
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		add(m.Functions)
		for _, i := range m.Calls {
			called[i] = true
		}
	}
	for _, path := range hitsIn(dir) {
		at, _, err := stampsOf(path)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		add(len(at))
		for i := range at {
			called[i] = called[i] || at[i] != 0
		}
	}
	return called
}

// processesIn returns the processes that have records in a hits file, and the number of
// those that are part of the sums.
func processesIn(t testing.TB, path string) (processes []datafile.Process, others uint64) {
	t.Helper()
	r, err := datafile.OpenHits(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	sums, processes, err := r.Processes()
	if err != nil {
		t.Fatal(err)
	}
	return processes, sums.Processes
}

// processIn returns the record of a process in a hits file.
func processIn(t testing.TB, path, uuid string) datafile.Process {
	t.Helper()
	processes, _ := processesIn(t, path)
	for _, p := range processes {
		if p.UUID == uuid {
			return p
		}
	}
	t.Fatalf("%s has no record of process %s, but %+v", path, uuid, processes)
	return datafile.Process{}
}

// die ends a publisher as SIGKILL ends its process, but for its marks, which are in
// memory of the test again.
func (p *publisher) die() {
	if p.data != nil && p.data.marks != nil {
		p.data.marks.release()
		p.data.marks = nil
	}
}

// codebasePath is the path of the codebase file that a publisher writes.
func (p *publisher) codebasePath() string {
	return filepath.Join(p.data.store.Dir, datafile.CodebaseName(p.data.store.Identity.Fingerprint, -1))
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// A dataFunction is a function as the files of a directory have it.
type dataFunction struct {
	Package, Receiver, Name, Signature, Hash, File, Reason string
	Line                                                   int
	Presumed                                               int64
	Evidence                                               string

	stamp int64 // in the hits file
}

// readData reads the only hits file in dir and its codebase.
func readData(dir string) (*datafile.Header, []dataFunction, error) {
	paths := hitsIn(dir)
	if len(paths) != 1 {
		return nil, nil, fmt.Errorf("hits files %q, want one", paths)
	}
	at, _, err := stampsOf(paths[0])
	if err != nil {
		return nil, nil, err
	}
	r, err := datafile.OpenHits(paths[0])
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	functions, err := readCodebase(filepath.Join(dir, "codebase-"+r.Fingerprint+".json"), r.Fingerprint, len(at))
	if err != nil {
		return nil, nil, err
	}
	for i := range functions {
		functions[i].stamp = at[i]
	}
	return &r.Header, functions, nil
}

// readCodebase reads a codebase file. It follows the description of the format and
// nothing that the package uses.
func readCodebase(path, fingerprint string, n int) ([]dataFunction, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	lines := strings.SplitAfter(strings.TrimSuffix(string(b), "\n"), "\n")
	if len(lines) != n+2 {
		return nil, fmt.Errorf("%d lines, want %d", len(lines), n+2)
	}
	var first, last map[string]any
	if err := errors.Join(json.Unmarshal([]byte(lines[0]), &first), json.Unmarshal([]byte(lines[n+1]), &last)); err != nil {
		return nil, err
	}
	if first["format"] != 1.0 || first["fingerprint"] != fingerprint || first["functions"] != float64(n) {
		return nil, fmt.Errorf("first line %v", first)
	}
	sum := sha256.Sum256(b[:len(b)-len(lines[n+1])-1])
	if last["sha256"] != hex.EncodeToString(sum[:]) {
		return nil, fmt.Errorf("last line %v, want %x", last, sum)
	}
	functions := make([]dataFunction, n)
	for i := range functions {
		if err := json.Unmarshal([]byte(lines[i+1]), &functions[i]); err != nil {
			return nil, err
		}
	}
	return functions, nil
}
