// Tests with files that are being written.

package report

import (
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// Reading while processes start and record calls: no damage is seen, and what was
// called before the reading began is called.
func TestReadWhileWriting(t *testing.T) {
	dir := t.TempDir()
	var functions []testFunc
	for i := range 3000 {
		functions = append(functions, fn(fmt.Sprintf("store.F%d", i), "store.go", i+1))
	}
	p := testProcess{id: "0", app: "shop", started: at(1)}
	leave(t, dir, "a", functions, p)
	shop := store(dir, "a", functions, p)

	var written atomic.Int64
	round := make(chan bool, 1) // the reader has begun another one
	var writer sync.WaitGroup
	writer.Add(1)
	go func() {
		defer writer.Done()
		for i := range functions {
			u := &datafile.Update{Process: p.record(), Calls: func(yield func(int, int64) bool) { yield(i, at(2).UnixMilli()) }}
			if _, err := shop.Update(u); err != nil {
				t.Error(err)
				return
			}
			written.Store(int64(i) + 1)
			if i%1000 == 500 {
				<-round // so that the reader sees several states, however slow it is
			}
			if i%100 == 0 {
				// Another build starts: its codebase appears, then its hits.
				id := fmt.Sprintf("n%d", i)
				leave(t, dir, id, functions[:5], testProcess{id: id, app: id, started: at(1)})
				time.Sleep(2 * time.Millisecond) // for the reader to see many states
			}
		}
	}()
	rounds := 0
	for done := false; !done; rounds++ {
		select {
		case round <- true:
		default:
		}
		before := int(written.Load())
		done = before == len(functions)
		called := 0
		for _, f := range mustRead(t, dir).Functions {
			if f.Status == Called {
				called++
			}
		}
		if called < before {
			t.Fatalf("%d functions called, want at least the %d before the reading", called, before)
		}
	}
	writer.Wait()
	if rounds < 3 {
		t.Errorf("only %d rounds of reading: nothing was tested", rounds)
	}
}

// A process may end while its file is read. If its record is there, all that it called is.
func TestRecordsBeforeCalls(t *testing.T) {
	dir := t.TempDir()
	var functions []testFunc
	for i := range 40_000 { // more than is read at once
		functions = append(functions, fn(fmt.Sprintf("store.F%d", i), "store.go", i+1))
	}
	p := testProcess{id: "first", app: "shop", started: at(1)}
	leave(t, dir, "a", functions, p)
	shop := store(dir, "a", functions, p)
	var stop atomic.Bool
	var writer sync.WaitGroup
	writer.Add(1)
	go func() {
		defer writer.Done()
		for i := 0; i < len(functions) && !stop.Load(); i++ {
			p := testProcess{id: fmt.Sprint(i), started: at(1)}
			u := &datafile.Update{Process: p.record(), Calls: func(yield func(int, int64) bool) { yield(i, at(2).UnixMilli()) }}
			if _, err := shop.Update(u); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	d := newData(dir, at(20), thisBoot)
	processes := 0
	for round := 0; (round < 250 || processes < 10) && !t.Failed(); round++ { // it must get on
		d.files = nil
		d.addFile(filepath.Base(shop.Path()))
		f, called := &d.files[0], 0
		for i, at := range f.c.last {
			if at != 0 {
				called++
			}
			f.c.last[i] = 0
		}
		// But the first one, and one that is read as it moves to the sums.
		processes = int(f.sums.Processes) + len(f.list)
		if n := processes - 2; called < n {
			t.Errorf("%d functions are called by %d processes that called one each", called, n)
			break
		}
	}
	stop.Store(true)
	writer.Wait()
}

// A stamp that looks damaged may be one that is written at this moment. Where records are read
// again, what the earlier reading of the stamps said does not count.
func TestStampsCountOnce(t *testing.T) {
	dir := t.TempDir()
	functions := []testFunc{fn("store.Open", "store.go", 1), fn("store.Shut", "store.go", 2)}
	p := testProcess{id: "1", app: "shop"}
	if _, err := store(dir, "a", functions, p).Update(&datafile.Update{Calls: func(yield func(int, int64) bool) { yield(0, at(2).UnixMilli()) }}); err != nil {
		t.Fatal(err)
	}
	damageStamp(t, dir, "a", functions, p, 1)
	path := store(dir, "a", functions, p).Path()
	r, err := datafile.OpenHits(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var states []datafile.State
	f := newHitsFile(path, r, &codebase{})
	_, err = f.read(r, at(20).UnixMilli(), func(_ int, _ int64, state datafile.State) { states = append(states, state) })
	if want := []datafile.State{datafile.Unsent, datafile.Damaged}; err == nil || !slices.Equal(states, want) {
		t.Errorf("read stamps in the states %v (%v), want %v and that one is damaged", states, err, want)
	}
}
