//go:build linux

// The program, and a process of it that does what it is told.

package filesystems

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// drivenMain does what its arguments say, each a command, and then what standard input
// says, a command a line:
//
//	run FROM TO MILLISECONDS   call these functions for the first time, one after the
//	                           other over that time, print their numbers, and meanwhile
//	                           call those before them again
//	mapped                     wait until calls survive anything: on a busy machine the
//	                           start goes on without that after a quarter of a second
//	latency                    print the worst call, the worst but one of 1,000, and the
//	                           longest time in which the program came to nothing
//	exit STATUS
const drivenMain = `package main

import (
	"bufio"
	"fmt"
	"math/bits"
	"math/rand"
	"os"
	"strings"
	"time"
)

var (
	worst   time.Duration
	pause   time.Duration
	calls   int
	buckets [64]int // by the number of bits of the nanoseconds
)

func call(i int) {
	began := time.Now()
	functions[i]()
	took := time.Since(began)
	worst = max(worst, took)
	calls++
	buckets[bits.Len64(uint64(took))]++
}

// slow returns what all calls but one of 1,000 took at most.
func slow() time.Duration {
	left := calls / 1000
	for i := len(buckets) - 1; i >= 0; i-- {
		if left -= buckets[i]; left < 0 {
			return min(worst, 1<<i-1)
		}
	}
	return 0
}

func run(from, to int, over time.Duration) {
	began := time.Now()
	last := began
	for i := from; i < to; i++ {
		call(i)
		fmt.Println("called", i)
		for until := began.Add(over * time.Duration(i+1-from) / time.Duration(to-from)); time.Now().Before(until); {
			call(from + rand.Intn(i+1-from))
			time.Sleep(time.Millisecond)
			now := time.Now()
			pause = max(pause, now.Sub(last))
			last = now
		}
	}
}

func waitForMarks() {
	for i := 0; i < 1000; i++ {
		if maps, _ := os.ReadFile("/proc/self/maps"); strings.Contains(string(maps), ".marks") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func obey(command string) {
	var from, to, n int
	switch {
	case scan(command, "run %d %d %d", &from, &to, &n):
		run(from, to, time.Duration(n)*time.Millisecond)
	case command == "mapped":
		waitForMarks()
	case command == "latency":
		fmt.Println("latency", int64(worst), int64(slow()), int64(pause), calls)
	case scan(command, "exit %d", &n):
		os.Exit(n)
	default:
		panic(command)
	}
	fmt.Println("done")
}

func scan(command, format string, values ...any) bool {
	_, err := fmt.Sscanf(command, format, values...)
	return err == nil
}

func main() {
	fmt.Println("ready")
	for _, command := range os.Args[1:] {
		obey(command)
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		obey(lines.Text())
	}
}
`

// hang is how long nobody waits for a process: what takes longer does not end.
const hang = 90 * time.Second

// A process is one of that program.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	lines  chan string
	stderr bytes.Buffer

	called      []call // what it printed
	end         string // how it ended, as exec says it
	start, exit time.Duration
	worst, slow time.Duration // of its calls
	pause, late time.Duration // the longest time in which it came to nothing, as seen by itself and from here
	err         error         // it did not do what it was told
}

// A call is the first one of a function.
type call struct {
	function int
	printed  time.Time
}

// start starts a process and waits until its main runs.
func start(dir, bin string, wrap, env []string) *process {
	began := time.Now()
	p := launch(dir, slices.Concat(wrap, []string{bin}), env)
	if p.err == nil {
		p.read("ready")
	}
	p.start = time.Since(began)
	return p
}

// launch starts a process.
func launch(dir string, args, env []string) *process {
	p := &process{cmd: exec.Command(args[0], args[1:]...), lines: make(chan string, 64)}
	p.cmd.Env = append(append(os.Environ(), "SCAVENGER_DATA_DIR="+dir, "GOTRACEBACK=none"), env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		p.in, err = p.cmd.StdinPipe()
	}
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		p.err = err
		close(p.lines)
		return p
	}
	go func() {
		defer close(p.lines)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			p.lines <- lines.Text()
		}
	}()
	return p
}

// run lets the process call functions. What that takes longer than it should is a
// pause of the program, too: it came to nothing before or after the calls.
func (p *process) run(from, to int, over time.Duration) {
	began := time.Now()
	p.tell("run %d %d %d", from, to, over.Milliseconds())
	p.late = max(p.late, time.Since(began)-over)
}

// tell gives a command and waits until it is done.
func (p *process) tell(format string, args ...any) {
	if p.err != nil {
		return
	}
	if _, p.err = fmt.Fprintf(p.in, format+"\n", args...); p.err == nil {
		p.read("done")
	}
}

// read reads what the process prints, until that line.
func (p *process) read(last string) {
	timeout := time.NewTimer(hang)
	defer timeout.Stop()
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				p.err = errors.New("it is dead")
				return
			}
			p.note(line)
			if line == last {
				return
			}
		case <-timeout.C:
			p.err = fmt.Errorf("it hangs, and has not said %q", last)
			return
		}
	}
}

func (p *process) note(line string) {
	var i int
	var worst, slow, pause int64
	if _, err := fmt.Sscanf(line, "called %d", &i); err == nil {
		p.called = append(p.called, call{i, time.Now()})
	} else if _, err := fmt.Sscanf(line, "latency %d %d %d", &worst, &slow, &pause); err == nil {
		p.worst, p.slow, p.pause = time.Duration(worst), time.Duration(slow), time.Duration(pause)
	}
}

// finish ends the process, by a signal or a command, and waits until it is gone.
func (p *process) finish(command string) {
	if p.cmd.Process == nil {
		return
	}
	began := time.Now()
	if command == "kill" || p.err != nil {
		_ = p.cmd.Process.Kill()
	} else if _, err := fmt.Fprintln(p.in, command); err != nil {
		p.err = err
	}
	if p.err == nil || p.err.Error() != "it is dead" {
		stop := time.AfterFunc(hang, func() { _ = p.cmd.Process.Kill() })
		defer stop.Stop()
	}
	for line := range p.lines {
		p.note(line)
	}
	err := p.cmd.Wait()
	p.exit = time.Since(began)
	p.in.Close()
	if p.end = "exit status 0"; err != nil {
		p.end = err.Error()
	}
}

// others returns what is on standard error but for our lines.
func (p *process) others() string {
	var b strings.Builder
	for line := range strings.Lines(p.stderr.String()) {
		if !strings.Contains(line, "scavenger: ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// said reports whether hitrt wrote a line to standard error.
func (p *process) said() bool { return strings.Contains(p.stderr.String(), "scavenger: ") }

// runOnce runs a process that obeys some commands and ends.
func runOnce(t *testing.T, dir, bin string, wrap []string, commands ...string) *process {
	t.Helper()
	p := start(dir, bin, wrap, nil)
	for _, command := range commands[:len(commands)-1] {
		p.tell("%s", command)
	}
	p.finish(commands[len(commands)-1])
	if p.err != nil {
		t.Fatalf("%v: %v\n%s", p.cmd.Args, p.err, p.stderr.String())
	}
	return p
}
