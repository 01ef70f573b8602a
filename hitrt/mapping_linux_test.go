//go:build linux && (386 || amd64 || arm || arm64 || loong64 || riscv64)

package hitrt

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// mappedArrays are mark arrays as rewrite declares them: static data, with
// padding around the marks. A test uses those that no other test does.
var mappedArrays struct {
	attach  [8][mappedPage + 5000 + mappedPage]uint8
	attach2 [2][mappedPage + 120_000 + mappedPage]uint8
	program [3][mappedPage + 32 + mappedPage]uint8
	killed  [3][mappedPage + 32 + mappedPage]uint8
	started [3][mappedPage + 32 + mappedPage]uint8
	removed [3][mappedPage + 32 + mappedPage]uint8
	halfway [5][mappedPage + 32 + mappedPage]uint8 // every other one is used: they are three ranges
	full    [3][mappedPage + 32 + mappedPage]uint8
	gone    [3][mappedPage + 32 + mappedPage]uint8
	limited [3][mappedPage + 32 + mappedPage]uint8
	ended   [3][mappedPage + 32 + mappedPage]uint8
	recover [3][mappedPage + 32 + mappedPage]uint8
	taken   [3][mappedPage + 32 + mappedPage]uint8
	settled [3][mappedPage + 32 + mappedPage]uint8
	busy    [3][mappedPage + 32 + mappedPage]uint8
	many    [7][mappedPage + 32 + mappedPage]uint8
	chroot  [3][mappedPage + 32 + mappedPage]uint8
	known   [3][mappedPage + 32 + mappedPage]uint8
	later   [3][mappedPage + 32 + mappedPage]uint8
}

func inner(array []uint8) []uint8 { return array[mappedPage : len(array)-mappedPage] }

// newMappedProgram is a program of newProgram with static marks. The functions of the
// last package are in order.
func newMappedProgram(arrays *[3][mappedPage + 32 + mappedPage]uint8) *Program {
	return mapped(newProgram(90), arrays[:])
}

func mapped(p *Program, arrays [][mappedPage + 32 + mappedPage]uint8) *Program {
	for i := range p.Packages {
		p.Packages[i].Marks, p.Packages[i].Padding = inner(arrays[i][:]), mappedPage
	}
	for i := 2; i < len(p.Packages); i++ {
		inOrder(&p.Packages[i])
	}
	return p
}

// A call is known at once, and once only: in a cell, in the marks file as taken from its
// cell, or in the hits file.
func TestMappedMarks(t *testing.T) {
	dir := newDataDir(t)
	prog := newMappedProgram(&mappedArrays.program)
	prog.call(7)
	pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
	pub.begin()
	marks := pub.data.marks
	if marks == nil || marks.attached != 1 || len(marks.pages[0].parts) != 3 {
		t.Fatalf("marks file %+v, want 3 packages mapped as one (%s)", marks, messages)
	}
	want := make([]bool, 96)
	want[place(7)] = true
	check := func() {
		t.Helper()
		if got := known(t, dir); !slices.Equal(got, want) {
			t.Fatalf("called: %v, want %v", got, want)
		}
	}
	check()
	for i := range 90 {
		prog.call(i)
		want[place(i)] = true
		check()
		if i%10 == 3 {
			pub.sweep()
			check()
			pub.checkpoint()
			m, err := readMarksFile(marks.path)
			if err != nil {
				t.Fatal(err)
			}
			// What was called again is written within a minute.
			if calls := slices.DeleteFunc(m.Calls, func(i int) bool { return i == place(7) }); len(calls) > 0 {
				t.Errorf("after a checkpoint the marks file has the calls %v, want none", calls)
			}
			if m := prog.Packages[i/30].Marks[i%30]; m != 0 {
				t.Errorf("mark %d is %d after a checkpoint, want 0", i, m)
			}
			check()
		}
	}
	path := marks.path
	pub.die()
	check()
	for i, p := range prog.Packages {
		p.Marks[0], p.Marks[31] = 1, 1
		if m, err := readMarksFile(path); err != nil || slices.Contains(m.Calls, place(30*i)) {
			t.Errorf("package %d is still mapped (%v)", i, err)
		}
	}
}

