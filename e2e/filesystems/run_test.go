//go:build linux

// How a fault is made to happen, and what it did.

package filesystems

import (
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Each process calls functions in three steps: before the fault, during it, and at its
// end. In between it waits for settled: a second, one until hits are written at the
// latest, and half a one for a busy machine.
const (
	perProcess = 40
	settled    = 2500 * time.Millisecond
)

var steps = []struct{ from, to int }{{0, 10}, {10, 30}, {30, 40}}

var all = flag.Bool("all", false, "try all faults, not only one of each kind")

// wanted reports whether the fault is to be tried: -run may name faults, too.
func (f fault) wanted() bool {
	return f.usual || *all || strings.Contains(flag.Lookup("test.run").Value.String(), "/")
}

// TestFilesystems makes each fault happen to three processes at once: one that exits,
// one that is killed, and the plain program, which both have to be like.
func TestFilesystems(t *testing.T) {
	marked, plain := buildPrograms(t, fewFunctions)
	var table results
	t.Cleanup(func() { t.Logf("\n%s", &table) })
	for _, f := range faults {
		if !f.wanted() {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			var p *place
			t.Cleanup(func() {
				if t.Skipped() {
					table.add(f.name + "\tskipped: " + p.skipped)
				}
			})
			// Other processes of the machine slow calls down, too. What is slow
			// because of the fault is slow each time.
			const tries = 3
			for i := 1; ; i++ {
				p = newPlace(t, marked)
				r := f.try(p, plain)
				if len(r.slow) > 0 && i < tries && !t.Failed() {
					t.Logf("again: %s", strings.Join(r.slow, "; "))
					continue
				}
				table.add(r.row(f))
				r.judge(t, f)
				return
			}
		})
	}
}

// A result is what a fault did.
type result struct {
	exits, killed, plain *process
	known                knowledge
	must                 []int
	slow                 []string // what took longer than in the plain program
	harm                 []string // what else is not as there
}

// try makes a fault happen in a new place, and leaves it.
func (f fault) try(p *place, plain string) result {
	p.t.Helper()
	defer p.leave()
	f.make(p)
	var r result
	together(
		func() { r.exits = start(p.dir, p.marked, p.wrap, p.env) },
		func() { r.killed = start(p.dir, p.marked, p.wrap, p.env) },
		func() { r.plain = start(p.dir, plain, p.wrap, p.env) })()
	p.running = []*process{r.exits, r.killed, r.plain}
	for _, q := range p.running {
		p.undo = append(p.undo, func() { _ = q.cmd.Process.Kill() })
	}
	for i, step := range steps {
		over := 200 * time.Millisecond
		if i == 1 {
			over = max(f.lasts, 2*time.Second)
		}
		run := func(q *process, offset int) func() {
			return func() { q.run(step.from+offset, step.to+offset, over) }
		}
		wait := together(run(r.exits, 0), run(r.killed, perProcess), run(r.plain, 0))
		if i == 1 && f.strike != nil {
			time.Sleep(over / 20) // they are at it
			f.strike(p)
		}
		wait()
		if i < 2 {
			time.Sleep(settled)
		}
	}
	together(func() { r.exits.tell("latency") }, func() { r.killed.tell("latency") }, func() { r.plain.tell("latency") })()
	if f.atEnd != nil {
		f.atEnd(p)
	}
	together(func() { r.exits.finish("exit 3") }, func() { r.killed.finish("kill") }, func() { r.plain.finish("exit 3") })()
	r.compare(f)
	r.must = p.must
	r.known = report(p.t, p.report, p.dir)
	return r
}

// together does everything at the same time. The function that it returns waits for
// the end of that.
func together(what ...func()) (wait func()) {
	var all sync.WaitGroup
	for _, do := range what {
		all.Add(1)
		go func() {
			defer all.Done()
			do()
		}()
	}
	return all.Wait
}

