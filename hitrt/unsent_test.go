//go:build go1.25 && unix && !nonetwork

package hitrt

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// newHome returns a home directory as most people have one.
func newHome(t *testing.T) string {
	t.Helper()
	home := filepath.Join(t.TempDir(), "home")
	if err := os.Mkdir(home, 0o755); err != nil {
		t.Fatal(err)
	}
	return home
}

// stateIn is where what could not be sent is saved below a home directory.
func stateIn(home string) string { return filepath.Join(home, ".local", "state", "scavenger-wrap") }

// savedIn returns the paths of unsent files in a directory, and what is in them.
func savedIn(t *testing.T, dir string) (paths []string, calls []datafile.UnsentCall) {
	t.Helper()
	paths, _ = filepath.Glob(filepath.Join(dir, "*.unsent"))
	for _, path := range paths {
		more, err := (&datafile.UnsentFile{Path: path}).Read()
		if err != nil {
			t.Fatal(err)
		}
		calls = append(calls, more...)
	}
	return paths, calls
}

// below returns the paths of all that is below a directory.
func below(t *testing.T, dir string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if path != dir {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// run is the life of a process: it calls functions of newProgram, lives for a while, and
// ends. It returns what it logged.
func run(prog *Program, fake *fakeCollector, life time.Duration, calls []int, variables ...string) string {
	pub, messages := newTestPublisher(prog, fake, toCollector(variables...)...)
	go pub.run()
	for _, i := range calls {
		prog.call(i)
	}
	time.Sleep(life)
	pub.exit()
	<-pub.done
	return messages.String()
}

// collectorFaults are ways in which a collector does not take what a process sends.
var collectorFaults = map[string]func(w http.ResponseWriter, r *http.Request, method string) bool{
	"hangs": func(_ http.ResponseWriter, r *http.Request, _ string) bool {
		<-r.Context().Done()
		return true
	},
	"hangs after the poll": func(_ http.ResponseWriter, r *http.Request, method string) bool {
		if method == "initConfig" || method == methodPoll {
			return false
		}
		<-r.Context().Done()
		return true
	},
	"is slow": func(_ http.ResponseWriter, r *http.Request, _ string) bool {
		select {
		case <-r.Context().Done():
			return true
		case <-time.After(1100 * time.Millisecond):
			return false
		}
	},
	"is not available": func(w http.ResponseWriter, _ *http.Request, method string) bool {
		if method == "initConfig" {
			w.WriteHeader(http.StatusServiceUnavailable)
		} else {
			grpcStatus(w, 14)
		}
		return true
	},
	"accepts no hits": func(w http.ResponseWriter, _ *http.Request, method string) bool {
		if method == methodInvocations {
			grpcStatus(w, 14)
		}
		return method == methodInvocations
	},
}

// What a process could not send when it ended, one of the next build sends, with its
// time, and the one after that once more. Then nothing of it is left.
func TestUnsent(t *testing.T) {
	for name, fault := range collectorFaults {
		for _, life := range []time.Duration{0, 15 * time.Second, time.Hour} {
			if name == "is slow" && life == time.Hour {
				continue // it has got all by then
			}
			bubble(t, func(t *testing.T) {
				home, fake := newHome(t), newFake()
				fake.fault = fault
				first, last := newProgram(90), newProgram(60)
				began := time.Now()
				run(first, fake, life, []int{3, 80}, "HOME="+home)
				ended := time.Now()
				paths, calls := savedIn(t, stateIn(home))
				if len(paths) != 1 || len(calls) != 2 {
					t.Fatalf("%s, life %v: saved %v in %q, want two calls in one file", name, life, calls, paths)
				}
				for _, c := range calls {
					if c.At < began.UnixMilli() || c.At > ended.UnixMilli() {
						t.Errorf("%s, life %v: time %d, want %d to %d", name, life, c.At, began.UnixMilli(), ended.UnixMilli())
					}
				}
				time.Sleep(time.Hour)
				fake.setFault(nil)
				run(last, fake, 0, []int{5}, "HOME="+home)
				time.Sleep(time.Minute)
				for _, i := range []int{3, 80} {
					fake.mu.Lock()
					at := fake.rows[first.hashOf(i)]
					fake.mu.Unlock()
					if at < began.Truncate(time.Second).UnixMilli() || at > ended.UnixMilli() {
						t.Errorf("%s, life %v: function %d was invoked at %d, want %d to %d", name, life, i, at, began.UnixMilli(), ended.UnixMilli())
					}
				}
				if _, calls := savedIn(t, stateIn(home)); slices.ContainsFunc(calls, func(c datafile.UnsentCall) bool { return c.State != datafile.Once }) {
					t.Errorf("%s, life %v: saved %v, want all to be accepted once", name, life, calls)
				}
				run(last, fake, 0, []int{5}, "HOME="+home)
				if paths, _ := savedIn(t, stateIn(home)); len(paths) > 0 {
					t.Errorf("%s, life %v: %q is left", name, life, paths)
				}
			})
		}
	}
}

// A process that lives sends it twice, and does not look for it all the time.
func TestUnsentLiving(t *testing.T) {
	bubble(t, func(t *testing.T) {
		home, fake, prog := newHome(t), newFake(), newProgram(60)
		fake.fault = collectorFaults["hangs"]
		for _, i := range []int{3, 4, 4} {
			run(prog, fake, 0, []int{i}, "HOME="+home)
		}
		fake.setFault(nil)
		pub, messages := newTestPublisher(prog, fake, toCollector("HOME="+home)...)
		go pub.run()
		time.Sleep(time.Hour)
		for _, i := range []int{3, 4} {
			if n := pub.orphanSends(fake, prog.hashOf(i)); n != 2 {
				t.Errorf("function %d was sent %d times, want 2", i, n)
			}
			if fake.invokedAt(prog.hashOf(i)) <= 0 {
				t.Errorf("function %d was not invoked", i)
			}
		}
		if paths, _ := savedIn(t, stateIn(home)); len(paths) > 0 {
			t.Errorf("%q is left", paths)
		}
		// What others leave while it runs, it sends as well.
		fake.fault = collectorFaults["hangs"]
		run(newProgram(60), fake, 0, []int{7}, "HOME="+home)
		fake.setFault(nil)
		time.Sleep(time.Hour)
		if paths, _ := savedIn(t, stateIn(home)); len(paths) > 0 || fake.invokedAt(prog.hashOf(7)) <= 0 {
			t.Errorf("%q is left, function 7 was invoked at %d", paths, fake.invokedAt(prog.hashOf(7)))
		}
		if strings.Contains(messages.String(), home) {
			t.Errorf("messages %q", messages)
		}
		pub.exit()
		<-pub.done
	})
}

// sendOnceAndExit runs a program until the collector accepted a call once, and ends it while
// the collector hangs.
func (p *publisher) sendOnceAndExit(t *testing.T, fake *fakeCollector, prog *Program) {
	t.Helper()
	go p.run()
	prog.call(3)
	time.Sleep(30 * time.Second) // codebase and first publication
	if p.orphanSends(fake, prog.hashOf(3)) != 1 {
		t.Fatal("the call was not sent once")
	}
	fake.setFault(collectorFaults["hangs"])
	p.exit()
	<-p.done
}

// What the collector accepted once, and could not be sent again, is saved too: it may have
// lost it.
func TestUnsentOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		home, fake, prog := newHome(t), newFake(), newProgram(60)
		fake.crashed = func(call fakeCall) bool { return call.method == methodInvocations }
		pub, _ := newTestPublisher(prog, fake, toCollector("HOME="+home)...)
		pub.sendOnceAndExit(t, fake, prog)
		if _, calls := savedIn(t, stateIn(home)); len(calls) != 1 || calls[0].State != datafile.Once {
			t.Fatalf("saved %v, want one call that was accepted once", calls)
		}
		fake.setFault(nil)
		run(newProgram(60), fake, 0, nil, "HOME="+home)
		time.Sleep(time.Minute)
		if paths, _ := savedIn(t, stateIn(home)); len(paths) > 0 || fake.invokedAt(prog.hashOf(3)) <= 0 {
			t.Errorf("%q is left, function 3 was invoked at %d", paths, fake.invokedAt(prog.hashOf(3)))
		}
	})
}

