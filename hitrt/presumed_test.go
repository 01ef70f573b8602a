//go:build go1.25 && !nonetwork

// Functions without marks, whose calls an earlier build has proved.

package hitrt

import (
	"testing"
	"testing/synctest"
	"time"
)

// The collector gets presumed calls with their own time, after the codebase, and again when
// it may have forgotten them. It gets none of other functions.
func TestPresumedToCollector(t *testing.T) {
	bubble(t, func(t *testing.T) {
		fake, prog := newFake(), newProgram(70)
		week, hour := time.Now().Add(-7*24*time.Hour), time.Now().Add(-time.Hour)
		prog.presume(week, 3, 35)
		prog.presume(hour, 61)
		pub, messages := newTestPublisher(prog, fake, toCollector()...)
		began := time.Now()
		prog.call(5)
		go pub.run()
		time.Sleep(30 * time.Minute)
		check := func(when string) {
			t.Helper()
			want := map[int]int64{3: week.UnixMilli(), 35: week.UnixMilli(), 61: hour.UnixMilli(), 5: began.UnixMilli(), 4: 0}
			for i, at := range want {
				if got := fake.invokedAt(prog.hashOf(i)); got != at {
					t.Errorf("%s: function %d was invoked at %d, want %d", when, i, got, at)
				}
			}
		}
		check("after half an hour")
		fake.mu.Lock()
		clear(fake.rows) // somebody deletes the application on the web page
		clear(fake.methods)
		clear(fake.fingerprints)
		fake.mu.Unlock()
		time.Sleep(25 * time.Hour)
		check("after a day")
		pub.exit()
		<-pub.done
		synctest.Wait()
		if messages.String() != "" {
			t.Errorf("messages %q, want none", messages)
		}
	})
}

// A process that ends before the first tick sends them too.
func TestPresumedAtExit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		fake, prog := newFake(), newProgram(10)
		hour := time.Now().Add(-time.Hour)
		prog.presume(hour, 3)
		pub, _ := newTestPublisher(prog, fake, toCollector()...)
		go pub.run()
		time.Sleep(time.Second)
		pub.exit()
		<-pub.done
		synctest.Wait()
		if got := fake.invokedAt(prog.hashOf(3)); got != hour.UnixMilli() {
			t.Errorf("invoked at %d, want %d", got, hour.UnixMilli())
		}
	})
}

// Local files have presumed calls with their own time, from the first write on, and the list
// of functions names the evidence. Other evidence makes another list. What is published from
// there is the same.
func TestPresumedInFiles(t *testing.T) {
	clearVariables(t)
	dir := newDataDir(t)
	week := time.Now().Add(-7 * 24 * time.Hour).Truncate(time.Second)
	prog := newProgram(70)
	prog.presume(week, 3, 35)
	inOrder(&prog.Packages[1])
	pub, _ := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
	prog.call(5)
	pub.begin()
	defer pub.die()
	_, functions, err := readData(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range functions {
		presumed := f.Hash == prog.hashOf(3) || f.Hash == prog.hashOf(35)
		switch {
		case presumed != (f.Presumed == week.UnixMilli()), presumed != (f.Evidence == "report.json"), presumed != (f.stamp == week.UnixMilli()):
			t.Errorf("%+v is presumed: %v", f, presumed)
		case !presumed && (f.stamp != 0) != (f.Hash == prog.hashOf(5)), f.Presumed != 0 && !presumed:
			t.Errorf("%+v", f)
		}
	}
	other := newProgram(70)
	other.presume(week.Add(time.Second), 3, 35)
	inOrder(&other.Packages[1])
	if dataFingerprint(other, "<default>") == dataFingerprint(prog, "<default>") {
		t.Error("other evidence has the same list of functions")
	}
	fake := newFake()
	text := publishDir(t, serve(t, fake).URL, directory{path: dir})
	for i, at := range map[int]int64{3: week.UnixMilli(), 35: week.UnixMilli(), 4: 0} {
		if got := fake.invokedAt(prog.hashOf(i)); got != at {
			t.Errorf("function %d was invoked at %d, want %d\n%s", i, got, at, text)
		}
	}
}

// If a process is killed before it wrote anything, its hits file has no presumed calls. The
// list of functions has them.
func TestPresumedNotInFile(t *testing.T) {
	clearVariables(t)
	dir := newDataDir(t)
	week := time.Now().Add(-7 * 24 * time.Hour).Truncate(time.Second)
	prog := newProgram(70)
	prog.presume(week, 3, 35)
	pub, _ := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
	prog.call(5)
	pub.prepare()
	clear(pub.data.last)
	clear(pub.data.again)
	pub.data.open()
	defer pub.die()
	pub.checkpoint()
	pub.data.list(pub.now())
	if _, functions, err := readData(dir); err != nil || functions[3].stamp != 0 || functions[3].Presumed == 0 {
		t.Fatalf("%v, %+v", err, functions)
	}
	fake := newFake()
	text := publishDir(t, serve(t, fake).URL, directory{path: dir})
	for i, at := range map[int]int64{3: week.UnixMilli(), 35: week.UnixMilli(), 4: 0} {
		if got := fake.invokedAt(prog.hashOf(i)); got != at {
			t.Errorf("function %d was invoked at %d, want %d\n%s", i, got, at, text)
		}
	}
}
