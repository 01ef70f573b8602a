package datafile

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func uuid(n int) string { return newProcess(n).UUID }

// lost returns how many calls of want are in none of the files of a directory. Files
// must be sound, but for records of processes in a copy: they change in place, and a copy
// may have one half before a change and half after it.
func lost(t *testing.T, dir string, want map[int]int64, copied bool) int {
	t.Helper()
	got := map[int]int64{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !IsHits(e.Name()) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		for i, at := range read(t, path, copied && hasTornRecord(t, path)).at {
			got[i] = max(got[i], at)
		}
	}
	n := 0
	for i, at := range want {
		if got[i] < at {
			n++
		}
	}
	return n
}

func hasTornRecord(t *testing.T, path string) bool {
	t.Helper()
	r, err := OpenHits(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	_, _, err = r.Processes()
	return err != nil && r.Stamps(func(int, int64, State) {}) == nil
}

func skipWithoutLocks(t *testing.T, dir string) {
	t.Helper()
	file, err := Open(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	defer os.Remove(file.Name())
	if err := Lock(file, 0); err != nil {
		t.Skip(err)
	}
}

func TestProcessesLoseNothing(t *testing.T) {
	s, l := newStore(t, 3000), newLedger()
	skipWithoutLocks(t, s.Dir)
	const n = 20
	var ends []func() error
	for i := range n {
		_, end := l.start(t, writer{Store: *s, UUID: uuid(i + 1), Seed: uint64(i), Updates: 40})
		ends = append(ends, end)
	}
	done := make(chan bool)
	go func() {
		for _, end := range ends {
			if err := end(); err != nil {
				t.Error(err)
			}
		}
		close(done)
	}()
	readBeside(t, s, done)
	if len(l.written) < 1000 {
		t.Errorf("only %d functions were called", len(l.written))
	}
	if n := lost(t, s.Dir, l.written, false); n > 0 {
		t.Errorf("%d of %d calls are lost", n, len(l.written))
	}
	got := read(t, s.Path(), false)
	if all := len(got.processes) + int(got.sums.Processes); all != n || got.sums.Lossy > 0 {
		t.Errorf("%d processes, %+v; want %d", all, got.sums, n)
	}
}

// readBeside reads a file over and over until done: at no moment is it damaged, and at
// no moment does it know less than before.
func readBeside(t *testing.T, s *Store, done <-chan bool) {
	t.Helper()
	before := map[int]int64{}
	for reads := 0; ; reads++ {
		select {
		case <-done:
			if reads == 0 {
				t.Error("nothing was read meanwhile")
			}
			return
		default:
		}
		if !exists(s.Path()) {
			time.Sleep(time.Millisecond)
			continue
		}
		now := read(t, s.Path(), false).at
		for i, at := range before {
			if now[i] < at {
				t.Errorf("function %d was called at %d, and at %d before that", i, now[i], at)
			}
		}
		before = now
	}
}

func TestKilledProcessesLoseNothing(t *testing.T) {
	s, l := newStore(t, 3000), newLedger()
	skipWithoutLocks(t, s.Dir)
	marks := t.TempDir()
	rounds := 12
	if testing.Short() {
		rounds = 5
	}
	done := make(chan bool)
	go func() {
		defer close(done)
		for round := range rounds {
			var wait sync.WaitGroup
			for i := range 3 {
				id := uuid(round*3 + i + 1)
				path := filepath.Join(marks, id+marksSuffix)
				cmd, end := l.start(t, writer{Store: *s, UUID: id, Seed: uint64(round*3 + i), Marks: path})
				wait.Add(1)
				go func() {
					defer wait.Done()
					time.Sleep(time.Duration(rand.Int64N(int64(60 * time.Millisecond))))
					_ = cmd.Process.Kill()
					_ = end()
				}()
			}
			wait.Wait()
		}
	}()
	readBeside(t, s, done)
	if n := lost(t, s.Dir, l.written, false); n > 0 {
		t.Errorf("%d of %d calls are lost", n, len(l.written))
	}
	for _, path := range MarksIn(marks, "") {
		if _, err := Recover(path, s.Dir, 0); err != nil && !exists(path) {
			t.Error(err)
		}
	}
	if n := lost(t, s.Dir, l.noted, false); n > 0 {
		t.Errorf("after recovery %d of %d calls are lost", n, len(l.noted))
	}
	if len(l.noted) < 100 {
		t.Errorf("only %d functions were called", len(l.noted))
	}
}

// copySlowly copies a directory as tools for backups do, a little at a time.
func copySlowly(t *testing.T, from, to string) {
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Error(err)
		return
	}
	rand.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
	buf := make([]byte, 3000)
	for _, e := range entries {
		in, err := os.Open(filepath.Join(from, e.Name()))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Error(err)
			return
		}
		out, err := os.Create(filepath.Join(to, e.Name()))
		for err == nil {
			var n int
			if n, err = in.Read(buf); n > 0 {
				_, _ = out.Write(buf[:n])
			}
		}
		time.Sleep(time.Millisecond)
		if !errors.Is(err, io.EOF) {
			t.Error(err)
		}
		in.Close()
		out.Close()
	}
}

