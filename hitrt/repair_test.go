//go:build !nonetwork

package hitrt

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/e2e/collector"
	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// losses are the ways in which a collector loses what it has.
var losses = []struct {
	name string
	lose func(w *world)
}{
	{"wiped", func(w *world) { w.c.Wipe() }},
	{"application deleted", func(w *world) { w.c.DeleteApplication(collector.DemoKey, "shop") }},
	{"restored", func(w *world) {
		early := w.c.Backup()
		for i := 10; i < 20; i++ {
			w.call(w.living[0], i)
		}
		w.pass(time.Hour)
		w.fail(true)
		w.pass(25 * time.Minute)
		w.c.Restart(false)
		w.c.Restore(early)
		w.fail(false)
	}},
	{"restored from before the program", func(w *world) {
		empty := w.c.Backup()
		w.c.Wipe()
		w.c.Restore(empty)
		w.fail(true)
		w.pass(5 * time.Minute)
		w.c.Restart(true)
		w.fail(false)
	}},
	{"wiped, and then Flush", func(w *world) {
		w.c.Wipe()
		w.pass(time.Minute)
		if err := w.living[0].exporter.flush(); err != nil {
			w.t.Error(err)
		}
	}},
	{"restored after a day without the workspace", func(w *world) {
		early := w.c.Backup()
		w.c.Wipe()
		w.c.RemoveWorkspace(collector.DemoKey)
		w.call(w.living[0], 50)
		w.fail(true)
		w.pass(10 * time.Minute)
		w.fail(false)
		w.pass(24 * time.Hour)
		if n := strings.Count(w.living[0].log.String(), "no longer knows the api key 4c94…"); n != 1 {
			w.t.Errorf("%d lines about the key", n)
		}
		w.c.Restore(early)
		w.c.AddWorkspace(collector.DemoKey)
	}},
	{"in memory, restarted between two polls", func(w *world) { w.c.Restart(true) }},
	{"in memory, down for a day", func(w *world) {
		w.fail(true)
		w.pass(24 * time.Hour)
		w.c.Restart(true)
		w.fail(false)
	}},
}

// A collector that lost what it had shows it again, with its times, soon after it answers
// again. What was called is never shown as dead afterwards.
func TestRepair(t *testing.T) {
	for _, loss := range losses {
		t.Run(loss.name, func(t *testing.T) {
			w := newWorld(t, collector.Options{})
			in := w.start(newProgram(60))
			for i := range 10 {
				w.call(in, i)
			}
			w.pass(3 * time.Hour)
			w.call(in, 30)
			w.pass(time.Hour + 10*time.Second*time.Duration(rand.IntN(120)))
			if wrong := w.wrong(); wrong != nil {
				t.Fatalf("before: %v", wrong)
			}
			loss.lose(w)
			took := w.repaired(35*time.Minute, step)
			w.call(in, 40)
			w.pass(2 * time.Hour)
			if wrong := w.wrong(); wrong != nil {
				t.Errorf("later: %v", wrong)
			}
			w.check()
			t.Logf("repaired after %v", took)
			if !strings.Contains(in.log.String(), "sent again") {
				t.Errorf("nothing says that it was sent again:\n%s", in.log)
			}
		})
	}
}

// end ends a process as the end of a program does.
func (w *world) end(in *inhabitant) {
	w.t.Helper()
	in.startExit()
	in.finish()
	w.settle()
	w.living = slices.DeleteFunc(w.living, func(other *inhabitant) bool { return other == in })
}

// What only a process knows that ends before it has seen the loss is sent at its end.
func TestRepairAtExit(t *testing.T) {
	for _, replicas := range []int{1, 2} {
		w := newWorld(t, collector.Options{})
		last := w.start(newProgram(60))
		ending := last
		if replicas == 2 {
			ending = w.start(newProgram(60))
		}
		w.call(ending, 5)
		w.pass(2 * time.Hour)
		w.c.Wipe()
		w.pass(time.Minute)
		w.end(ending)
		w.living = []*inhabitant{last}
		if replicas == 2 {
			w.repaired(25*time.Minute, step)
		}
		if wrong := w.wrong(); wrong != nil {
			t.Errorf("%d replicas: %v", replicas, wrong)
		}
		w.check()
	}
}

// With dataDir the calls of earlier processes are sent again, too, although the collector
// had accepted them twice.
func TestRepairEarlierProcesses(t *testing.T) {
	dir := newDataDir(t)
	w := newWorld(t, collector.Options{})
	first := w.start(newProgram(60), "SCAVENGER_DATA_DIR="+dir)
	w.call(first, 5)
	w.pass(40 * time.Minute)
	w.end(first)
	w.start(newProgram(60), "SCAVENGER_DATA_DIR="+dir)
	w.pass(2 * time.Hour)
	if state := stateOf(t, first.data.store.Path(), 5); state != datafile.Sent {
		t.Fatalf("the call of the first process has state %v", state)
	}
	w.c.Wipe()
	w.repaired(90*time.Minute, step)
	w.check()
}

// A collector that loses what it has again and again is sent no more than some codebases a
// day, and all of it when that ends.
func TestRepairBounded(t *testing.T) {
	w := newWorld(t, collector.Options{})
	in := w.start(newProgram(60))
	w.call(in, 5)
	for range 2 * 24 * 60 / 40 {
		w.pass(40 * time.Minute)
		w.c.Wipe()
	}
	if n := w.traffic.codebases; n > 80 {
		t.Errorf("%d codebases in two days", n)
	}
	w.repaired(7*time.Hour, time.Minute)
	w.check()
}

// One of two collectors that share a database may still say what it said five minutes
// ago, before the process had reached the next age. That is no loss.
func TestRepairTwoCollectors(t *testing.T) {
	pub, messages := newTestPublisher(newProgram(60), nil, toCollector("SCAVENGER_LOG_LEVEL=info")...)
	pub.prepare()
	e, began := pub.exporter, time.Now()
	e.repair.sent = true
	interval := func(age time.Duration) int32 {
		return []int32{120, 240, 600, 1200}[min(max(age, 0)/(10*time.Minute), 3)]
	}
	for age := time.Duration(0); age < time.Hour; age += 2 * time.Minute {
		now := began.Add(age)
		for _, answer := range []int32{interval(age), interval(age - 5*time.Minute), interval(age)} {
			e.judge(answer, now)
			e.polled, e.lastPoll = true, now
		}
		if e.repair.pending != noLoss {
			t.Fatalf("at the age of %v: %s", age, messages)
		}
	}
	if e.judge(120, began.Add(time.Hour)); e.repair.pending != lostAll {
		t.Errorf("an interval that falls later is no sign: %s", messages)
	}
}

// Of two processes with a large codebase one sends it, and the other finds that out.
func TestRepairClaim(t *testing.T) {
	f := newFleet(t, 2, largeProgram(5000), 20)
	f.c.Wipe()
	for f.living[0].exporter.repair.pending == noLoss || f.living[1].exporter.repair.pending == noLoss {
		f.pass(step)
	}
	f.traffic = traffic{}
	for i, in := range f.living {
		in.exporter.repair.delay = time.Duration(10*i+1) * time.Minute
	}
	f.repaired(20*time.Minute, time.Minute)
	f.pass(20 * time.Minute)
	if f.traffic.codebases != 1 {
		t.Errorf("%v", f.traffic)
	}
	if got := f.living[1].log.String(); !strings.Contains(got, ": hits are sent again") {
		t.Errorf("the second process says\n%s", got)
	}
	f.check()
}