// ratio is how many times longer something may take than in the plain program, which
// does the same at the same time. What takes less than the floor there is as quick as
// that: on a machine of two processors a thread waits as long for one now and then.
const ratio = 20

func (r *result) compare(f fault) {
	slower := func(what string, got, want, floor, extra time.Duration) {
		if got > ratio*max(want, floor)+extra {
			r.slow = append(r.slow, fmt.Sprintf("%s took %v, in the plain program %v", what, got, want))
		}
	}
	for _, q := range []*process{r.exits, r.killed} {
		who, end := "the process that exits", r.plain.end
		if q == r.killed {
			who, end = "the process that is killed", "signal: killed"
		}
		slower("the start of "+who, q.start, r.plain.start, 50*time.Millisecond, f.waits)
		slower("the worst call of "+who, q.worst, r.plain.worst, 10*time.Millisecond, 0)
		slower("the worst but one of 1,000 calls of "+who, q.slow, r.plain.slow, time.Millisecond, 0)
		slower("the longest pause of "+who, max(q.pause, q.late), max(r.plain.pause, r.plain.late), 50*time.Millisecond, 0)
		slower("the end of "+who, q.exit, r.plain.exit, 50*time.Millisecond, f.waits)
		if q.err != nil {
			r.harm = append(r.harm, fmt.Sprintf("%s: %v (%s)\n%.200s", who, q.err, q.end, q.stderr.String()))
		} else if q.end != end {
			r.harm = append(r.harm, fmt.Sprintf("%s: %s, want %s", who, q.end, end))
		} else if len(q.called) != len(r.plain.called) || q.others() != r.plain.others() {
			r.harm = append(r.harm, fmt.Sprintf("%s printed %d names, want %d; on standard error %q", who, len(q.called), len(r.plain.called), q.others()))
		}
		if f.says && !q.said() {
			r.harm = append(r.harm, who+" cannot write its file, and does not say so")
		}
	}
	if r.plain.err != nil || r.plain.end != "exit status 3" || len(r.plain.called) != perProcess {
		r.harm = []string{fmt.Sprintf("the fault harms the plain program, so it tests nothing: %v, %s", r.plain.err, r.plain.end)}
	}
}

// lost returns the functions that were called in these steps and are not known.
func (r *result) lost(q *process, promised string) []int {
	var lost []int
	for _, c := range q.called {
		i := slices.IndexFunc(steps, func(s struct{ from, to int }) bool { return c.function%perProcess < s.to })
		if strings.Contains(promised, strconv.Itoa(i+1)) && !r.known.called[c.function] {
			lost = append(lost, c.function)
		}
	}
	return lost
}

// judge fails the test for what is not as promised.
func (r *result) judge(t *testing.T, f fault) {
	t.Helper()
	for _, harm := range slices.Concat(r.harm, r.slow) {
		t.Error(harm)
	}
	if lost := r.lost(r.exits, f.exit); len(lost) > 0 {
		t.Errorf("the process that exits called %v, and that is not known", lost)
	}
	if lost := r.lost(r.killed, f.kill); len(lost) > 0 {
		t.Errorf("the process that is killed called %v, and that is not known", lost)
	}
	for _, i := range r.must {
		if !r.known.called[i] {
			t.Errorf("an earlier process called %d, and that is not known", i)
		}
	}
	if n := len(r.lost(r.exits, "123")) + len(r.lost(r.killed, "123")); n > 0 && !f.says && r.known.silent() {
		t.Errorf("%d calls are not known, and the report does not say that anything is missing", n)
	}
	for i := range r.known.called {
		if !called(r.exits, i) && !called(r.killed, i) && !slices.Contains(r.must, i) {
			t.Errorf("%d is reported as called, and was not", i)
		}
	}
	if r.known.err != nil {
		t.Error(r.known.err)
	}
}

func called(p *process, function int) bool {
	return slices.ContainsFunc(p.called, func(c call) bool { return c.function == function })
}