// Of another application, environment, key or collector nothing is sent.
func TestUnsentOfOthers(t *testing.T) {
	for _, other := range []string{"SCAVENGER_APP_NAME=other", "SCAVENGER_ENVIRONMENT=other", "SCAVENGER_SERVER_URL=http://other", "SCAVENGER_API_KEY=other"} {
		bubble(t, func(t *testing.T) {
			home, fake, prog := newHome(t), newFake(), newProgram(60)
			fake.fault = collectorFaults["hangs"]
			pub, _ := newTestPublisher(prog, fake, append([]string{other}, toCollector("HOME="+home)...)...)
			go pub.run()
			prog.call(3)
			pub.exit()
			<-pub.done
			if _, calls := savedIn(t, stateIn(home)); len(calls) != 1 {
				t.Fatalf("saved %v, want one call", calls)
			}
			fake.setFault(nil)
			run(newProgram(60), fake, 0, nil, "HOME="+home)
			if _, calls := savedIn(t, stateIn(home)); len(calls) != 1 || calls[0].State != datafile.Unsent {
				t.Errorf("%s: saved %v, want one call that was not sent", other, calls)
			}
			time.Sleep(time.Minute)
			if fake.invokedAt(prog.hashOf(3)) > 0 {
				t.Errorf("%s: its call was sent", other)
			}
		})
	}
}

