// A world for tests of what happens in days: processes and a strict collector.

package hitrt

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/e2e/collector"
)

// A world is a collector as strict as the real one, and processes that report to it, all
// by one clock that the test moves. Intervals grow with the age of a process, publications
// are imported after the answer, and garbage is collected each hour.
type world struct {
	t         *testing.T
	c         *collector.Collector
	now       time.Time
	began     time.Time
	collected time.Time // garbage, the last time
	living    []*inhabitant
	called    map[int]int64 // when each function was last called, in Unix milliseconds
	down      bool

	seen    int // the number of the latest request that was counted
	traffic traffic
}

// traffic is what arrived at a collector.
type traffic struct {
	polls, codebases, hits int // messages
	bytes                  int // of publications
	peak                   int // the most bytes of one step
}

func (s traffic) String() string {
	return fmt.Sprintf("%d polls, %d messages with a codebase, %d with hits, %.1f MB in all, at most %.2f MB a second",
		s.polls, s.codebases, s.hits, float64(s.bytes)/1e6, float64(s.peak)/1e6/step.Seconds())
}

// An inhabitant is a process.
type inhabitant struct {
	*publisher
	prog *Program
	log  *lockedBuffer
}

// step is the time between two ticks.
const step = 10 * time.Second

func newWorld(t *testing.T, o collector.Options) *world {
	t.Helper()
	w := &world{t: t, now: time.Now(), called: map[int]int64{}}
	w.began, w.collected = w.now, w.now
	o.Now = func() time.Time { return w.now }
	o.MaxMessageSize = 1 << 30 // what messages may hold is tested elsewhere
	c, err := collector.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	w.c = c
	return w
}

// start starts a process that ticks from the next step on.
func (w *world) start(prog *Program, variables ...string) *inhabitant {
	w.t.Helper()
	pub, messages := newTestPublisher(prog, nil, append([]string{"SCAVENGER_SERVER_URL=" + w.c.URL(),
		"SCAVENGER_API_KEY=" + collector.DemoKey, "SCAVENGER_LOG_LEVEL=info"}, variables...)...)
	pub.now = func() time.Time { return w.now }
	pub.started = w.now
	pub.begin()
	in := &inhabitant{pub, prog, messages}
	w.living = append(w.living, in)
	return in
}

// call calls a function in a process.
func (w *world) call(in *inhabitant, function int) {
	in.prog.call(function)
	w.called[function] = max(w.called[function], w.now.UnixMilli())
}

// pass lets time pass.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	for until := w.now.Add(d); w.now.Before(until); {
		w.now = w.now.Add(step)
		for _, in := range w.living {
			if in.data != nil {
				in.checkpoint()
			}
			in.exporter.tick()
		}
		w.settle()
		if w.now.Sub(w.collected) >= time.Hour && !w.down {
			w.c.CollectHourly(w.now)
			w.collected = w.now
		}
	}
}

// settle waits for imports, and counts what arrived.
func (w *world) settle() {
	w.t.Helper()
	if err := w.c.WaitImported(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	bytes := 0
	for _, r := range w.c.RequestsAfter(w.seen) {
		w.seen = r.Number
		switch r.Kind {
		case collector.PollConfig:
			w.traffic.polls++
			continue
		case collector.Codebase:
			w.traffic.codebases++
		case collector.Invocations:
			w.traffic.hits++
		}
		bytes += r.Size
	}
	w.traffic.bytes += bytes
	w.traffic.peak = max(w.traffic.peak, bytes)
}

// fail makes the collector unreachable, or reachable again.
func (w *world) fail(down bool) {
	w.t.Helper()
	w.down = down
	fault := collector.Healthy
	if down {
		fault = collector.Refuse
	}
	if err := w.c.SetFault(fault); err != nil {
		w.t.Fatal(err)
	}
}

// wrong returns what the collector shows that is not so: functions that it does not
// have, that it has as never called though they ran, or with a time that is not theirs.
func (w *world) wrong() (list []string) {
	prog := w.living[0].prog
	shown := map[string]collector.Function{}
	for _, f := range w.c.Functions(collector.Query{}) {
		shown[f.Hash] = f
	}
	n := 0
	for i := range prog.Packages {
		n += strings.Count(prog.Packages[i].Entries, "\tFunc")
	}
	for i := range n {
		f, ok := shown[prog.hashOf(i)]
		at, ran := w.called[i]
		late := time.Duration(f.InvokedAtMillis-at) * time.Millisecond
		switch {
		case !ok:
			list = append(list, fmt.Sprintf("function %d is missing", i))
		case ran != f.Used:
			list = append(list, fmt.Sprintf("function %d: shown as called: %t; is: %t", i, f.Used, ran))
		case ran && (late > time.Hour || late < -time.Hour):
			list = append(list, fmt.Sprintf("function %d is shown as called %v late", i, late))
		}
	}
	if len(list) > 3 {
		list = append(list[:3], fmt.Sprintf("%d in all", len(list)))
	}
	return list
}

// repaired lets time pass until the collector shows what is so, and returns how long that
// took, to a number of seconds.
func (w *world) repaired(atMost, to time.Duration) time.Duration {
	w.t.Helper()
	from := w.now
	for wrong := w.wrong(); len(wrong) > 0; wrong = w.wrong() {
		if w.now.Sub(from) >= atMost {
			w.t.Errorf("not repaired within %v: %s\n%s", atMost, strings.Join(wrong, "; "), w.living[0].log)
			break
		}
		w.pass(to)
	}
	return w.now.Sub(from)
}

// check checks that nothing was sent that a collector cannot take.
func (w *world) check() {
	w.t.Helper()
	for _, v := range w.c.Violations() {
		w.t.Errorf("%v", v)
	}
}
