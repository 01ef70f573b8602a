package datafile

import (
	"errors"
	"maps"
	"os"
	"testing"
)

func overwrite(path string, at int64, b []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(b, at)
	return errors.Join(err, file.Close())
}

// Whatever happens to the first page, what the file knows of calls it still knows when
// a process has written to it, and it never says of another function that it was not
// called.
func TestUpdateMendsHeader(t *testing.T) {
	for name, damage := range map[string]func(path string) error{
		"magic":         func(path string) error { return overwrite(path, 7, []byte{'7'}) },
		"older magic":   func(path string) error { return overwrite(path, 7, []byte{'1'}) },
		"joined":        func(path string) error { return overwrite(path, 0, []byte(joinedMagic)) },
		"length":        func(path string) error { return overwrite(path, 8, []byte{0xff, 0xff}) },
		"huge length":   func(path string) error { return overwrite(path, 8, []byte{0xff, 0xff, 0xff, 0xff}) },
		"header":        func(path string) error { return overwrite(path, 40, []byte{0}) },
		"page of zeros": func(path string) error { return overwrite(path, 0, make([]byte, pageSize)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t, 1000)
			update(t, s, &Update{Calls: calls(map[int]int64{5: now, 600: now}), Process: newProcess(1)})
			if err := damage(s.Path()); err != nil {
				t.Fatal(err)
			}
			if r := update(t, s, &Update{Calls: calls(map[int]int64{7: now}), Process: newProcess(2)}); r.Damaged != 1 {
				t.Errorf("%d damages mended, want 1", r.Damaged)
			}
			got := read(t, s.Path(), false)
			if !maps.Equal(got.at, map[int]int64{5: now, 7: now, 600: now}) || len(got.processes) != 2 {
				t.Errorf("got %v", got)
			}
			if entries, _ := os.ReadDir(s.Dir); len(entries) != 2 {
				t.Errorf("%d files, want one and the ID", len(entries))
			}
		})
	}
}

// Of the functions whose stamps a file lost nothing is known.
func TestUpdateOfCutOffFile(t *testing.T) {
	s := newStore(t, 1000)
	update(t, s, &Update{Calls: calls(map[int]int64{5: now, 999: now})})
	for _, size := range []int64{0, 1, 100, pageSize, pageSize + 8*6 + 3, 2*pageSize + 8, 3 * pageSize, 3*pageSize + 100} {
		if err := os.Truncate(s.Path(), size); err != nil {
			t.Fatal(err)
		}
		update(t, s, &Update{Calls: calls(map[int]int64{5: now, 7: now})})
		got := read(t, s.Path(), true)
		if got.at[5] != now || got.at[7] != now {
			t.Errorf("cut off at %d: calls are lost: %v", size, got.at)
		}
		lost := 0
		for i := range 1000 {
			if _, called := got.at[i]; !called && pageSize+int64(i)*stampSize >= size && got.state[i] != Damaged {
				lost++
			}
		}
		if lost > 0 {
			t.Errorf("cut off at %d: %d functions count as never called", size, lost)
		}
	}
}
