package datafile

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// now is a time of calls in tests.
const now = 1_795_887_670_584

func newStore(t testing.TB, functions int) *Store {
	t.Helper()
	s := &Store{Dir: t.TempDir(), Wait: time.Minute, Identity: Identity{Fingerprint: "f1", Functions: functions,
		Main: "example.com/app", AppName: "app", Environment: "test", Hostname: "h", UID: os.Geteuid()}}
	s.makeDirectoryID() // so that Path is what it will be
	return s
}

func newProcess(n int) *Process {
	return &Process{UUID: fmt.Sprintf("00000000-0000-4000-8000-%012x", n), StartedAt: now, SeenAt: now, PID: n, State: Running, Kept: InMemory}
}

// calls yields functions in ascending order.
func calls(m map[int]int64) iter.Seq2[int, int64] {
	return func(yield func(int, int64) bool) {
		for _, i := range slices.Sorted(maps.Keys(m)) {
			if !yield(i, m[i]) {
				return
			}
		}
	}
}

func update(t testing.TB, s *Store, u *Update) Result {
	t.Helper()
	r, err := s.Update(u)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// content is what a reader gets to know from a file.
type content struct {
	at        map[int]int64 // of functions that were called
	state     map[int]State // other than Unsent
	sums      Totals
	processes map[string]Process
}

// read reads a file, which is damaged exactly if the caller says so.
func read(t testing.TB, path string, damaged bool) content {
	t.Helper()
	r, err := OpenHits(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := content{map[int]int64{}, map[int]State{}, Totals{}, map[string]Process{}}
	err = r.Stamps(func(i int, at int64, state State) {
		if state != Unsent {
			c.state[i] = state
		}
		if state != Damaged {
			c.at[i] = max(c.at[i], at)
		}
	})
	sums, processes, processesErr := r.Processes()
	if err = errors.Join(err, processesErr); (err != nil) != damaged {
		t.Fatalf("%s: %v; want damage: %t", path, err, damaged)
	}
	for _, p := range processes {
		c.processes[p.UUID] = p
	}
	c.sums = sums
	return c
}

func TestUpdate(t *testing.T) {
	for _, n := range []int{0, 1, 511, 512, 513, window / stampSize, window/stampSize + 1, 100_000} {
		s := newStore(t, n)
		want := map[int]int64{}
		random := rand.New(rand.NewPCG(uint64(n), 1))
		for round := range 20 {
			m := map[int]int64{-1: now, n: now, n + 1: now, 1 << 30: now} // three are ignored
			for _, border := range []int{0, 511, 512, 8191, 8192, 16384, n - 1} {
				m[border] = now + random.Int64N(1000) - 500
			}
			for range round * n / 50 {
				m[random.IntN(n)] = now + random.Int64N(1000) - 500
			}
			update(t, s, &Update{Calls: calls(m)})
			for i, at := range m {
				if 0 <= i && i < n {
					want[i] = max(want[i], at)
				}
			}
			if got := read(t, s.Path(), false).at; !maps.Equal(got, want) {
				t.Fatalf("%d functions, round %d: %d calls, want %d, or other times", n, round, len(got), len(want))
			}
		}
	}
}

func TestUpdateInAnyOrder(t *testing.T) {
	s := newStore(t, 50_000)
	order := []int{49_999, 0, 20_000, 20_001, 8191, 8192, 49_998, 1, 0}
	update(t, s, &Update{Calls: func(yield func(int, int64) bool) {
		for k, i := range order {
			if !yield(i, now+int64(k)) {
				return
			}
		}
	}})
	got := read(t, s.Path(), false).at
	if len(got) != 8 || got[0] != now+8 || got[1] != now+7 || got[49_999] != now {
		t.Errorf("got %v", got)
	}
}

// A clock may stand at 1970 or at the end of time. A call is a call.
func TestUpdateWithWrongClock(t *testing.T) {
	s := newStore(t, 8)
	update(t, s, &Update{Calls: calls(map[int]int64{0: 0, 1: 1, 2: -5, 3: MinTime - 1, 4: MaxTime, 5: 1<<63 - 1, 6: -1 << 63})})
	got := read(t, s.Path(), false).at
	for i, want := range []int64{MinTime, MinTime, MinTime, MinTime, MaxTime, MaxTime, MinTime} {
		if got[i] != want {
			t.Errorf("function %d was called at %d, want %d", i, got[i], want)
		}
	}
}

func TestUpdateStates(t *testing.T) {
	s := newStore(t, 4)
	update(t, s, &Update{})
	for _, c := range []struct {
		state State
		i     int
		at    int64
		want  State
	}{
		{Once, 0, now, Unsent}, // never called: nothing is sent
		{Lost, 0, now, Unsent},
		{Unsent, 0, now, Unsent},
		{Once, 0, now - 1, Unsent}, // there is a later call
		{Once, 0, now, Once},
		{Sent, 0, now + 1, Sent},
		{Once, 0, now, Sent},     // never less
		{Unsent, 0, now, Sent},   // nothing new
		{Damaged, 0, now, Sent},  // its call is known
		{Lost, 0, now - 1, Sent}, // there is a later call
		{Lost, 0, now, Unsent},
		{Sent, 0, now, Sent},
		{Unsent, 0, now + 1, Unsent},
		{Damaged, 1, now, Damaged},
		{Lost, 1, now, Damaged},
		{Once, 1, now, Damaged},
		{Unsent, 1, now, Unsent}, // a call is more than to know nothing
	} {
		r := update(t, s, &Update{Calls: calls(map[int]int64{c.i: c.at}), State: c.state})
		if got := read(t, s.Path(), c.want == Damaged).state[c.i]; got != c.want {
			t.Errorf("%+v: state %d", c, got)
		}
		if c.i == 1 && c.state == Unsent && r.Damaged != 1 {
			t.Errorf("%d damaged stamps written anew, want 1", r.Damaged)
		}
	}
	if got := read(t, s.Path(), false).at; got[1] != now || got[0] != now+1 {
		t.Errorf("got %v", got)
	}
}

// What the collector has is noted in a file that is there: a new one would say that
// nothing was called.
func TestUpdateOfStatesCreatesNothing(t *testing.T) {
	s := newStore(t, 2)
	_, err := s.Update(&Update{State: Once, Calls: calls(map[int]int64{1: now})})
	if !errors.Is(err, fs.ErrNotExist) || exists(s.Path()) {
		t.Errorf("Update = %v, the file is there: %t", err, exists(s.Path()))
	}
}

func TestUpdateWritesAllToAnotherFile(t *testing.T) {
	all := map[int]int64{0: now, 1: now, 2: now + 1}
	last := map[int]int64{2: now + 1}
	for name, replace := range map[string]func(s *Store, older []byte) error{
		"removed":   func(s *Store, _ []byte) error { return os.Remove(s.Path()) },
		"directory": func(s *Store, _ []byte) error { return errors.Join(os.RemoveAll(s.Dir), os.Mkdir(s.Dir, 0o700)) },
		"older":     func(s *Store, older []byte) error { return os.WriteFile(s.Path(), older, 0o600) },
		"older moved": func(s *Store, older []byte) error {
			return errors.Join(os.WriteFile(s.Path()+"x", older, 0o600), os.Rename(s.Path()+"x", s.Path()))
		},
		"header lost": func(s *Store, _ []byte) error { return overwrite(s.Path(), 20, []byte("????")) },
		"empty":       func(s *Store, _ []byte) error { return os.Truncate(s.Path(), 0) },
		"cut off":     func(s *Store, _ []byte) error { return os.Truncate(s.Path(), pageSize+8) },
		"of others": func(s *Store, _ []byte) error {
			other := *s
			other.Identity.AppName = "other"
			_, err := other.Update(&Update{Calls: calls(map[int]int64{3: now})})
			return errors.Join(err, os.Rename(other.Path(), s.Path()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, p := newStore(t, 1000), newProcess(1)
			update(t, s, &Update{Process: newProcess(2)})
			older, err := os.ReadFile(s.Path())
			if err != nil {
				t.Fatal(err)
			}
			if r := update(t, s, &Update{Calls: calls(map[int]int64{0: now}), All: calls(map[int]int64{0: now}), Process: p}); r.Replaced {
				t.Error("the file of the first update counts as replaced")
			}
			if r := update(t, s, &Update{Calls: calls(map[int]int64{1: now}), All: calls(all), Process: p}); r.Replaced {
				t.Error("its own file counts as replaced")
			}
			if err := replace(s, older); err != nil {
				t.Fatal(err)
			}
			if r := update(t, s, &Update{Calls: calls(last), All: calls(all), Process: p}); !r.Replaced {
				t.Error("the file does not count as replaced")
			}
			got := read(t, s.Path(), name == "empty" || name == "cut off")
			if !maps.Equal(got.at, all) {
				t.Errorf("got %v, want %v", got.at, all)
			}
			if r := update(t, s, &Update{Calls: calls(last), All: calls(all), Process: p}); r.Replaced || r.Damaged > 0 {
				t.Errorf("then it is not its own: %+v", r)
			}
			if p.Writes != 4 {
				t.Errorf("%d writes, want 4", p.Writes)
			}
		})
	}
}

func TestIdentityWithAnyBytes(t *testing.T) {
	s := newStore(t, 3)
	s.Identity.Hostname, s.Identity.AppName, s.Identity.Environment = "h\xff\xfe", "a\x00<>&\u2028\"", "\xc3"
	for i := range 3 {
		update(t, s, &Update{Calls: calls(map[int]int64{i: now})})
	}
	entries, err := os.ReadDir(s.Dir)
	if err != nil || len(entries) != 2 {
		t.Fatalf("%d files (%v), want one and the ID", len(entries), err)
	}
	r, err := OpenHits(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if again := (&Store{Dir: s.Dir, Identity: r.Identity}); again.Path() != s.Path() {
		t.Error("who knows the identity from the header finds another file")
	}
}

func TestUpdateOfWhatNobodyReads(t *testing.T) {
	for name, change := range map[string]func(id *Identity){
		"functions": func(id *Identity) { id.Functions = maxFunctions + 1 },
		"negative":  func(id *Identity) { id.Functions = -1 },
		"header":    func(id *Identity) { id.Module = strings.Repeat("x", maxHeader) },
	} {
		s := newStore(t, 1)
		change(&s.Identity)
		if _, err := s.Update(&Update{}); err == nil {
			t.Errorf("%s: no error", name)
		}
		if entries, _ := os.ReadDir(s.Dir); len(entries) > 1 {
			t.Errorf("%s: it leaves %v", name, entries)
		}
	}
}

func TestBusy(t *testing.T) {
	s := newStore(t, 10)
	update(t, s, &Update{Calls: calls(map[int]int64{1: now}), Process: newProcess(1)})
	holder, err := Open(s.Path(), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	if err := Lock(holder, 0); errors.Is(err, ErrNoLocks) {
		t.Skip("no locks")
	} else if err != nil {
		t.Fatal(err)
	}
	s.Wait = time.Millisecond
	p := newProcess(2)
	if _, err := s.Update(&Update{Calls: calls(map[int]int64{2: now}), Process: p}); !errors.Is(err, ErrBusy) {
		t.Errorf("error %v, want %v", err, ErrBusy)
	}
	if p.Writes != 0 {
		t.Error("an update that failed counts")
	}
	// A file of its own is what remains, and nobody can keep it from writing that.
	s.Process = p.UUID
	update(t, s, &Update{Calls: calls(map[int]int64{2: now}), Process: p})
	if got := read(t, s.Path(), false); got.at[2] != now || len(got.processes) != 1 {
		t.Errorf("got %v", got)
	}
	own, err := Open(s.Path(), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	if err := Lock(own, 0); err != nil {
		t.Fatal(err)
	}
	update(t, s, &Update{Calls: calls(map[int]int64{3: now}), Process: p})
}

func TestModeIsNotUmasks(t *testing.T) {
	for _, mode := range []os.FileMode{0, 0o640, 0o666} {
		s := newStore(t, 1)
		s.Mode = mode
		update(t, s, &Update{})
		info, err := os.Stat(s.Path())
		if err != nil {
			t.Fatal(err)
		}
		want := mode
		if mode == 0 {
			want = 0o600
		}
		if got := info.Mode().Perm(); got != want && os.Geteuid() >= 0 {
			t.Errorf("mode %o, want %o", got, want)
		}
	}
}

func TestCreationIsRaced(t *testing.T) {
	s := newStore(t, 2000)
	const n = 50
	errs := make(chan error)
	for i := range n {
		go func() {
			own := *s
			_, err := own.Update(&Update{Calls: calls(map[int]int64{i * 40: now + int64(i)}), Process: newProcess(i + 1)})
			errs <- err
		}()
	}
	for range n {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	got := read(t, s.Path(), false)
	if len(got.at) != n || len(got.processes)+int(got.sums.Processes) != n {
		t.Errorf("%d calls of %d processes, want %d", len(got.at), len(got.processes), n)
	}
	if entries, _ := os.ReadDir(s.Dir); len(entries) != 2 {
		t.Errorf("%d files, want one and the ID", len(entries))
	}
}

func TestUpdateWhereNothingCanBeWritten(t *testing.T) {
	s := newStore(t, 1)
	s.Dir = filepath.Join(s.Dir, "missing")
	if _, err := s.Update(&Update{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}
