//go:build (darwin || dragonfly || freebsd || linux || netbsd || openbsd) && !nonetwork

package datafile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

const someTime = 1_700_000_000_000

// hashNumber returns a hash that looks as random as a real one.
func hashNumber(i int) (hash [16]byte) {
	sum := sum256(binary.LittleEndian.AppendUint64(nil, uint64(i)))
	copy(hash[:], sum[:])
	return hash
}

func newUnsent(t *testing.T) *UnsentFile {
	t.Helper()
	return &UnsentFile{Path: filepath.Join(t.TempDir(), UnsentName("x")), Wait: time.Minute}
}

// addCalls adds calls of some functions at a time.
func addCalls(t *testing.T, o *UnsentFile, at int64, state State, functions ...int) {
	t.Helper()
	var calls []UnsentCall
	for _, i := range functions {
		calls = append(calls, UnsentCall{hashNumber(i), at, state})
	}
	if err := o.Add(calls); err != nil {
		t.Fatal(err)
	}
}

func readCalls(t *testing.T, o *UnsentFile) map[[16]byte]UnsentCall {
	t.Helper()
	calls, err := o.Read()
	if err != nil {
		t.Fatal(err)
	}
	got := map[[16]byte]UnsentCall{}
	for _, c := range calls {
		got[c.Hash] = c
	}
	if len(got) != len(calls) {
		t.Errorf("%d calls of %d functions", len(calls), len(got))
	}
	return got
}

// A function is there once, with the time of its last call, until the collector has
// accepted that twice. What is called meanwhile stays.
func TestUnsentFile(t *testing.T) {
	o := newUnsent(t)
	addCalls(t, o, someTime, Unsent, 1, 2)
	addCalls(t, o, someTime-5, Unsent, 2, 3)
	addCalls(t, o, someTime+5, Once, 3)
	want := map[[16]byte]UnsentCall{
		hashNumber(1): {hashNumber(1), someTime, Unsent},
		hashNumber(2): {hashNumber(2), someTime, Unsent},
		hashNumber(3): {hashNumber(3), someTime + 5, Once},
	}
	if got := readCalls(t, o); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	info, err := os.Stat(o.Path)
	if err != nil || info.Size() != 8+3*24 || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	first, err := o.Read()
	if err != nil {
		t.Fatal(err)
	}
	addCalls(t, o, someTime+9, Unsent, 1)
	addCalls(t, o, someTime, Unsent, 4)
	for range 2 {
		if err := o.Accepted(first); err != nil {
			t.Fatal(err)
		}
	}
	want = map[[16]byte]UnsentCall{
		hashNumber(1): {hashNumber(1), someTime + 9, Unsent},
		hashNumber(2): {hashNumber(2), someTime, Once},
		hashNumber(4): {hashNumber(4), someTime, Unsent},
	}
	if got := readCalls(t, o); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for range 2 {
		calls, err := o.Read()
		if err != nil {
			t.Fatal(err)
		}
		if err := o.Accepted(calls); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(o.Path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is still there (%v)", err)
	}
	if err := o.Accepted(first); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Accepted without a file: %v", err)
	}
}

