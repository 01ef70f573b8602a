//go:build !nonetwork

// Tests of local files beside a collector.

package hitrt

import (
	"net/http"
	"testing"
)

// Both collector and files get every hit, also when a call to the collector hangs.
func TestDataFileBesideCollector(t *testing.T) {
	dir := newDataDir(t)
	fake, prog := newFake(), newProgram(10)
	server := serve(t, fake)
	prog.call(1)
	pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir, "SCAVENGER_SERVER_URL="+server.URL, "SCAVENGER_API_KEY="+testKey)
	go pub.run()
	waitFor(t, func() bool { _, _, err := readData(dir); return err == nil })
	prog.call(2)
	pub.exit()
	<-pub.done
	_, functions, err := readData(dir)
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return fake.invokedAt(prog.hashOf(2)) > 0 })
	for i := range 10 {
		inFile := functions[i].stamp > 0
		atCollector := fake.invokedAt(prog.hashOf(i)) > 0
		if want := i == 1 || i == 2; inFile != want || atCollector != want {
			t.Errorf("function %d: in file %v, at the collector %v, want %v", i, inFile, atCollector, want)
		}
	}
	if messages.String() != "" {
		t.Errorf("messages %q, want none", messages)
	}
}

func TestDataFileDuringCall(t *testing.T) {
	dir := newDataDir(t)
	fake, prog := newFake(), newProgram(10)
	called := make(chan struct{}, 100)
	fake.fault = func(_ http.ResponseWriter, r *http.Request, _ string) bool {
		called <- struct{}{}
		<-r.Context().Done()
		return true
	}
	pub, _ := newTestPublisher(prog, fake, toCollector("SCAVENGER_DATA_DIR="+dir, "SCAVENGER_SCHEDULER_INITIAL_DELAY_MILLIS=0")...)
	go pub.run()
	<-called
	prog.call(3)
	waitFor(t, func() bool {
		_, functions, err := readData(dir)
		return err == nil && functions[3].stamp > 0
	})
	pub.exit()
}

// The calls of a process of a large program are written before its functions are listed.
// If it ends in between, they are known once another process has listed them.
func TestDataFileListedLater(t *testing.T) {
	dir, prog := newDataDir(t), newProgram(3000)
	prog.call(3)
	pub, _ := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
	pub.prepare()
	pub.data.open()
	pub.checkpoint()
	if path := pub.data.store.Path(); !exists(path) || exists(pub.codebasePath()) {
		t.Errorf("hits file there: %v; codebase file there: %v", exists(path), exists(pub.codebasePath()))
	}
	for _, n := range []int{3000, 300} { // listed after the program starts, and before
		fake := newFake()
		second, messages := newTestPublisher(newProgram(n), fake, toCollector("SCAVENGER_DATA_DIR="+dir, "SCAVENGER_EXIT_TIMEOUT=1m")...)
		go second.run()
		<-second.ready
		if n == 300 && !exists(second.codebasePath()) {
			t.Error("a small program starts before its functions are listed")
		}
		second.exit()
		<-second.done
		if !exists(second.codebasePath()) {
			t.Error("the functions are not listed")
		}
		if n == 3000 {
			waitFor(t, func() bool { return fake.invokedAt(prog.hashOf(3)) > 0 })
		}
		if messages.String() != "" {
			t.Errorf("messages %q", messages)
		}
	}
}
