//go:build linux && (386 || amd64 || arm || arm64 || loong64 || riscv64)

package hitrt

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

func init() {
	childPrograms["instant"] = callAtOnce
	childPrograms["killed"] = callUntilKilled
}

// Processes that start, call and end at the same instant lose nothing, however many there
// are, and whether they end or are killed. Their calls are in one file in the end.
func TestAtTheSameInstant(t *testing.T) {
	processes := 200
	if testing.Short() {
		processes = 20
	}
	dir := newDataDir(t)
	gate, open, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer gate.Close()
	var started []*exec.Cmd
	var said []*bufio.Reader
	for i := range processes {
		cmd := child(t, "instant", "SCAVENGER_DATA_DIR="+dir, fmt.Sprintf("HITRT_TEST_CALLS=%d", i))
		cmd.Stdin = gate
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		started, said = append(started, cmd), append(said, bufio.NewReader(out))
	}
	for _, s := range said {
		if line, err := s.ReadString('\n'); line != "waiting\n" {
			t.Fatalf("a process said %q (%v)", line, err)
		}
	}
	_ = open.Close()
	for i, cmd := range started {
		if line, err := said[i].ReadString('\n'); line != "called\n" {
			t.Errorf("process %d said %q (%v)", i, line, err)
		}
		if i%3 == 0 {
			_ = cmd.Process.Kill()
		}
	}
	for i, cmd := range started {
		if _, err := io.Copy(io.Discard, said[i]); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil && i%3 != 0 {
			t.Errorf("process %d: %v", i, err)
		}
	}
	check := func(when string) {
		t.Helper()
		called := known(t, dir)
		for i := range processes {
			if !called[place(i)] {
				t.Errorf("%s: function %d was called, and is not known", when, i)
			}
		}
	}
	check("when all have ended")
	alone := len(hitsIn(dir)) - 1
	settle(t, dir, func() *Program { return mapped(newProgram(210), mappedArrays.many[:]) })
	check("when others have recovered them")
	t.Logf("%d processes, %d with files of their own", processes, alone)
	for _, path := range hitsIn(dir) {
		at, _, err := stampsOf(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(filepath.Base(path), "-") > 1 {
			if r, err := datafile.OpenHits(path); err != nil || !r.Joined {
				t.Errorf("%s is not joined (%v)", path, err)
			}
			continue
		}
		for i := range processes {
			if at[place(i)] == 0 {
				t.Errorf("function %d is not in the shared file", i)
			}
		}
		records, others := processesIn(t, path)
		if n := len(records) + int(others); n != processes+1 {
			t.Errorf("the shared file has %d processes, want %d", n, processes+1)
		}
	}
}

// callAtOnce calls one function when its standard input ends.
func callAtOnce() {
	var i int
	_, _ = fmt.Sscan(os.Getenv("HITRT_TEST_CALLS"), &i)
	prog := mapped(newProgram(210), mappedArrays.many[:])
	fmt.Println("waiting")
	_, _ = io.Copy(io.Discard, os.Stdin)
	if !Register(prog) {
		fmt.Println("inert")
	}
	// A start that took longer than startTimeout returned before marks were mapped: what
	// is killed then may lose its calls.
	<-registered.Load().ready
	prog.call(i)
	fmt.Println("called")
	if i%3 == 0 {
		select {}
	}
	Exit()
	<-registered.Load().done
}

var kills = flag.Int("kills", 30, "how many processes TestKilled kills, in tens")

// TestKilled kills processes at random moments: between any two instructions of a sweep,
// while they write, at their start, and while they recover what another one left.
// Whatever they said that they called is known at any time.
func TestKilled(t *testing.T) {
	calls, recovered := 0, 0
	for round := 0; round < *kills; round += 10 {
		dir := newDataDir(t)
		said := map[int]bool{}
		for r := range 10 {
			n := killOne(t, dir, said, r)
			calls += n
			called := known(t, dir)
			for i := range said {
				if !called[place(i)] {
					t.Fatalf("round %d: function %d was called, and is not known", round+r, i)
				}
			}
			if len(said) == 90 {
				break // nothing is left to call for the first time
			}
		}
		settle(t, dir, func() *Program { return newMappedProgram(&mappedArrays.killed) })
		path := hitsIn(dir)
		if len(path) != 1 {
			t.Fatalf("hits files %q, want one", path)
		}
		records, _ := processesIn(t, path[0])
		for _, p := range records {
			switch p.State {
			case datafile.Recovered:
				recovered++
			case datafile.Lossy:
				t.Errorf("round %d: process %+v counts as one that lost calls", round, p)
			}
		}
	}
	t.Logf("%d calls before the end, none lost; %d processes recovered", calls, recovered)
}

// killOne starts a process and kills it, after its first call or at any moment of its
// start. It adds the calls that the process said it made.
func killOne(t *testing.T, dir string, calls map[int]bool, round int) (n int) {
	t.Helper()
	cmd := child(t, "killed", "SCAVENGER_DATA_DIR="+dir, fmt.Sprintf("HITRT_TEST_CALLS=%d", round))
	var said lockedBuffer
	cmd.Stdout = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); said.String() == "" && time.Since(began) < hang; {
		time.Sleep(time.Millisecond)
	}
	first := "called"
	if round%3 == 2 {
		first = "starts"
	}
	for began := time.Now(); !strings.Contains(said.String(), first) && time.Since(began) < hang; {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(time.Duration(rand.IntN(20_000)) * time.Microsecond)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for line := range strings.Lines(said.String()) {
		var i int
		if _, err := fmt.Sscanf(line, "called %d\n", &i); err != nil && line != "starts\n" {
			t.Fatalf("the process said %q", line)
		} else if err == nil {
			calls[i] = true
			n++
		}
	}
	return n
}

// callUntilKilled calls nine functions one after the other and says so. Meanwhile it
// reads its cells without pause, writes, and recovers what others left.
func callUntilKilled() {
	_, _ = os.Stdout.WriteString("starts\n")
	var round int
	_, _ = fmt.Sscan(os.Getenv("HITRT_TEST_CALLS"), &round)
	prog := newMappedProgram(&mappedArrays.killed)
	pub := newPublisher(prog, loadSettings(prog, os.LookupEnv))
	go func() {
		pub.begin()
		for {
			for range rand.IntN(50) {
				pub.sweep()
			}
			pub.checkpoint()
			pub.data.others.searched = time.Time{}
			pub.data.adopt(time.Now())
		}
	}()
	<-pub.ready
	for _, i := range rand.Perm(9) {
		prog.call(9*round + i)
		_, _ = fmt.Fprintf(os.Stdout, "called %d\n", 9*round+i)
		time.Sleep(time.Duration(rand.IntN(300)) * time.Microsecond)
	}
	select {}
}