// Processes add calls while others send and remove them: each is sent, or still there.
func TestUnsentFileConcurrent(t *testing.T) {
	path := newUnsent(t).Path
	const processes, functions = 40, 30
	var adding, sending sync.WaitGroup
	var mu sync.Mutex
	sent, done := map[UnsentCall]bool{}, make(chan struct{})
	for range 3 {
		sending.Add(1)
		go func() {
			defer sending.Done()
			o := &UnsentFile{Path: path, Wait: time.Minute}
			for {
				calls, _ := o.Read()
				mu.Lock()
				for _, c := range calls {
					sent[UnsentCall{c.Hash, c.At, 0}] = true
				}
				mu.Unlock()
				if len(calls) > 0 {
					_ = o.Accepted(calls)
				}
				select {
				case <-done:
					return
				default:
				}
			}
		}()
	}
	for p := range processes {
		adding.Add(1)
		go func() {
			defer adding.Done()
			o := &UnsentFile{Path: path, Wait: time.Minute}
			for i := range functions { // each of this process alone
				call := UnsentCall{hashNumber(p*functions + i), someTime + int64(i), Unsent}
				if err := o.Add([]UnsentCall{call}); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	adding.Wait()
	close(done)
	sending.Wait()
	left, err := (&UnsentFile{Path: path}).Read()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, c := range left {
		sent[UnsentCall{c.Hash, c.At, 0}] = true
	}
	for p := range processes {
		for i := range functions {
			if !sent[UnsentCall{hashNumber(p*functions + i), someTime + int64(i), 0}] {
				t.Fatalf("call %d of process %d is lost", i, p)
			}
		}
	}
}

// Damage costs the calls that it hits: no time and no function is made up, and a file of
// which nothing is left to send can be added to and removed.
func TestUnsentFileDamage(t *testing.T) {
	o := newUnsent(t)
	functions := []int{1, 2, 3, 4, 5}
	addCalls(t, o, someTime, Unsent, functions...)
	whole, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, b []byte, least int) {
		t.Helper()
		if err := os.WriteFile(o.Path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		got := readCalls(t, o)
		for _, c := range got {
			known := slices.ContainsFunc(functions, func(i int) bool { return hashNumber(i) == c.Hash })
			if !known || c.At != someTime || c.State != Unsent {
				t.Errorf("%s: call %v was made up", what, c)
			}
		}
		if len(got) < least {
			t.Errorf("%s: %d calls, want %d or more", what, len(got), least)
		}
		addCalls(t, o, someTime, Unsent, functions...)
		if got := readCalls(t, o); len(got) != len(functions) {
			t.Errorf("%s: %d calls after all were added again", what, len(got))
		}
	}
	for at := range whole {
		for _, bit := range []int{at % 7, 7} {
			b := bytes.Clone(whole)
			b[at] ^= 1 << bit
			check(fmt.Sprintf("bit %d of byte %d", bit, at), b, len(functions)-1)
		}
	}
	for size := range whole {
		check(fmt.Sprintf("cut off after %d bytes", size), whole[:size], max(size-8, 0)/24)
	}
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 5000)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	check("noise after it", append(bytes.Clone(whole), noise[:1001]...), len(functions))
	check("zeros after it", append(bytes.Clone(whole), make([]byte, 4096)...), len(functions))
	calls, err := o.Read()
	if err != nil {
		t.Fatal(err)
	}
	for i := range calls {
		calls[i].State = Once
	}
	addCalls(t, o, someTime+1, Once, functions...)
	for i := range calls {
		calls[i].At++
	}
	if err := o.Accepted(calls); err != nil || exists(o.Path) {
		t.Errorf("the damaged file is still there (%v)", err)
	}
}

// Where a file cannot grow, what is in it stays. A new one has its mode whatever the umask.
func TestUnsentFileLimits(t *testing.T) {
	if path := os.Getenv("DATAFILE_TEST_FULL"); path != "" {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 100, Max: 100}); err != nil {
			t.Fatal(err)
		}
		syscall.Umask(0o777)
		addCalls(t, &UnsentFile{Path: path + ".new"}, someTime, Unsent, 1)
		o := &UnsentFile{Path: path}
		more := []UnsentCall{{hashNumber(1), someTime + 1, Unsent}, {hashNumber(8), someTime, Unsent}, {hashNumber(9), someTime, Unsent}}
		err := o.Add(more)
		if !errors.Is(err, syscall.EFBIG) && err != nil {
			t.Error(err)
		}
		fmt.Println("added:", err)
		return
	}
	o := newUnsent(t)
	addCalls(t, o, someTime, Unsent, 1, 2, 3)
	cmd := exec.Command(os.Args[0], "-test.run=^TestUnsentFileLimits$")
	cmd.Env = append(os.Environ(), "DATAFILE_TEST_FULL="+o.Path)
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("added:")) {
		t.Fatalf("%v\n%s", err, out)
	}
	if info, err := os.Stat(o.Path + ".new"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the new file: %v, %v", info, err)
	}
	got := readCalls(t, o)
	for i := 1; i <= 3; i++ {
		if c, ok := got[hashNumber(i)]; !ok || c.At < someTime {
			t.Errorf("function %d: %v", i, c)
		}
	}
	if len(got) > 4 {
		t.Errorf("%d calls in 100 bytes", len(got))
	}
}

// The files of applications that run no more go when another one is made.
func TestUnsentFileRoom(t *testing.T) {
	dir := t.TempDir()
	path := func(i int) string { return filepath.Join(dir, UnsentName(fmt.Sprint(i))) }
	write := func(i int, age time.Duration, size int64) {
		t.Helper()
		if err := os.WriteFile(path(i), []byte(unsentMagic), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path(i), size); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-age)
		if err := os.Chtimes(path(i), at, at); err != nil {
			t.Fatal(err)
		}
	}
	other := filepath.Join(dir, "other")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	left := func() (list []int) {
		for i := range 100 {
			if exists(path(i)) {
				list = append(list, i)
			}
		}
		return list
	}
	write(0, 366*24*time.Hour, 80)
	write(1, 364*24*time.Hour, 80)
	addCalls(t, &UnsentFile{Path: path(2)}, someTime, Unsent, 1)
	if got := left(); !slices.Equal(got, []int{1, 2}) {
		t.Errorf("after a year, %v are left, want 1 and 2", got)
	}
	for i := 2; i < 80; i++ {
		write(i, time.Duration(100-i)*time.Hour, 80)
	}
	addCalls(t, &UnsentFile{Path: path(80)}, someTime, Unsent, 1)
	if got := left(); len(got) != maxUnsentFiles || got[0] != 80-maxUnsentFiles+1 {
		t.Errorf("of many, %v are left", got)
	}
	for i := 70; i < 80; i++ {
		write(i, time.Duration(100-i)*time.Hour, 12<<20)
	}
	addCalls(t, &UnsentFile{Path: path(81)}, someTime, Unsent, 1)
	if got := left(); !slices.Equal(got, []int{75, 76, 77, 78, 79, 80, 81}) {
		t.Errorf("of large ones, %v are left", got)
	}
	// A file that is there is added to, whatever the others are.
	addCalls(t, &UnsentFile{Path: path(81)}, someTime, Unsent, 2)
	if got := left(); len(got) != 7 || !exists(other) {
		t.Errorf("%v are left", got)
	}
}

// A file that another process has locked for ever is not waited for.
func TestUnsentFileBusy(t *testing.T) {
	o := newUnsent(t)
	addCalls(t, o, someTime, Unsent, 1)
	file, err := o.open(0)
	if err != nil {
		t.Fatal(err)
	}
	defer release(file)
	o.Wait = time.Millisecond
	if err := o.Add([]UnsentCall{{hashNumber(2), someTime, Unsent}}); !errors.Is(err, ErrBusy) {
		t.Errorf("error %v, want %v", err, ErrBusy)
	}
	if got := readCalls(t, o); len(got) != 1 {
		t.Errorf("%d calls, want the one that was there", len(got))
	}
}
