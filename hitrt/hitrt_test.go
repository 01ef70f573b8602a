//go:build !nonetwork

package hitrt

import (
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// unregister undoes Register for the next test.
func unregister(t *testing.T) {
	t.Helper()
	if p := registered.Load(); p != nil {
		<-p.done
	}
	registered.Store(nil)
}

func clearVariables(t *testing.T) {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "SCAVENGER_") {
			t.Setenv(name, "")
		}
	}
}

// Without settings nothing happens, at the start and at exit.
func TestRegisterInert(t *testing.T) {
	clearVariables(t)
	t.Chdir(t.TempDir())
	prog := newProgram(100)
	prog.call(5)
	before := runtime.NumGoroutine()
	for _, baked := range []string{"", "{}", `{"apiKey":"k"}`, `{"serverUrl":"http://127.0.0.1:1"}`, `{"apiKey":"k","serverUrl":"http://c","enabled":"false"}`} {
		prog.Settings = baked
		if Register(prog) {
			t.Errorf("Register with settings %s is active", baked)
		}
	}
	if Register(nil) {
		t.Errorf("Register(nil) is active")
	}
	Exit()
	if after := runtime.NumGoroutine(); after != before {
		t.Errorf("%d goroutines, %d before", after, before)
	}
	if files, _ := os.ReadDir("."); len(files) != 0 {
		t.Errorf("files %v were written", files)
	}
	if prog.Packages[0].Marks[5] != 1 {
		t.Errorf("a mark was cleared")
	}
}

// The whole way, over a real port and into real files.
func TestRegister(t *testing.T) {
	clearVariables(t)
	fake, dir := newFake(), newDataDir(t)
	server := serve(t, fake)
	prog := newProgram(100)
	prog.Settings = `{"apiKey":"wrong","serverUrl":"` + server.URL + `","environment":"test"}`
	t.Setenv("SCAVENGER_API_KEY", testKey)
	t.Setenv("SCAVENGER_DATA_DIR", dir)
	defer unregister(t)
	if !Register(prog) {
		t.Fatal("Register is not active")
	}
	if Register(prog) {
		t.Errorf("a second Register is active")
	}
	prog.call(42)
	Exit() // how long it may take is in TestExitBounded
	Exit()
	if at := fake.invokedAt(prog.hashOf(42)); at <= 0 {
		t.Errorf("at the collector, function 42 was invoked at %d, want a time", at)
	}
	if _, functions, err := readData(dir); err != nil || functions[46].Name != "Func42" || functions[46].stamp == 0 {
		t.Errorf("in the files, function 42 is %+v, %v, want a stamp", functions, err)
	}
}

// The start costs the same for any number of functions: the least of many starts,
// as other processes may take the processor away in the middle of one.
func TestRegisterCost(t *testing.T) {
	clearVariables(t)
	prog := newProgram(100_000)
	prog.Settings = `{"apiKey":"k","serverUrl":"http://127.0.0.1:1","exitTimeout":"0"}`
	const want = 5 * time.Millisecond
	least := hang
	for i := 0; i < 100 && least > want; i++ {
		began := time.Now()
		active := Register(prog)
		least = min(least, time.Since(began))
		if !active {
			t.Fatal("Register is not active")
		}
		Exit()
		unregister(t)
	}
	if least > want {
		t.Errorf("Register takes %v, want at most %v", least, want)
	}
}

func BenchmarkRegister(b *testing.B) {
	prog := newProgram(100_000)
	prog.Settings = `{"apiKey":"k","serverUrl":"http://127.0.0.1:1"}`
	b.ReportAllocs()
	for b.Loop() {
		newPublisher(prog, loadSettings(prog, os.LookupEnv))
	}
}

// With a collector alone, the start costs nothing for each function, in time or in
// memory, until the first publication.
func TestStartIsFree(t *testing.T) {
	prog := newProgram(200_000)
	before := heap()
	pub, _ := newTestPublisher(prog, &sink{}, toCollector()...)
	pub.prepare()
	if now := heap(); now > before+256<<10 { // a number for each of its packages, of 30 functions
		t.Errorf("%d bytes are held for 200,000 functions", now-before)
	}
	prog.call(1)
	pub.exporter.endInterval()
	if pub.exporter.hits.unsent.count(0, pub.codebase.size) != 1 {
		t.Error("the call is not known")
	}
}
