package datafile

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// copyOld copies what processes of an earlier version left (testdata/old) to a directory.
func copyOld(t testing.TB, version string) (dir string, files []string) {
	t.Helper()
	dir = t.TempDir()
	paths, err := filepath.Glob(filepath.Join("testdata", "old", version, "*"))
	if err != nil || len(paths) != 3 {
		t.Fatalf("%v (%v), want a codebase and two processes", paths, err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, filepath.Base(path))
		if err := os.WriteFile(to, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if IsOld(filepath.Base(path)) {
			files = append(files, to)
		}
	}
	return dir, files
}

// names returns the functions of the old program by number.
func names(t testing.TB, dir, fingerprint string) []string {
	t.Helper()
	file, err := OpenCodebase(dir, fingerprint, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if !IsSealed(file) || !IsSound(file) {
		t.Error("the codebase is not sound")
	}
	var names []string
	if _, err := ReadCodebase(file, fingerprint, func(f *Function) error { names = append(names, f.Name); return nil }); err != nil {
		t.Fatal(err)
	}
	return names
}

func TestOldFiles(t *testing.T) {
	for version, want := range map[string]struct {
		late  int // processes whose call of Late, shortly before their end, is known
		state ProcessState
	}{
		"format1": {1, Lossy}, // the other one was killed
		"format2": {2, Recovered},
	} {
		t.Run(version, func(t *testing.T) {
			dir, files := copyOld(t, version)
			all, late := map[string]int64{}, 0
			for _, path := range files {
				got := read(t, path, false)
				r, err := OpenHits(path)
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				if r.AppName != "old" || r.Environment != "test" || r.Functions != 5 || r.Joined || r.UID != os.Geteuid() {
					t.Errorf("header %+v", r.Header)
				}
				byName := names(t, dir, r.Fingerprint)
				called := map[string]bool{}
				for i, at := range got.at {
					called[byName[i]] = true
					all[byName[i]] = max(all[byName[i]], at)
				}
				if !called["main"] || !called["Early"] || called["Never"] || called["Never2"] {
					t.Errorf("called: %v", called)
				}
				if called["Late"] {
					late++
				}
				for _, p := range got.processes {
					if p.State != want.state || p.UUID == "" || p.SeenAt < p.StartedAt {
						t.Errorf("process %+v", p)
					}
				}
			}
			if late != want.late {
				t.Errorf("%d processes called Late, want %d", late, want.late)
			}

			for range 3 { // joined twice is joined once
				if errs := join(t, dir); len(errs) > 0 {
					t.Fatal(errs)
				}
				shared := sharedIn(t, dir)
				if len(shared) != 1 {
					t.Fatalf("shared files %v, want one", shared)
				}
				got := read(t, shared[0], false)
				if len(got.processes) != 2 || got.sums.Processes != 0 {
					t.Errorf("%d processes, want 2", len(got.processes))
				}
				r, err := OpenHits(shared[0])
				if err != nil {
					t.Fatal(err)
				}
				byName, joined := names(t, dir, r.Fingerprint), map[string]int64{}
				r.Close()
				for i, at := range got.at {
					joined[byName[i]] = at
				}
				// A mark has no time; it is taken for the file's.
				delete(joined, "Late")
				times := maps.Clone(all)
				delete(times, "Late")
				if !maps.Equal(joined, times) || len(got.at) != len(all) {
					t.Errorf("joined %v, want %v", joined, times)
				}
				for _, path := range files {
					if r, err := OpenHits(path); err != nil || !r.Joined {
						t.Errorf("%s is not marked as joined (%v)", path, err)
					} else {
						r.Close()
					}
				}
			}
			for _, path := range files {
				age(t, path, JoinedFor+time.Minute)
			}
			join(t, dir)
			for _, path := range files {
				if exists(path) {
					t.Errorf("%s is still there", path)
				}
			}
		})
	}
}

func sharedIn(t testing.TB, dir string) (paths []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if IsHits(e.Name()) && isShared(e.Name()) {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	return paths
}

func TestOldFileOfLivingProcess(t *testing.T) {
	dir, files := copyOld(t, "format2")
	living, err := Open(files[0], os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer living.Close()
	if err := Lock(living, 0); errors.Is(err, ErrNoLocks) {
		t.Skip("no locks")
	}
	join(t, dir)
	for i, path := range files {
		r, err := OpenHits(path)
		if err != nil {
			t.Fatal(err)
		}
		if r.Joined != (i > 0) {
			t.Errorf("%s: joined = %t", path, r.Joined)
		}
		r.Close()
	}
}

// Every byte of the files may be damaged: then the file cannot be read, or it says of no
// function that it was never called that was.
func TestOldFilesDamaged(t *testing.T) {
	for _, version := range []string{"format1", "format2"} {
		dir, files := copyOld(t, version)
		path := files[0]
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		was := read(t, path, false).at
		for at := range whole {
			if at > 20 && at < 600 && at%7 > 0 {
				continue // the header has a checksum
			}
			if at > pageSize+64 && at < 2*pageSize-64 && at%7 > 0 {
				continue // mostly nothing
			}
			if at > 600 && at < pageSize-64 || at > 2*pageSize+64 && at < len(whole)-64 {
				continue // of no meaning
			}
			b := append([]byte(nil), whole...)
			b[at] ^= 0x55
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := OpenHits(path)
			if err != nil {
				continue
			}
			got := map[int]bool{} // called or unknown
			_ = r.Stamps(func(i int, _ int64, _ State) { got[i] = true })
			r.Close()
			for i := range was {
				if !got[i] {
					t.Errorf("%s, byte %d: function %d counts as never called", version, at, i)
				}
			}
		}
		for _, size := range []int{0, 7, 15, 16, 100, pageSize, pageSize + 8, pageSize + 39, 2 * pageSize, len(whole) - 1} {
			if size >= len(whole) {
				continue
			}
			if err := os.WriteFile(path, whole[:size], 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := OpenHits(path)
			if err == nil {
				err = r.Stamps(func(int, int64, State) {})
				r.Close()
			}
			if err == nil || !strings.Contains(err.Error(), "damaged") {
				t.Errorf("%s, cut off at %d: %v", version, size, err)
			}
		}
		if errs := join(t, dir); len(errs) != 1 {
			t.Errorf("%s: errors %v, want one for the damaged file", version, errs)
		}
	}
}