// Nothing is written if the collector takes all, if it does not know the key, if nothing
// was called, if dataDir has it, or if that is not wanted.
func TestUnsentNothing(t *testing.T) {
	for name, test := range map[string]struct {
		calls    []int
		fault    func(w http.ResponseWriter, r *http.Request, method string) bool
		variable string
		want     bool
	}{
		"collector is well": {[]int{3}, nil, "", false},
		"key is unknown": {[]int{3}, func(w http.ResponseWriter, _ *http.Request, method string) bool {
			if method != "initConfig" {
				grpcStatus(w, 16)
			}
			return method != "initConfig"
		}, "", false},
		"nothing was called":          {nil, collectorFaults["hangs"], "", false},
		"switched off":                {[]int{3}, collectorFaults["hangs"], "SCAVENGER_SAVE_UNSENT=false", false},
		"dataDir":                     {[]int{3}, collectorFaults["hangs"], "SCAVENGER_DATA_DIR=", false},
		"dataDir that cannot be made": {[]int{3}, collectorFaults["hangs"], "SCAVENGER_DATA_DIR=/dev/null/x", true},
		"no time":                     {[]int{3}, nil, "SCAVENGER_EXIT_TIMEOUT=0", true},
	} {
		bubble(t, func(t *testing.T) {
			home, fake := newHome(t), newFake()
			fake.fault = test.fault
			variable := test.variable
			if variable == "SCAVENGER_DATA_DIR=" {
				variable += newDataDir(t)
			}
			began := time.Now()
			said := run(newProgram(60), fake, 0, test.calls, "HOME="+home, variable)
			if strings.Contains(said, "internal error") {
				t.Errorf("%s: it says %s", name, said)
			}
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("%s: the exit took %v", name, took)
			}
			if got := below(t, home); len(got) > 0 != test.want {
				t.Errorf("%s: there is %q, want something: %v", name, got, test.want)
			}
		})
	}
}

// The time of a call is that of its recording interval, however much later it is saved
// and sent.
func TestUnsentTimes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		home, fake, prog := newHome(t), newFake(), newProgram(60)
		fake.fault = collectorFaults["is not available"]
		pub, _ := newTestPublisher(prog, fake, toCollector("HOME="+home)...)
		go pub.run()
		prog.call(3)
		at := time.Now()
		time.Sleep(50 * time.Hour)
		prog.call(4)
		pub.exit()
		<-pub.done
		time.Sleep(100 * time.Hour)
		fake.setFault(nil)
		run(newProgram(60), fake, 0, nil, "HOME="+home)
		time.Sleep(time.Minute)
		for i, want := range map[int]time.Time{3: at, 4: at.Add(50 * time.Hour)} {
			got := time.UnixMilli(fake.invokedAt(prog.hashOf(i)))
			if early := want.Sub(got); early > longestInterval || early < -24*time.Hour || got.After(time.Now().Add(-100*time.Hour)) {
				t.Errorf("function %d was invoked at %v, want %v", i, got, want)
			}
		}
	})
}