// No mark is lost that is set while its page is replaced.
func TestAttachConcurrent(t *testing.T) {
	pipe, err := newPagePipe(1 << 20) // one for all, as in attach
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.close()
	var arrays [][]uint8
	for i := range mappedArrays.attach {
		arrays = append(arrays, mappedArrays.attach[i][:])
	}
	for i := range mappedArrays.attach2 {
		arrays = append(arrays, mappedArrays.attach2[i][:])
	}
	for _, array := range arrays {
		marks := inner(array)
		ranges, _, ok := arrayPages([]Package{{Marks: marks, Padding: mappedPage}})
		if !ok {
			t.Fatal("the padding does not suffice")
		}
		r := ranges[0]
		file, err := os.Create(filepath.Join(t.TempDir(), "marks"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if _, err := file.Write(make([]byte, r.size)); err != nil {
			t.Fatal(err)
		}
		data, err := mapFile(file, r.size)
		if err != nil {
			t.Fatal(err)
		}
		for round := range 100 {
			clear(marks)
			var next atomic.Int64
			var setters sync.WaitGroup
			for range 2 {
				setters.Add(1)
				go func() {
					defer setters.Done()
					for i := next.Add(1); i < int64(len(marks)); i = next.Add(1) {
						setMark(marks, int(i))
					}
				}()
			}
			for next.Load() < rand.Int64N(int64(len(marks))) {
			}
			if round%2 == 0 {
				err = pipe.attach(r, file, 0)
			} else {
				err = detach(r, data)
			}
			setters.Wait()
			if err != nil {
				t.Fatal(err)
			}
			for i := 1; i < len(marks); i++ {
				if marks[i] != 1 || round%2 == 0 && data[r.parts[0].at+i] != 1 {
					t.Fatalf("round %d: mark %d of %d is lost", round, i, len(marks))
				}
			}
		}
		if array[mappedPage-1] != 0 || array[len(array)-mappedPage] != 0 {
			t.Errorf("padding was written to")
		}
	}
}

// A marks file that was removed or cut off is made again, and has what no disk has.
func TestMarksFileGone(t *testing.T) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // as in run
	dir := newDataDir(t)
	prog := newMappedProgram(&mappedArrays.removed)
	pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
	prog.call(1)
	pub.begin()
	prog.call(2)
	if err := os.Remove(pub.data.marks.path); err != nil {
		t.Fatal(err)
	}
	prog.call(3)
	pub.checkpoint()
	prog.call(4)
	if got := known(t, dir); !got[1] || !got[2] || !got[3] || !got[4] || pub.data.marks.attached != 1 {
		t.Errorf("called %v, want 1 to 4", got[:6])
	}
	if err := os.Truncate(pub.data.marks.path, 5000); err != nil {
		t.Fatal(err)
	}
	pub.checkpoint() // cell 4 was cut off with the file
	prog.call(5)
	if got := known(t, dir); !got[1] || !got[2] || !got[3] || !got[5] || pub.data.marks == nil || pub.data.marks.attached != 1 {
		t.Errorf("called %v, want 1, 2, 3 and 5", got[:6])
	}
	if !strings.Contains(messages.String(), "removed, replaced or cut off") {
		t.Errorf("messages %q", messages)
	}
	pub.die()
}

// What was taken from cells and is not written yet, as dataDir cannot be written to, is
// in a marks file that is made again.
func TestMarksFileGoneBeforeWrite(t *testing.T) {
	dir := newDataDir(t)
	prog := newMappedProgram(&mappedArrays.taken)
	pub, _ := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
	pub.begin()
	release := lock(t, pub.data.store.Path())
	defer release()
	prog.call(1)
	pub.checkpoint()
	old := pub.data.marks.path
	if err := os.Remove(old); err != nil {
		t.Fatal(err)
	}
	pub.data.keep(pub.now())
	if m, err := readMarksFile(pub.data.marks.path); err != nil || !slices.Equal(m.Calls, []int{1}) {
		t.Errorf("the new marks file has %+v, %v, want call 1", m, err)
	}
	pub.die()
}

// lock locks a file as a process does that was stopped while it wrote to it.
func lock(t *testing.T, path string) (release func()) {
	t.Helper()
	file, err := datafile.Open(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := datafile.Lock(file, time.Minute); err != nil {
		t.Fatal(err)
	}
	return func() { _ = file.Close() }
}

// The system may give no memory for the marks of one package when the file is gone. What
// is called until it does is known nevertheless.
func TestMarksFileGoneHalfway(t *testing.T) {
	dir := newDataDir(t)
	a := &mappedArrays.halfway
	prog := newProgram(90)
	for i := range prog.Packages {
		prog.Packages[i].Marks, prog.Packages[i].Padding = inner(a[2*i][:]), mappedPage
	}
	inOrder(&prog.Packages[2])
	pub, _ := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
	pub.begin()
	marks := pub.data.marks
	prog.call(1)
	if err := os.Remove(marks.path); err != nil {
		t.Fatal(err)
	}
	marks.pages[1].start++ // which mmap refuses
	pub.checkpoint()
	if marks.attached != 2 || pub.data.marks != marks {
		t.Fatalf("%d ranges are mapped, want 2", marks.attached)
	}
	for i := range 3 {
		prog.call(30*i + 2)
	}
	marks.pages[1].start--
	pub.checkpoint()
	got := known(t, dir)
	for _, i := range []int{1, 2, 32, 62} {
		if !got[place(i)] {
			t.Errorf("function %d was called, and is not in the files", i)
		}
	}
	if pub.data.marks == marks || pub.data.marks.attached != 3 {
		t.Errorf("%d ranges are mapped, want 3", pub.data.marks.attached)
	}
	pub.die()
}

// A program that the process starts has neither its marks file nor its lock.
func TestMappedNotInherited(t *testing.T) {
	prog := newMappedProgram(&mappedArrays.started)
	pub, _ := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+newDataDir(t))
	pub.begin()
	other, err := os.OpenFile(pub.data.marks.path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if datafile.Lock(other, 0) == nil {
		t.Fatal("the lock of a process that lives was to be had")
	}
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Wait()
	defer child.Process.Kill()
	pub.die()
	if err := datafile.Lock(other, 0); err != nil {
		t.Errorf("a child has the lock: %v", err)
	}
	if maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", child.Process.Pid)); err != nil || strings.Contains(string(maps), ".marks") {
		t.Errorf("a child has the file mapped (%v)", err)
	}
}

// The process keeps no descriptor of any file of its own, so that a program that closes
// or uses any number does not meet one.
func TestNoDescriptors(t *testing.T) {
	dir := newDataDir(t)
	prog := newMappedProgram(&mappedArrays.settled)
	pub, _ := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
	prog.call(1)
	pub.begin()
	prog.call(2)
	pub.checkpoint()
	for _, place := range []string{dir, filepath.Dir(pub.data.marks.path)} {
		if open := descriptorsOf(t, filepath.Join(place, "")); place == dir && len(open) > 0 {
			t.Errorf("descriptors %v are open in %s", open, place)
		}
	}
	if open := descriptorsOf(t, pub.data.marks.path); len(open) > 0 {
		t.Errorf("descriptors %v of the marks file are open", open)
	}
	pub.die()
}
