package datafile

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// writeMarks writes the marks file of a process: functions that are called in their
// cells, and in what was taken from them. Cells of functions 0 to 9 and 10 to 19 lie in
// two places.
func writeMarks(t testing.TB, path string, s *Store, p *Process, cells, taken []int) *MarksHeader {
	t.Helper()
	h := &MarksHeader{Identity: s.Identity, Process: p.UUID, PID: p.PID, StartedAt: p.StartedAt, Kept: InMemory, DataDir: s.Dir, Directory: s.Directory()}
	head, err := h.Encode([]Range{{At: 100, First: 0, Count: 10}, {At: 5000, First: 10, Count: 10}}, 2*pageSize)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, h.Size)
	copy(b, head)
	binary.LittleEndian.PutUint64(b[h.State+WritesAt:], p.Writes)
	binary.LittleEndian.PutUint64(b[h.State+SweptAt:], now)
	for _, i := range cells {
		if i < 10 {
			b[h.Cells+100+int64(i)] = 1
		} else {
			b[h.Cells+5000+int64(i-10)] = 1
		}
	}
	for _, i := range taken {
		b[h.Taken+int64(i)] = 1
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return h
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// age makes a file look older.
func age(t testing.TB, path string, by time.Duration) {
	t.Helper()
	at := time.Now().Add(-by)
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

func TestRecover(t *testing.T) {
	s, p := newStore(t, 20), newProcess(1)
	update(t, s, &Update{Calls: calls(map[int]int64{3: now + 5000, 4: now}), Process: p})
	path := filepath.Join(t.TempDir(), "x.marks")
	writeMarks(t, path, s, p, []int{0, 3, 19}, []int{4, 10, 19})
	living, err := Open(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := Lock(living, 0); errors.Is(err, ErrNoLocks) {
		t.Skip("no locks")
	}
	if _, err := Recover(path, s.Dir, 0); !errors.Is(err, ErrBusy) {
		t.Errorf("of a living process: %v, want %v", err, ErrBusy)
	}
	living.Close()
	if n, err := Recover(path, s.Dir, 0); n != 5 || err != nil {
		t.Errorf("recovered %d, %v; want 5", n, err)
	}
	got := read(t, s.Path(), false)
	if want := (map[int]int64{0: now + 1000, 3: now + 5000, 4: now + 1000, 10: now + 1000, 19: now + 1000}); !maps.Equal(got.at, want) {
		t.Errorf("got %v, want %v", got.at, want)
	}
	if state := got.processes[p.UUID].State; state != Recovered {
		t.Errorf("state %d, want %d", state, Recovered)
	}
	if exists(path) {
		t.Error("the marks file is still there")
	}
	if _, err := Recover(path, s.Dir, 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("once more: %v, want %v", err, fs.ErrNotExist)
	}
}

// The marks file of a process with another dataDir stays, whatever its name says.
func TestRecoverElsewhere(t *testing.T) {
	s, p := newStore(t, 20), newProcess(1)
	update(t, s, &Update{Calls: calls(map[int]int64{3: now}), Process: p})
	removed := newStore(t, 20)
	path := filepath.Join(t.TempDir(), "x.marks")
	writeMarks(t, path, removed, p, []int{0}, nil)
	if err := os.RemoveAll(removed.Dir); err != nil {
		t.Fatal(err)
	}
	if _, err := Recover(path, s.Dir, 0); !errors.Is(err, ErrElsewhere) || !exists(path) {
		t.Errorf("%v, still there: %t; want %v", err, exists(path), ErrElsewhere)
	}
	if got := read(t, s.Path(), false).at; len(got) != 1 {
		t.Errorf("got %v", got)
	}
}

// In dataDir the file stays for those who copy it, also by another name of dataDir.
func TestRecoverInDataDir(t *testing.T) {
	s, p := newStore(t, 20), newProcess(1)
	other := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(s.Dir, other); err != nil {
		t.Skip(err)
	}
	path := filepath.Join(other, "x.marks")
	writeMarks(t, path, s, p, []int{0}, nil)
	for range 2 {
		if _, err := Recover(path, s.Dir, 0); err != nil {
			t.Fatal(err)
		}
		if !exists(path) {
			t.Fatal("the marks file was removed at once")
		}
	}
	age(t, path, JoinedFor+time.Minute)
	if _, err := Recover(path, s.Dir, 0); err != nil || exists(path) {
		t.Errorf("later: %v, still there: %t", err, exists(path))
	}
	if got := read(t, s.Path(), false).at; len(got) != 1 {
		t.Errorf("got %v", got)
	}
}

func TestRecoverWhatIsSound(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(h *MarksHeader, path string) error
		want   int // calls
		gone   bool
	}{
		"ranges": {func(h *MarksHeader, path string) error { return overwrite(path, rangesOf(t, path)+1, []byte{1}) }, 1, true},
		"header": {func(_ *MarksHeader, path string) error { return overwrite(path, 30, []byte{0}) }, 0, false},
		"size":   {func(h *MarksHeader, path string) error { return os.Truncate(path, h.Size-1) }, 0, false},
		"clock": {func(h *MarksHeader, path string) error {
			return overwrite(path, h.State+SweptAt, []byte{255, 255, 255, 255, 255, 255, 255, 255})
		}, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			s, p := newStore(t, 20), newProcess(1)
			path := filepath.Join(t.TempDir(), "x.marks")
			h := writeMarks(t, path, s, p, []int{5}, []int{6})
			if err := c.damage(h, path); err != nil {
				t.Fatal(err)
			}
			n, err := Recover(path, s.Dir, 0)
			if n != c.want || (err == nil) != (name == "clock") || exists(path) == c.gone {
				t.Fatalf("recovered %d, %v, still there: %t; want %d, %t", n, err, exists(path), c.want, !c.gone)
			}
			if c.want == 0 {
				return
			}
			got := read(t, s.Path(), false)
			want := Lossy
			if name == "clock" {
				want = Recovered
			}
			if len(got.at) != c.want || got.processes[p.UUID].State != want || got.at[6] > time.Now().UnixMilli() {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// rangesOf returns where the ranges of a marks file are.
func rangesOf(t *testing.T, path string) int64 {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return preamble + int64(binary.LittleEndian.Uint32(b[8:]))
}

// A process that is killed as it begins leaves a file without anything.
func TestRecoverOfNothing(t *testing.T) {
	for _, content := range [][]byte{nil, make([]byte, 3*pageSize)} {
		dir := t.TempDir()
		path := filepath.Join(dir, "x.marks")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Recover(path, dir, 0); err != nil || !exists(path) {
			t.Errorf("%v; still there: %t: its process may just have started", err, exists(path))
		}
		age(t, path, JoinedFor+time.Minute)
		if _, err := Recover(path, dir, 0); err != nil || exists(path) {
			t.Errorf("later: %v; still there: %t", err, exists(path))
		}
	}
}

// join joins all files of a directory. It returns what cannot be joined.
func join(t testing.TB, dir string) map[string]error {
	t.Helper()
	errs := map[string]error{}
	j := Joiner{Dir: dir, Wanted: func(*Identity) bool { return true }}
	j.Search()
	for j.Join(3, func(path string, err error) { errs[filepath.Base(path)] = err }) {
	}
	return errs
}

func TestJoin(t *testing.T) {
	shared, own, p := newStore(t, 100), newStore(t, 100), newProcess(1)
	own.Dir, own.Process = shared.Dir, p.UUID
	update(t, shared, &Update{Calls: calls(map[int]int64{1: now, 2: now + 2})})
	update(t, own, &Update{Calls: calls(map[int]int64{1: now + 1, 2: now, 3: now, 4: now, 5: now}), Process: p})
	update(t, own, &Update{Calls: calls(map[int]int64{4: now}), State: Once})
	update(t, own, &Update{Calls: calls(map[int]int64{5: now}), State: Sent})
	if join(t, shared.Dir); len(read(t, shared.Path(), false).at) != 2 {
		t.Error("the file of a process that may live is joined")
	}
	p.State = Ended
	update(t, own, &Update{Process: p})
	want := map[int]int64{1: now + 1, 2: now + 2, 3: now, 4: now, 5: now}
	for range 3 {
		if errs := join(t, shared.Dir); len(errs) > 0 {
			t.Fatal(errs)
		}
		got := read(t, shared.Path(), false)
		if !maps.Equal(got.at, want) || !maps.Equal(got.state, map[int]State{4: Once, 5: Sent}) {
			t.Errorf("got %v, %v", got.at, got.state)
		}
		if len(got.processes) != 1 || got.processes[p.UUID].State != Ended {
			t.Errorf("processes %v", got.processes)
		}
		if !exists(own.Path()) {
			t.Fatal("it was removed at once")
		}
	}
	r, err := OpenHits(own.Path())
	if err != nil || !r.Joined {
		t.Fatalf("%v, joined: %t", err, r != nil && r.Joined)
	}
	r.Close()
	age(t, own.Path(), JoinedFor+time.Minute)
	if join(t, shared.Dir); exists(own.Path()) {
		t.Error("it is still there")
	}
}

// A process that was stopped for hours may find its own file joined, or gone.
func TestProcessOutlivesItsFile(t *testing.T) {
	for _, gone := range []bool{false, true} {
		shared, own, p := newStore(t, 100), newStore(t, 100), newProcess(1)
		own.Dir, own.Process = shared.Dir, p.UUID
		all := map[int]int64{1: now}
		update(t, own, &Update{Calls: calls(all), All: calls(all), Process: p})
		first := own.Path()
		age(t, first, 2*aloneFor)
		join(t, shared.Dir)
		if gone {
			age(t, first, 2*aloneFor)
			join(t, shared.Dir)
		}
		if exists(first) == gone {
			t.Fatalf("gone: %t, want %t", !exists(first), gone)
		}
		all[2] = now
		if r := update(t, own, &Update{Calls: calls(map[int]int64{2: now}), All: calls(all), Process: p}); !r.Replaced {
			t.Error("the file does not count as replaced")
		}
		if got := read(t, own.Path(), false).at; !maps.Equal(got, all) {
			t.Errorf("got %v, want %v", got, all)
		}
		p.State = Ended
		update(t, own, &Update{Process: p})
		join(t, shared.Dir)
		if got := read(t, shared.Path(), false); !maps.Equal(got.at, all) || len(got.processes) != 1 {
			t.Errorf("got %v of %d processes, want %v", got.at, len(got.processes), all)
		}
	}
}

// What is unknown in one file is unknown in the one that it is joined or merged to,
// unless a call is known there.
func TestUnknownStaysUnknown(t *testing.T) {
	for _, how := range []string{"join", "merge"} {
		shared, own, p := newStore(t, 2000), newStore(t, 2000), newProcess(1)
		own.Process = p.UUID
		if how == "join" {
			own.Dir = shared.Dir
		}
		update(t, shared, &Update{Calls: calls(map[int]int64{1: now, 1999: now})})
		p.State = Ended
		update(t, own, &Update{Calls: calls(map[int]int64{1: now, 2: now, 3: now}), Process: p})
		if err := overwrite(own.Path(), pageSize+stampSize, make([]byte, 2*stampSize)); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(own.Path(), pageSize+1990*stampSize); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if how == "join" {
				join(t, shared.Dir)
			} else if err := Merge(own.Path(), shared.Dir, 0, nil); err == nil {
				t.Error("nothing is damaged")
			}
		}
		if how == "join" {
			age(t, own.Path(), 2*aloneFor)
			join(t, shared.Dir) // without records nobody knew that its process had ended
		}
		got := read(t, shared.Path(), true)
		if !maps.Equal(got.at, map[int]int64{1: now, 3: now, 1999: now}) {
			t.Errorf("%s: calls %v", how, got.at)
		}
		if got.state[2] != Damaged || got.state[1990] != Damaged || len(got.state) != 1+9 {
			t.Errorf("%s: unknown %v", how, got.state)
		}
	}
}

func TestSearchRemovesTemporaryFiles(t *testing.T) {
	s := newStore(t, 1)
	ours := []string{s.Path() + ".12-1f" + tempSuffix, filepath.Join(s.Dir, directoryFile+".0123456789abcdef"+tempSuffix)}
	other := filepath.Join(s.Dir, "users"+tempSuffix)
	for _, path := range append(ours, other) {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	join(t, s.Dir)
	for _, path := range ours {
		if !exists(path) {
			t.Errorf("%s is removed while it is created", path)
		}
		age(t, path, 2*staleAge)
	}
	age(t, other, 2*staleAge)
	join(t, s.Dir)
	for _, path := range ours {
		if exists(path) {
			t.Errorf("%s is still there", path)
		}
	}
	if !exists(other) {
		t.Error("another file is removed")
	}
}
