package datafile

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// seeds adds the content of files of every kind.
func seeds(f *testing.F) {
	f.Helper()
	s, p := newStore(f, 20), newProcess(1)
	p.State = Ended
	update(f, s, &Update{Calls: calls(map[int]int64{1: now, 7: now + 1}), Process: p})
	update(f, s, &Update{Calls: calls(map[int]int64{1: now}), State: Sent})
	marks := filepath.Join(f.TempDir(), "x.marks")
	writeMarks(f, marks, s, p, []int{1, 12}, []int{3})
	paths := []string{s.Path(), marks}
	for _, version := range []string{"format1", "format2"} {
		_, files := copyOld(f, version)
		paths = append(paths, files...)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
}

// mend makes the checksum of a header right, so that the fuzzer gets past it.
func mend(b []byte) {
	if len(b) < preamble {
		return
	}
	length := int(b[8]) | int(b[9])<<8
	if length <= len(b)-preamble {
		putPreamble(b, string(b[:8]), b[preamble:][:length])
	}
}

// FuzzHits: what a reader says is in bounds, and the same when it is read again.
func FuzzHits(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		mend(b)
		path := filepath.Join(t.TempDir(), "hits-1-2.hits")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := OpenHits(path)
		if err != nil {
			return
		}
		defer r.Close()
		if r.Functions > 1<<16 {
			return // slow, and the same
		}
		told, unknown := make([]bool, r.Functions), 0
		err = r.Stamps(func(i int, at int64, state State) {
			told[i] = true
			if state == Damaged {
				unknown++
			}
			if at > MaxTime || at < MinTime-1 && (at != 0 || state != Damaged) {
				t.Errorf("function %d: at %d, state %d", i, at, state)
			}
		})
		if unknown > 0 && err == nil {
			t.Errorf("%d functions are unknown, and nothing is damaged", unknown)
		}
		_, _, _ = r.Processes()
	})
}

// FuzzMarks: functions are in bounds and in order.
func FuzzMarks(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		mend(b)
		path := filepath.Join(t.TempDir(), "x.marks")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := Open(path, os.O_RDONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		m, _ := ReadMarks(file)
		if m == nil {
			return
		}
		last := -1
		for _, i := range m.Calls {
			if i <= last || i >= m.Functions {
				t.Fatalf("function %d of %d after %d", i, m.Functions, last)
			}
			last = i
		}
		if len(m.Calls) > 0 && !m.Saved && (m.At < MinTime || m.At > MaxTime) {
			t.Errorf("at %d", m.At)
		}
	})
}

// FuzzJoin: whatever lies in a directory, a process writes its calls, and what was
// joined, recovered or merged makes no call of what is in no file.
func FuzzJoin(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		mend(b)
		s := newStore(t, 20)
		update(t, s, &Update{Calls: calls(map[int]int64{2: now}), Process: newProcess(9)})
		own := filepath.Join(s.Dir, "hits-1-2.hits")
		old := filepath.Join(s.Dir, "process-1.hits")
		marks := filepath.Join(s.Dir, "x.marks")
		for _, path := range []string{own, old, marks} {
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			age(t, path, 2*aloneFor)
		}
		j := Joiner{Dir: s.Dir, Wanted: func(id *Identity) bool { return id.Functions < 1<<16 }}
		j.Search()
		for j.Join(1, func(string, error) {}) {
		}
		if r, err := OpenHits(own); err == nil {
			if r.Functions < 1<<16 {
				_ = Merge(own, t.TempDir(), 0, nil)
			}
			r.Close()
		}
		if bytes.HasPrefix(b, []byte(marksMagic)) {
			_, _ = Recover(marks, s.Dir, 0)
		}
		if err := os.WriteFile(s.Path(), b, 0o600); err != nil { // and in its own place
			t.Fatal(err)
		}
		update(t, s, &Update{Calls: calls(map[int]int64{3: now}), Process: newProcess(10)})
		r, err := OpenHits(s.Path())
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		found := false
		_ = r.Stamps(func(i int, at int64, _ State) { found = found || i == 3 && at >= now })
		if !found {
			t.Error("the call is not in the file")
		}
	})
}

func FuzzCodebase(f *testing.F) {
	for _, version := range []string{"format1", "format2"} {
		paths, _ := filepath.Glob(filepath.Join("testdata", "old", version, "codebase-*"))
		for _, path := range paths {
			b, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	const fingerprint = "b49752263469da43d571c4e652d7bca95a79a040af0525c01187ec2ef60c873a"
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		if _, err := ReadCodebase(bytes.NewReader(b), fingerprint, func(*Function) error { n++; return nil }); err != nil {
			return
		}
		path := filepath.Join(t.TempDir(), "codebase")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := Open(path, os.O_RDONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if !IsSealed(file) || !IsSound(file) {
			t.Errorf("%d functions are read from a file that does not count as sound", n)
		}
	})
}
