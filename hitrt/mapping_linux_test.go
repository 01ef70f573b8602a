//go:build linux && (386 || amd64 || arm || arm64 || loong64 || riscv64)

package hitrt

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
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
	halfway [3][mappedPage + 32 + mappedPage]uint8
	full    [3][mappedPage + 32 + mappedPage]uint8
	gone    [3][mappedPage + 32 + mappedPage]uint8
	limited [3][mappedPage + 32 + mappedPage]uint8
	chroot  [3][mappedPage + 32 + mappedPage]uint8
}

func inner(array []uint8) []uint8 { return array[mappedPage : len(array)-mappedPage] }

// newMappedProgram is a program of newProgram with static marks. The functions of the
// last package are in order.
func newMappedProgram(arrays *[3][mappedPage + 32 + mappedPage]uint8) *Program {
	p := newProgram(90)
	for i := range p.Packages {
		p.Packages[i].Marks, p.Packages[i].Padding = inner(arrays[i][:]), mappedPage
	}
	inOrder(&p.Packages[2])
	return p
}

// readMarks reads the only process file in dir, which must be of format 2, and
// returns whether each function is known to have been called.
func readMarks(t *testing.T, dir string) []bool {
	t.Helper()
	names, _ := filepath.Glob(filepath.Join(dir, "process-*.hits"))
	if len(names) != 1 {
		t.Fatalf("process files %q, want one", names)
	}
	b, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	header := headerOf(t, b)
	number := func(key string) int { return int(header[key].(float64)) }
	if number("format") != 2 || number("size") != len(b) || header["locked"] != true || number("marks")%4096 != 0 {
		t.Fatalf("header %v of a file of %d bytes", header, len(b))
	}
	n, stamps, places := number("functions"), b[number("stamps"):], b[number("places"):]
	if got := crc32.ChecksumIEEE(places[:4*n]); float64(got) != header["placesCrc"] {
		t.Fatalf("CRC of the places is %d, want %v", got, header["placesCrc"])
	}
	called := make([]bool, n)
	for i := range called {
		called[i] = binary.LittleEndian.Uint64(stamps[8*i:]) != 1
		if place := binary.LittleEndian.Uint32(places[4*i:]); place != 0 && b[place] != 0 {
			called[i] = true
		}
	}
	return called
}

// place is where function i of a program of newProgram is among all functions:
// every tenth of the first two packages is followed by another one.
func place(i int) int { return i + min(i, 60)/10 }

func TestMappedMarks(t *testing.T) {
	dir := t.TempDir()
	prog := newMappedProgram(&mappedArrays.program)
	prog.call(7)
	pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
	pub.begin()
	if pub.data.shared == nil || pub.data.attached != 3 {
		t.Fatalf("%d packages are mapped, want 3 (%s)", pub.data.attached, messages)
	}
	want := make([]bool, 96)
	want[place(7)] = true
	check := func() {
		t.Helper()
		if got := readMarks(t, dir); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("called: %v, want %v", got, want)
		}
	}
	check()
	for i := range 90 {
		prog.call(i)
		want[place(i)] = true
		check()
		if i%10 == 3 {
			pub.checkpoint()
			if m := prog.Packages[i/30].Marks[i%30]; m != 0 {
				t.Errorf("mark %d is %d after a checkpoint, want 0", i, m)
			}
			check()
		}
	}
	pub.data.release()
	check()
	for i, p := range prog.Packages {
		p.Marks[0], p.Marks[31] = 1, 1
		if got := readMarks(t, dir); got[33*i] != want[33*i] {
			t.Errorf("package %d is still mapped", i)
		}
	}
}

// No mark is lost that is set while its page is replaced.
func TestAttachConcurrent(t *testing.T) {
	pipe, err := newPagePipe() // one for all, as in share
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
		ranges, ok := markPages([]Package{{Marks: marks, Padding: mappedPage}})
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
				if marks[i] != 1 || round%2 == 0 && data[r.at+i] != 1 {
					t.Fatalf("round %d: mark %d of %d is lost", round, i, len(marks))
				}
			}
		}
		if array[mappedPage-1] != 0 || array[len(array)-mappedPage] != 0 {
			t.Errorf("padding was written to")
		}
	}
}

