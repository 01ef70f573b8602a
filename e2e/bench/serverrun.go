// One process of a server under load.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// A deployment is a way to build and run a server.
type deployment struct {
	name     string
	build    int  // of variants
	evidence bool // what ran under loads of each kind has no marks
	env      func(dir, collector string) []string
}

// The first one is what the others are measured against. A process lives for some seconds,
// so with a collector it sends hits every second, where one that runs for long sends them every
// two minutes or more.
var deployments = []deployment{
	{name: "plain", build: 0, env: nothing},
	{name: "inert", build: 1, env: nothing},
	{name: "dataDir", build: 1, env: dataDir},
	{name: "evidence", build: 1, evidence: true, env: dataDir},
	{name: "collector", build: 1, env: func(_, collector string) []string {
		return append(reporting(collector), "SCAVENGER_SCHEDULER_INTERVAL_MILLIS=1000", "SCAVENGER_FORCE_INTERVAL_SECONDS=1")
	}},
	{name: "cover set", build: 2, env: coverDir},
	{name: "cover atomic", build: 3, env: coverDir},
}

// reporting returns the settings of a program that begins at once to report, and not after
// ten seconds.
func reporting(collector string) []string {
	return []string{
		"SCAVENGER_SERVER_URL=" + collector, "SCAVENGER_API_KEY=" + apiKey,
		"SCAVENGER_SCHEDULER_INITIAL_DELAY_MILLIS=100", "SCAVENGER_SCHEDULER_INTERVAL_MILLIS=100",
	}
}

func nothing(string, string) []string { return nil }

func dataDir(dir, _ string) []string { return []string{"SCAVENGER_DATA_DIR=" + dir} }

func coverDir(dir, _ string) []string { return []string{"GOCOVERDIR=" + dir} }

// A load is what requests to one process came to.
type load struct {
	requests       int
	cpu, elapsed   time.Duration
	latencies      []time.Duration
	allocs, cycles uint64
}

// add adds another load of the same process.
func (l *load) add(other load) {
	l.requests += other.requests
	l.cpu += other.cpu
	l.elapsed += other.elapsed
	l.latencies = append(l.latencies, other.latencies...)
	l.allocs += other.allocs
	l.cycles += other.cycles
}

// figures returns what tables say of a load.
func (l *load) figures() figures {
	slices.Sort(l.latencies)
	of := func(q float64) float64 { return latencyQuantile(l.latencies, q).Seconds() }
	n := float64(l.requests)
	return figures{
		cpu: l.cpu.Seconds() / n, rate: n / l.elapsed.Seconds(), p50: of(0.5), p99: of(0.99), p999: of(0.999),
		allocs: float64(l.allocs) / n, cycles: float64(l.cycles) / n * 1000,
	}
}

// figures are what loads of one process came to.
type figures struct {
	cpu            float64 // seconds a request
	rate           float64 // requests a second
	p50, p99, p999 float64 // seconds
	allocs, cycles float64 // a request, and a thousand of them
}

// An observation is one process: what each loop came to, and its memory.
type observation struct {
	loops  [2]figures // closed, open
	memory int64
}

// A trial is a scenario on a number of processors.
type trial struct {
	server    server
	scenario  scenario
	cores     int
	requests  int     // of a load
	rate      float64 // of the open loop
	collected [][]observation
}

// A process is a server that runs.
type process struct {
	place
	cmd         *exec.Cmd
	ended       chan struct{} // closed when err holds how
	err         error
	log         bytes.Buffer
	connections []connection
	sent        int // requests
	vars        string
}

// launch starts a server, which is the end of a command line, on some processors and waits
// until it answers.
func launch(ctx context.Context, t *trial, command []string, at place, on []int, connections int, env []string) (*process, error) {
	args, err := t.scenario.args(at)
	if err != nil {
		return nil, err
	}
	p := &process{place: at, ended: make(chan struct{}), vars: "http://" + t.scenario.vars(at) + "/debug/vars"}
	p.cmd = exec.CommandContext(ctx, command[0], append(command[1:], args...)...)
	p.cmd.Dir = at.dir
	p.cmd.Env = append(os.Environ(), append(env, "HOME="+at.dir, "XDG_DATA_HOME="+at.dir, "XDG_CONFIG_HOME="+at.dir)...)
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	if err := startOn(on, p.cmd.Start); err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	dial := t.scenario.dial(at)
	for began := time.Now(); ; {
		if err = ready(dial); err == nil {
			break
		}
		select {
		case <-p.ended:
			return nil, p.fail(err)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Since(began) > patience {
			return nil, p.fail(err)
		}
	}
	if p.connections, err = connect(connections, dial); err != nil {
		return nil, p.fail(err)
	}
	return p, nil
}

// ready asks the server for one thing.
func ready(dial func() (connection, error)) error {
	c, err := dial()
	if err != nil {
		return err
	}
	return errors.Join(c.do(0), c.Close())
}

// fail ends the process, and adds to an error what it has written.
func (p *process) fail(err error) error {
	_ = p.cmd.Process.Kill() // unless it has ended
	<-p.ended
	return fmt.Errorf("%w\n%s", err, p.log.Bytes())
}

// stop ends the process as an operator does, and returns the most memory that it had.
func (p *process) stop() (int64, error) {
	memory, err := processMemory(p.cmd.Process.Pid)
	err = errors.Join(err, closeAll(p.connections), p.cmd.Process.Signal(syscall.SIGTERM))
	if err == nil {
		select {
		case <-p.ended:
			err = p.err
		case <-time.After(patience):
			err = fmt.Errorf("it still runs %v after SIGTERM", patience)
		}
	}
	if err != nil {
		return 0, p.fail(err)
	}
	return memory, nil
}

// load puts a load on the process, with requests that it has not had.
func (p *process) load(ctx context.Context, requests int, rate float64) (load, error) {
	before, err := p.memstats()
	if err != nil {
		return load{}, p.fail(err)
	}
	from, err := processCPU(p.cmd.Process.Pid)
	if err != nil {
		return load{}, p.fail(err)
	}
	o, err := p.send(ctx, requests, rate)
	if err != nil {
		return load{}, err
	}
	to, err := processCPU(p.cmd.Process.Pid)
	if err != nil {
		return load{}, p.fail(err)
	}
	after, err := p.memstats()
	if err != nil {
		return load{}, p.fail(err)
	}
	return load{requests, to - from, o.elapsed, o.latencies, after.Mallocs - before.Mallocs, after.NumGC - before.NumGC}, nil
}

// send sends requests that the process has not had.
func (p *process) send(ctx context.Context, requests int, rate float64) (outcome, error) {
	o, err := drive(ctx, p.connections, p.sent, requests, rate)
	if err != nil {
		return outcome{}, p.fail(err)
	}
	p.sent += requests
	return o, nil
}

// memstats is what a server's expvar page says of its memory.
type memstats struct{ Mallocs, NumGC uint64 }

func (p *process) memstats() (memstats, error) {
	var page struct{ Memstats memstats }
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(p.vars)
	if err != nil {
		return memstats{}, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&page); err != nil {
		return memstats{}, fmt.Errorf("%s: %w", p.vars, err)
	}
	return page.Memstats, nil
}

// freeAddress returns an address on which nobody listens.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
