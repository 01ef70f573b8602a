//go:build !nonetwork

package hitrt

import (
	"strings"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/e2e/collector"
	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// A fleet is a number of processes of one program that have run for a while. All have the
// same phase, the worst case: they see a loss within seconds.
type fleet struct {
	*world
}

// newFleet starts processes that call so many functions each.
func newFleet(t *testing.T, processes int, prog *Program, called int) *fleet {
	t.Helper()
	f := &fleet{newWorld(t, collector.Options{})}
	first := f.start(prog)
	f.pass(time.Minute)
	if !first.exporter.complete {
		t.Fatalf("the codebase was not published: %s", first.log)
	}
	for range processes - 1 {
		copied := *prog
		copied.Packages = append([]Package(nil), prog.Packages...)
		for i := range copied.Packages {
			copied.Packages[i].Marks = bytesOf(make([]uint64, (len(copied.Packages[i].Marks)+7)/8))
		}
		// As if it had published, too: that of each is what a deploy costs, and not of
		// interest here.
		e := f.start(&copied).exporter
		e.fingerprint, e.repair.size, e.repair.sent, e.repair.rounds = first.exporter.fingerprint, first.exporter.repair.size, true, 10
		e.completed(f.now)
	}
	first.exporter.repair.rounds = 10
	first.exporter.completed(f.now)
	for i, in := range f.living {
		for j := range called {
			f.call(in, (i+j*7)%(30*len(prog.Packages)))
		}
	}
	f.pass(50 * time.Minute)
	for _, in := range f.living {
		if !in.exporter.repair.grew {
			t.Fatalf("the interval has not grown: %s", in.log)
		}
	}
	return f
}

// restart restarts the collector just before all processes poll. It takes a minute.
func (f *fleet) restart(inMemory bool) {
	f.t.Helper()
	for poll := &f.living[len(f.living)-1].exporter.poll; !poll.due(f.now.Add(2 * step)); {
		f.pass(step)
	}
	f.fail(true)
	f.pass(time.Minute)
	f.c.Restart(inMemory)
	f.fail(false)
}

// largeProgram returns a program with n functions whose signatures are long.
func largeProgram(n int) *Program {
	prog := newProgram(n)
	for i := range prog.Packages {
		p := &prog.Packages[i]
		p.Entries = strings.ReplaceAll(p.Entries, "context.Context", strings.Repeat("example.com/types.Long", 30))
	}
	return prog
}

// repairs lets the collector lose what it has, and returns the traffic of the hour since,
// and how long it took until it showed what is so.
func (f *fleet) repairs(inMemory bool) (traffic, time.Duration) {
	f.t.Helper()
	f.restart(inMemory)
	f.traffic = traffic{}
	began := f.now
	took := f.repaired(time.Hour, time.Minute)
	f.pass(time.Hour - f.now.Sub(began))
	if wrong := f.wrong(); wrong != nil {
		f.t.Errorf("%v", wrong)
	}
	f.check()
	f.t.Logf("%d processes, codebase of %.1f MB, restarted %s: repaired in %v; %v", len(f.living), float64(f.living[0].exporter.repair.size)/1e6,
		map[bool]string{true: "in memory", false: "with its database"}[inMemory], took, f.traffic)
	return f.traffic, took
}

// The collector of a fleet restarts. With its database it is sent no codebase. Without,
// it has one of each process, over some time: they are small.
func TestRepairFleet(t *testing.T) {
	testFleets(t, 20)
}

// The same with a thousand processes, and with a large codebase, which few of them send.
func TestHeavyRepairFleet(t *testing.T) {
	program.Heavy(t)
	testFleets(t, 1000)
	f := newFleet(t, 1000, largeProgram(5000), 200)
	got, took := f.repairs(true)
	if f.living[0].exporter.repair.size <= sharedSize {
		t.Fatal("not as large as it should be")
	}
	if got.codebases > 60 || took > 55*time.Minute {
		t.Errorf("%d of 1,000 processes sent a large codebase, and the repair took %v", got.codebases, took)
	}
	var claims int
	for _, state := range f.c.Tables().Jvms {
		if state.Hostname == claimHost {
			claims++
		}
	}
	if claims != 1 {
		t.Errorf("%d claims, want 1", claims)
	}
	f.living = f.living[:2]
	f.pass(2 * time.Hour)
	for _, state := range f.c.Tables().Jvms {
		if state.Hostname == claimHost {
			t.Error("the claim is still shown two hours later")
		}
	}
}

func testFleets(t *testing.T, processes int) {
	for _, inMemory := range []bool{false, true} {
		f := newFleet(t, processes, newProgram(300), 60)
		size := f.living[0].exporter.repair.size
		got, took := f.repairs(inMemory)
		want := 0
		if inMemory {
			want = processes
		}
		if got.codebases < want || got.codebases > 4*want { // and again after 10, 20 and 40 minutes
			t.Errorf("in memory: %t: %d codebases, want about %d", inMemory, got.codebases, want)
		}
		if atMost := processes * (size + 2*hitSize*60) / 2; got.peak > max(atMost, 20*size) {
			t.Errorf("in memory: %t: %d bytes in %v, want at most %d", inMemory, got.peak, step, atMost)
		}
		if took > 25*time.Minute {
			t.Errorf("in memory: %t: repaired after %v", inMemory, took)
		}
		told := 0
		for _, in := range f.living {
			if strings.Contains(in.log.String(), "sent again") {
				told++
			}
		}
		if told < processes/2 || inMemory && told < processes { // some had polled just before
			t.Errorf("in memory: %t: %d of %d processes say that they sent something again", inMemory, told, processes)
		}
	}
}