// While processes write, end, are killed, recovered and joined, a copy of the directory
// has whatever was written before it began.
func TestCopiesLoseNothing(t *testing.T) {
	s, l := newStore(t, 3000), newLedger()
	skipWithoutLocks(t, s.Dir)
	marks, done := t.TempDir(), make(chan bool)
	each := 15 // each process may leave a file, and files are what a copy takes its time for
	if testing.Short() {
		each = 4
	}
	var wait sync.WaitGroup
	for slot := range 10 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for n := range each {
				runOnce(t, l, s, marks, slot*1000+n+1)
			}
		}()
	}
	go func() {
		wait.Wait()
		close(done)
	}()
	for copies := 0; ; copies++ {
		want, to := l.snapshot(), t.TempDir()
		copySlowly(t, s.Dir, to)
		if n := lost(t, to, want, true); n > 0 {
			t.Errorf("%d of %d calls are not in the copy", n, len(want))
		}
		for path, err := range join(t, s.Dir) {
			t.Errorf("%s: %v", path, err)
		}
		select {
		case <-done:
		default:
			continue
		}
		if copies < 2 || len(want) < 1000 {
			t.Errorf("only %d copies and %d functions", copies, len(want))
		}
		break
	}
	join(t, s.Dir)
	if n := lost(t, s.Dir, l.written, false); n > 0 {
		t.Errorf("%d of %d calls are lost", n, len(l.written))
	}
}

// runOnce runs one process: it has a part in the shared file or a file of its own, and
// ends or is killed.
func runOnce(t *testing.T, l *ledger, s *Store, marks string, id int) {
	w := writer{Store: *s, UUID: uuid(id), Seed: uint64(id), Updates: id % 3 * 10}
	if id%2 == 0 {
		w.Store.Process = w.UUID
	} else {
		w.Marks = filepath.Join(marks, w.UUID+marksSuffix)
	}
	cmd, end := l.start(t, w)
	if w.Updates > 0 {
		if err := end(); err != nil {
			t.Error(err)
		}
	} else {
		time.Sleep(time.Duration(rand.Int64N(int64(80 * time.Millisecond))))
		_ = cmd.Process.Kill()
		_ = end()
	}
	if w.Marks != "" && exists(w.Marks) {
		if _, err := Recover(w.Marks, s.Dir, 0); err != nil && !errors.Is(err, ErrBusy) && size(t, w.Marks) > 0 {
			t.Error(err)
		}
	} else if own := w.Store.Path(); id%4 == 0 && exists(own) {
		old := time.Now().Add(-2 * aloneFor) // as if it had been dead for hours
		_ = os.Chtimes(own, old, old)
	}
}
