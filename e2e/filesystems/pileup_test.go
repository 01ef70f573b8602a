//go:build linux

package filesystems

import (
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

var (
	runs  = flag.Int("runs", 100, "how often TestPileUp runs a program")
	kills = flag.Int("kills", 20, "how many processes TestKilledWhileFolding kills")
)

// TestPileUp runs a small tool into one directory again and again: what it leaves and
// what its start costs do not grow.
func TestPileUp(t *testing.T) {
	marked, plain := buildPrograms(t, fewFunctions)
	p := newPlace(t, marked)
	defer p.leave()
	functions := 2 * perProcess
	noted := sharedFiles(t)
	cost := func(bin string, i int) time.Duration {
		cmd := exec.Command(bin, fmt.Sprintf("run %d %d 0", i%functions, i%functions+1), "exit 0")
		cmd.Env = append(os.Environ(), "SCAVENGER_DATA_DIR="+p.dir)
		if out, err := cmd.CombinedOutput(); err != nil || string(out) != fmt.Sprintf("ready\ncalled %d\ndone\n", i%functions) {
			t.Fatalf("%v\n%s", err, out)
		}
		return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	// What a plain start costs changes as well while the machine does other things.
	window := max(*runs/10, 20)
	var early, late, plainEarly, plainLate []time.Duration
	for i := range *runs {
		took := cost(marked, i)
		switch {
		case i < window:
			early, plainEarly = append(early, took), append(plainEarly, cost(plain, i))
		case i >= *runs-window:
			late, plainLate = append(late, took), append(plainLate, cost(plain, i))
		}
	}
	files, bytes := size(t, p.dir)
	t.Logf("%d runs leave %d files of %d bytes; a run costs %v of processor time early, %v late (plain: %v, %v)",
		*runs, files, bytes, median(early), median(late), median(plainEarly), median(plainLate))
	if files >= 10 || bytes >= 1<<20 {
		t.Errorf("%d files of %d bytes are left, want fewer than 10 and less than 1 MB", files, bytes)
	}
	if n := sharedFiles(t) - noted; n >= 10 {
		t.Errorf("%d files are left in shared memory, want fewer than 10", n)
	}
	if ratio := float64(median(late)) / float64(median(early)) / max(1, float64(median(plainLate))/float64(median(plainEarly))); ratio > 2 {
		t.Errorf("a run late costs %.1f times what one costs early", ratio)
	}
	k := report(t, nil, p.dir)
	if k.err != nil {
		t.Error(k.err)
	}
	for i := range min(*runs, functions) {
		if !k.called[i] {
			t.Errorf("%d was called, and that is not known (%s)", i, k.status)
		}
	}
}

// size returns how many files are in a directory, and their bytes on the disk.
func size(t *testing.T, dir string) (files, bytes int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			files++
			bytes += int(info.Sys().(*syscall.Stat_t).Blocks) * 512
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files, bytes
}

// sharedFiles returns how many files are in shared memory; 0 where others have theirs
// there, too.
func sharedFiles(t *testing.T) int {
	t.Helper()
	if os.Getenv(ownMounts) == "" {
		return 0
	}
	files, _ := size(t, "/dev/shm")
	return files
}

func median(d []time.Duration) time.Duration {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return max(d[len(d)/2], time.Microsecond)
}

// TestSameInstant starts many processes at once, half of which are killed.
func TestSameInstant(t *testing.T) {
	const processes, each = 200, fewFunctions / 200
	marked, _ := buildPrograms(t, fewFunctions)
	p := newPlace(t, marked)
	defer p.leave()
	var all sync.WaitGroup
	running := make([]*process, processes)
	for i := range running {
		all.Add(1)
		go func() {
			defer all.Done()
			running[i] = start(p.dir, marked, nil, nil)
			running[i].tell("mapped")
			running[i].tell("run %d %d 0", i*each, i*each+each)
			running[i].finish([]string{"exit 0", "kill"}[i%2])
		}()
	}
	all.Wait()
	lost := 0
	k := report(t, nil, p.dir)
	for i, q := range running {
		if q.err != nil {
			t.Errorf("process %d: %v\n%s", i, q.err, q.stderr.String())
		}
		lost += len(unknown(q, k))
	}
	if lost > 0 || k.err != nil {
		t.Errorf("%d calls of %d processes are not known; the report: %s, %v\n%s", lost, processes, k.status, k.err, k.stderr)
	}
}

// unknown returns what a process called and the report does not know.
func unknown(p *process, k knowledge) []int {
	var lost []int
	for _, c := range p.called {
		if !k.called[c.function] {
			lost = append(lost, c.function)
		}
	}
	return lost
}

// TestKilledWhileFolding kills processes at random moments, in one directory, so that
// each finds what those before it left: right after the start, while that is folded,
// and while calls are made. Reports are killed, too. Nothing is lost, and at the end
// all of it is in the directory itself.
func TestKilledWhileFolding(t *testing.T) {
	marked, _ := buildPrograms(t, manyFunctions)
	p := newPlace(t, marked)
	defer p.leave()
	const each = 40
	noted := sharedFiles(t)
	var killed []*process
	check := func() knowledge {
		k := report(t, nil, p.dir)
		lost := 0
		for _, q := range killed {
			lost += len(unknown(q, k))
		}
		if lost > 0 || k.err != nil {
			t.Errorf("after %d kills, %d calls are not known; the report: %s, %v\n%s", len(killed), lost, k.status, k.err, k.stderr)
		}
		return k
	}
	for i := range *kills {
		q := killSoon(p, i*each%(manyFunctions-each), each)
		killed = append(killed, q)
		if i%3 == 1 {
			cmd := exec.Command(built.File(t), "report", p.dir)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(rand.IntN(30_000)) * time.Microsecond)
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
		if i%10 == 9 && !t.Failed() {
			check()
		}
	}
	set := 0
	for _, q := range killed {
		set += len(q.called)
	}
	if set == 0 {
		t.Fatal("no process called anything before it was killed")
	}
	runOnce(t, p.dir, marked, nil, fmt.Sprintf("run %d %d 2500", manyFunctions-1, manyFunctions), "exit 0")
	check()
	// What the next process and the report found in memory is in the directory now.
	copied := p.path("copy")
	p.do("cp", "-r", p.dir, copied)
	k, lost := reportOfCopy(t, copied), 0
	for _, q := range killed {
		lost += len(unknown(q, k))
	}
	if lost > 0 || k.err != nil {
		t.Errorf("a copy does not know %d calls; its report: %s, %v\n%s", lost, k.status, k.err, k.stderr)
	}
	if n := sharedFiles(t) - noted; n >= 10 {
		t.Errorf("%d files are left in shared memory, want fewer than 10", n)
	}
	files, bytes := size(t, p.dir)
	t.Logf("%d processes killed, %d calls made; %d files of %d bytes", *kills, set, files, bytes)
}

// killSoon starts a process and kills it at a random moment of its first 30 ms or, one
// time in three, after that.
func killSoon(p *place, from, n int) *process {
	after := time.Duration(rand.IntN(30_000)) * time.Microsecond
	if rand.IntN(3) == 0 {
		after *= 10
	}
	q := launch(p.dir, []string{p.marked, "mapped", fmt.Sprintf("run %d %d 20", from, from+n)}, nil)
	time.Sleep(after)
	q.finish("kill")
	return q
}