// A file that was removed or cut off is written again, with everything.
func TestMappedFileGone(t *testing.T) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // as in run
	dir := t.TempDir()
	prog := newMappedProgram(&mappedArrays.removed)
	pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
	prog.call(1)
	pub.begin()
	prog.call(2)
	if err := os.Remove(pub.data.path()); err != nil {
		t.Fatal(err)
	}
	prog.call(3)
	pub.checkpoint()
	prog.call(4)
	if err := os.Truncate(pub.data.path(), 5000); err != nil {
		t.Fatal(err)
	}
	pub.checkpoint() // mark 4 was cut off with the file
	prog.call(5)
	if got := readMarks(t, dir); !got[1] || !got[2] || !got[3] || !got[5] || pub.data.attached != 3 {
		t.Errorf("called %v with %d packages mapped, want 1, 2, 3 and 5", got, pub.data.attached)
	}
	if !strings.Contains(messages.String(), "removed, replaced or cut off") {
		t.Errorf("messages %q", messages)
	}
}

// The system may give no memory for the marks of one package when the file is
// gone. What is called until it does is known nevertheless.
func TestMappedFileGoneHalfway(t *testing.T) {
	dir := t.TempDir()
	prog := newMappedProgram(&mappedArrays.halfway)
	pub, _ := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
	pub.begin()
	d := pub.data
	prog.call(1)
	if err := os.Remove(d.path()); err != nil {
		t.Fatal(err)
	}
	d.layout.pages[1].start++ // which mmap refuses
	pub.checkpoint()
	if d.attached != 2 || d.shared == nil {
		t.Fatalf("%d packages are mapped, want 2", d.attached)
	}
	for i := range 3 {
		prog.call(30*i + 2)
	}
	d.layout.pages[1].start--
	pub.checkpoint()
	got := readMarks(t, dir)
	for _, i := range []int{1, 2, 32, 62} {
		if !got[place(i)] {
			t.Errorf("function %d was called, and is not in the file", i)
		}
	}
	if d.attached != 3 {
		t.Errorf("%d packages are mapped, want 3", d.attached)
	}
}

// A program that the process starts has neither its file nor its lock.
func TestMappedNotInherited(t *testing.T) {
	prog := newMappedProgram(&mappedArrays.started)
	pub, _ := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+t.TempDir())
	pub.begin()
	other, err := os.OpenFile(pub.data.path(), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if lockFile(other) == nil {
		t.Fatal("the lock of a process that lives was to be had")
	}
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Wait()
	defer child.Process.Kill()
	pub.data.release()
	if err := lockFile(other); err != nil {
		t.Errorf("a child has the lock: %v", err)
	}
	if maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", child.Process.Pid)); err != nil || strings.Contains(string(maps), ".hits") {
		t.Errorf("a child has the file mapped (%v)", err)
	}
}

// TestKilled kills a process at random moments, between any two instructions of
// a sweep or elsewhere. Whatever it said that it called is in the file.
func TestKilled(t *testing.T) {
	if os.Getenv("HITRT_TEST_CALLS") != "" {
		callUntilKilled()
	}
	rounds := 200
	if testing.Short() {
		rounds = 20
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	for round := range rounds {
		dir := t.TempDir()
		cmd := exec.Command(self, "-test.run=^TestKilled$")
		cmd.Env = append(os.Environ(), "HITRT_TEST_CALLS=1", "SCAVENGER_DATA_DIR="+dir)
		var said lockedBuffer
		cmd.Stdout = &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for said.String() == "" {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(rand.IntN(20_000)) * time.Microsecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		called := readMarks(t, dir)
		for line := range strings.Lines(said.String()) {
			var i int
			if _, err := fmt.Sscanf(line, "called %d\n", &i); err != nil {
				t.Fatalf("round %d: the process said %q", round, line)
			}
			calls++
			if !called[place(i)] {
				t.Fatalf("round %d: function %d was called, and is not in the file", round, i)
			}
		}
	}
	t.Logf("killed %d times, %d calls, none lost", rounds, calls)
}

// callUntilKilled calls one function after the other, says so, and sweeps
// without pause meanwhile.
func callUntilKilled() {
	prog := newMappedProgram(&mappedArrays.killed)
	set := loadSettings(prog, os.LookupEnv)
	pub := newPublisher(prog, set)
	pub.begin()
	go func() {
		for {
			pub.sweep()
		}
	}()
	for _, i := range rand.Perm(90) {
		prog.call(i)
		_, _ = fmt.Fprintf(os.Stdout, "called %d\n", i)
		time.Sleep(time.Duration(rand.IntN(300)) * time.Microsecond)
	}
	select {}
}
