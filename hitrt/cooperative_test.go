package hitrt

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

func TestIsCooperative(t *testing.T) {
	for godebug, want := range map[string]bool{
		"":                                    false,
		"asyncpreemptoff=1":                   true,
		"asyncpreemptoff=0":                   false,
		"gctrace=1,asyncpreemptoff=1":         true,
		"asyncpreemptoff=1,asyncpreemptoff=0": false,
		"xasyncpreemptoff=1":                  false,
	} {
		if got := isCooperative(godebug); got != want {
			t.Errorf("%q: %v, want %v", godebug, got, want)
		}
	}
}

// A program without preemption ends although goroutines spin on all processors; without
// such goroutines its hits are in the file when it has ended. Where other programs keep a
// processor from it for 10 ms, the runtime asks main itself to yield, and then it never
// ends, as it may without us: on a busy machine nothing is said if no attempt ends.
func TestHeavyExitCooperative(t *testing.T) {
	program.Heavy(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const attempts = 12 // each ends soon or never
	for _, test := range []struct{ processors, spin string }{
		{"1", "0"}, {"2", "0"}, {"1", "1"}, {"1", "4"}, {"2", "1"}, {"2", "2"}, {"2", "8"}, {"4", "4"},
	} {
		t.Run(test.processors+"_"+test.spin, func(t *testing.T) {
			dir := t.TempDir()
			run := func() (ended bool) {
				ctx, cancel := context.WithTimeout(t.Context(), hang/attempts)
				defer cancel()
				cmd := exec.CommandContext(ctx, self)
				cmd.Dir = dir
				cmd.Env = append(os.Environ(), "GODEBUG=asyncpreemptoff=1", "GOMAXPROCS="+test.processors, "HITRT_TEST_SPIN="+test.spin)
				if test.spin == "0" {
					cmd.Env = append(cmd.Env, "SCAVENGER_DATA_DIR="+dir)
				} else { // which takes the publisher longest
					cmd.Env = append(cmd.Env, "SCAVENGER_SERVER_URL=http://127.0.0.1:1", "SCAVENGER_API_KEY="+testKey, "SCAVENGER_EXIT_TIMEOUT=500ms", "XDG_STATE_HOME="+dir)
				}
				out, err := cmd.CombinedOutput()
				if err != nil && ctx.Err() == nil {
					t.Fatalf("%v\n%s", err, out)
				}
				return ctx.Err() == nil
			}
			ended := false
			for attempt := 0; attempt < attempts && !ended; attempt++ {
				ended = run()
			}
			if !ended && isBusy() {
				t.Skip("other programs keep the processors")
			}
			if !ended {
				t.Fatal("the program did not end")
			}
			if test.spin == "0" {
				_, functions, err := readData(dir)
				if err != nil || !slices.ContainsFunc(functions, func(f dataFunction) bool { return f.stamp > 1 }) {
					t.Errorf("the hit is not in the file (%v)", err)
				}
			}
		})
	}
}

// isBusy reports whether others want more processors than there are, as far as the system
// says it.
func isBusy() bool {
	text, err := os.ReadFile("/proc/loadavg")
	var load float64
	if _, scanErr := fmt.Sscan(string(text), &load); err != nil || scanErr != nil {
		return false
	}
	return load > float64(runtime.NumCPU())
}

// The program runs before testing has goroutines of its own.
func init() {
	if spin := os.Getenv("HITRT_TEST_SPIN"); spin != "" {
		exitSpinning(spin)
	}
}

// exitSpinning is a program that leaves goroutines behind which never yield.
func exitSpinning(spin string) {
	prog := newProgram(30)
	prog.call(3)
	pub := newPublisher(prog, loadSettings(prog, os.LookupEnv))
	go pub.run()
	if pub.set.dataDir != "" {
		pub.waitFor(pub.ready, startTimeout)
	}
	var n int
	if _, err := fmt.Sscan(spin, &n); err != nil {
		panic(err)
	}
	for range n {
		go func() {
			for i := 0; i >= 0; i ^= 2 { // no call, so no place to yield
			}
		}()
	}
	pub.exit()
	os.Exit(0)
}
