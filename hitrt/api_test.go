//go:build !nonetwork

package hitrt

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAPIWithoutMarks(t *testing.T) {
	ctx := context.Background()
	dormant.Store(nil)
	for _, call := range []func() error{
		func() error { return Start(map[string]string{"dataDir": t.TempDir()}) },
		func() error { return Flush(ctx) },
		func() error { return Shutdown(ctx) },
	} {
		if err := call(); !errors.Is(err, errNoMarks) {
			t.Errorf("%v, want %v", err, errNoMarks)
		}
	}
}

// Start, Flush, Shutdown: over a real port and into real files.
func TestAPI(t *testing.T) {
	clearVariables(t)
	fake, dir, ctx := newFake(), newDataDir(t), context.Background()
	server, prog := serve(t, fake), newProgram(60)
	dormant.Store(nil)
	defer unregister(t)
	if Register(prog) {
		t.Fatal("Register is active without settings")
	}
	if err := Start(map[string]string{"appName": "mine"}); !errors.Is(err, errInert) {
		t.Errorf("Start without serverUrl and dataDir = %v, want %v", err, errInert)
	}
	prog.call(3)
	if err := Start(map[string]string{"serverUrl": server.URL, "apiKey": testKey, "dataDir": dir, "appName": "mine"}); err != nil {
		t.Fatal(err)
	}
	if err := Start(map[string]string{"dataDir": dir}); !errors.Is(err, errActive) {
		t.Errorf("second Start = %v, want %v", err, errActive)
	}
	for _, i := range []int{3, 4} {
		prog.call(i)
		if err := Flush(ctx); err != nil {
			t.Fatal(err)
		}
		waitFor(t, func() bool { return fake.invokedAt(prog.hashOf(i)) > 0 })
		if _, functions, err := readData(dir); err != nil || functions[i].stamp == 0 {
			t.Errorf("function %d is not in the files (%v)", i, err)
		}
	}
	if got := fake.got("SendInvocationDataPublication")[0].common.text(2); got != "mine" {
		t.Errorf("application %q, want mine", got)
	}
	prog.call(5)
	if err := Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return fake.invokedAt(prog.hashOf(5)) > 0 })
	if err := Flush(ctx); err == nil {
		t.Error("Flush after Shutdown reports success")
	}
}

// Neither waits longer than it is told to, and a failure is reported.
func TestAPIDown(t *testing.T) {
	clearVariables(t)
	dormant.Store(nil)
	defer unregister(t)
	Register(newProgram(60))
	if err := Start(map[string]string{"serverUrl": "http://127.0.0.1:1", "apiKey": testKey}); err != nil {
		t.Fatal(err)
	}
	if err := Flush(context.Background()); err == nil {
		t.Error("Flush to nowhere reports success")
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	began := time.Now()
	if err := Flush(ended); err == nil { // it may have been quicker than to look at ctx
		t.Errorf("Flush with a context that is done = %v", err)
	}
	if err := Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > hang {
		t.Errorf("took %v", took)
	}
}

// A key that a newer hitrt/api has is named and changes nothing.
func TestAPIUnknownKey(t *testing.T) {
	clearVariables(t)
	dormant.Store(nil)
	defer unregister(t)
	log := filepath.Join(t.TempDir(), "log")
	t.Setenv("SCAVENGER_LOG_FILE", log)
	Register(newProgram(60))
	if err := Start(map[string]string{"dataDir": newDataDir(t), "region": "north"}); err != nil {
		t.Fatal(err)
	}
	if err := Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(log); err != nil || strings.Count(string(text), "Start has a setting region,") != 1 {
		t.Errorf("the log says %q (%v)", text, err)
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int{"5MB": 5 << 20, "64 kb": 64 << 10, "1000000": 1_000_000, "70000B": 70_000,
		"1": maxMessage, "9999MB": maxMessage, "x": maxMessage, "-5MB": maxMessage, "5MB5": maxMessage, "": maxMessage} {
		s := loadSettings(&Program{}, environment("SCAVENGER_MAX_MESSAGE_SIZE="+text))
		if s.maxMessage != want || (len(s.problems) != 0) != (want == maxMessage && text != "") {
			t.Errorf("%q: %d, problems %q, want %d", text, s.maxMessage, s.problems, want)
		}
	}
}

// What cannot be written to dataDir is said by Flush, and is there once it can be.
func TestFlushWithoutRoom(t *testing.T) {
	dir := filepath.Join(newDataDir(t), "data")
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	prog := newProgram(10)
	pub, _ := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir, "SCAVENGER_MAPPING=none")
	pub.begin()
	defer pub.die()
	prog.call(3)
	if err := pub.flush(); err == nil || !strings.Contains(err.Error(), "dataDir") {
		t.Errorf("flush = %v, want an error about dataDir", err)
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := pub.flush(); err != nil || !slices.Contains(known(t, dir), true) {
		t.Errorf("flush = %v, known %v", err, known(t, dir))
	}
}
