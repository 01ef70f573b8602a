package datafile

import (
	"os"
	"testing"
)

// A tornFile gives every stamp torn that it reads for the first time, as if a process wrote
// it at that moment.
type tornFile struct {
	*os.File
	torn  map[int64]bool // where stamps begin
	reads int
}

func (f *tornFile) ReadAt(b []byte, at int64) (n int, err error) {
	f.reads++
	n, err = f.File.ReadAt(b, at)
	for offset := range f.torn {
		if i := offset - at; i >= 0 && i+stampSize <= int64(n) {
			b[i] ^= 1
			delete(f.torn, offset)
		}
	}
	return n, err
}

// A stamp that makes no sense is read a second time before it is called damaged, and so
// is all that was read with it, once: not one by one.
func TestReadAgain(t *testing.T) {
	const functions = 3 * window / stampSize
	for _, lost := range []bool{false, true} {
		s := newStore(t, functions)
		called := map[int]int64{0: now, 9: now, functions - 1: now}
		update(t, s, &Update{Calls: calls(called)})
		r, err := OpenHits(s.Path())
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		file := &tornFile{File: r.file, torn: map[int64]bool{}}
		want := 0
		if lost {
			want = window / stampSize
			if err := zero(s.Path(), r.Header.Stamps+window, window); err != nil {
				t.Fatal(err)
			}
		}
		for _, i := range []int{9, 10, functions - 1} {
			file.torn[r.Header.Stamps+int64(i)*stampSize] = true
		}
		damaged := 0
		err = readStamps(file, &r.Header, func(i int, stamp uint64) (int64, State) {
			return newSalt(r.Fingerprint).read(i, stamp)
		}, func(i int, at int64, state State) {
			if state == Damaged {
				damaged++
			} else if at != called[i] {
				t.Errorf("lost %v: function %d was called at %d, want %d", lost, i, at, called[i])
			}
			delete(called, i)
		})
		if damaged != want || (err != nil) != lost || len(called) > 0 {
			t.Errorf("lost %v: %d stamps are damaged, want %d; not read: %v; %v", lost, damaged, want, called, err)
		}
		if most := 2 * 3; file.reads > most {
			t.Errorf("lost %v: %d reads of 3 windows, want at most %d", lost, file.reads, most)
		}
	}
}

// zero makes a part of a file zeros, as a disk does that lost a block.
func zero(path string, at int64, n int) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.WriteAt(make([]byte, n), at)
	return err
}
