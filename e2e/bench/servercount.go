// What marks cost real servers in instructions: the same servers and requests, under
// callgrind. Time has noise that only hundreds of rounds would bring below half a hundredth.
//
// What is compared are the instructions of the functions of the server's module, as only they
// have marks: what they call besides has the noise of timers and of the scheduler. So a ratio
// is what they take more than plain's, beside all instructions of plain, a mean of the rounds.
// It says a little too much, since three things are left out of the whole: the kernel, which
// is most of the time of a small request; the collector of garbage, whose work depends on when
// it runs; and the runtime's own thread that looks around every few milliseconds.
//
// callgrind makes a program some fifty times slower. So what a process does once a second, as
// it does with settings, would count fifty times too much, and all of them run without.

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// countedDeployments are those to count, without their settings. The first one is plain.
func countedDeployments() []deployment {
	var list []deployment
	for _, d := range deployments {
		if d.name == "dataDir" || d.name == "collector" {
			continue // inert, without settings
		}
		env := d.env
		if d.build == 1 {
			env = nothing
		}
		// The garbage collector's work depends on when it runs, and callgrind stops at
		// the signals that preempt goroutines.
		d.env = func(dir, collector string) []string {
			return append(env(dir, collector), "GOGC=off", "GODEBUG=asyncpreemptoff=1", "GOMAXPROCS=1")
		}
		list = append(list, d)
	}
	return list
}

// countServers counts the instructions of a request in each deployment, in turns.
func (b *loadBench) countServers(ctx context.Context, trials []*trial) error {
	for _, name := range []string{"valgrind", "callgrind_control"} {
		if _, err := exec.LookPath(name); err != nil {
			return fmt.Errorf("-instructions needs valgrind: %w", err)
		}
	}
	list := countedDeployments()
	all := make([][]float64, len(list)-1)
	fmt.Print("### Instructions a request, as a ratio to plain\n\n")
	writeDeployments(os.Stdout, list, "server", "requests", "plain, thousands", "of these its module's")
	for i, t := range trials {
		if err := b.forgetBefore(trials, i); err != nil {
			return err
		}
		if t.cores != b.opts.cores[0] {
			continue // valgrind runs one thread at a time
		}
		if err := b.calibrate(ctx, t); err != nil {
			return fmt.Errorf("%s: %w", t.name(), err)
		}
		var rounds [][]tally
		for round := range b.opts.least {
			seen := make([]tally, len(list))
			for i, d := range list {
				fmt.Fprintf(os.Stderr, "%s: round %d: %d requests, %s\n", t.name(), round+1, t.requests, d.name)
				var err error
				if seen[i], err = b.count(ctx, t, d); err != nil {
					return fmt.Errorf("%s, %s: %w", t.name(), d.name, err)
				}
			}
			rounds = append(rounds, seen)
		}
		plain, ratios := addedTo(rounds)
		fmt.Printf("| %s | %d | %.0f | %.0f |", t.scenario.name, t.requests, plain.all/1000, plain.module/1000)
		for i, r := range ratios {
			all[i] = append(all[i], r.value)
			fmt.Printf(" %.4f ± %.2f %% |", r.value, r.within*100)
		}
		fmt.Println()
	}
	writeSummary(os.Stdout, all, "", "", "")
	return nil
}

// A tally is instructions a request: all, and those of the functions of the server's module.
type tally struct{ all, module float64 }

// addedTo returns the means of plain, which is the first in each round, and how much all
// instructions are with what the others add to their module's, as a ratio to plain's.
func addedTo(rounds [][]tally) (plain tally, ratios []ratio) {
	for _, seen := range rounds {
		plain.all += seen[0].all / float64(len(rounds))
		plain.module += seen[0].module / float64(len(rounds))
	}
	for i := 1; i < len(rounds[0]); i++ {
		var list []float64
		for _, seen := range rounds {
			list = append(list, 1+(seen[i].module-seen[0].module)/plain.all)
		}
		ratios = append(ratios, meanRatio(list))
	}
	return plain, ratios
}

// count counts them in a new process, which has had the same requests before.
func (b *loadBench) count(ctx context.Context, t *trial, d deployment) (tally, error) {
	profile := filepath.Join(b.dir, fmt.Sprintf("callgrind%d", b.runs))
	under := []string{"valgrind", "--tool=callgrind", "--separate-threads=yes", "--callgrind-out-file=" + profile, "--vgdb-prefix=" + filepath.Join(b.dir, "vgdb")}
	p, err := b.start(ctx, t, d, 0, under...)
	if err != nil {
		return tally{}, err
	}
	defer func() {
		_ = p.cmd.Process.Kill() // what it would do at its end is of no use
		<-p.ended
		_ = os.RemoveAll(p.dir)
	}()
	if _, err := p.send(ctx, t.requests, 0); err != nil {
		return tally{}, err
	}
	if err := b.control(ctx, p, "--zero"); err != nil {
		return tally{}, p.fail(err)
	}
	if _, err := p.send(ctx, t.requests, 0); err != nil {
		return tally{}, err
	}
	if err := b.control(ctx, p, "--dump"); err != nil {
		return tally{}, p.fail(err)
	}
	module, _, _ := strings.Cut(t.server.module, "@")
	c, err := countThreads(profile, module)
	n := float64(t.requests)
	return tally{c.all / n, c.module / n}, err
}

// countThreads adds up all threads but the runtime's own. The dump of each is a file.
func countThreads(profile, module string) (c tally, err error) {
	dumps, err := filepath.Glob(profile + ".*-*")
	if err != nil {
		return c, err
	}
	if len(dumps) < 2 {
		return c, fmt.Errorf("callgrind has written %d threads of %s", len(dumps), profile)
	}
	for _, dump := range dumps {
		text, err := os.ReadFile(dump)
		if err != nil {
			return c, err
		}
		if bytes.Contains(text, []byte(" runtime.sysmon\n")) {
			continue
		}
		of, err := instructionsOf(string(text), module)
		if err != nil {
			return c, fmt.Errorf("%s: %w", dump, err)
		}
		m := totals.FindSubmatch(text)
		if m == nil {
			return c, fmt.Errorf("%s has no totals", dump)
		}
		all, err := strconv.ParseFloat(string(m[1]), 64)
		if err != nil {
			return c, err
		}
		c.all, c.module = c.all+all, c.module+of
	}
	return c, nil
}

var totals = regexp.MustCompile(`(?m)^totals: (\d+)`)

// control tells a process that callgrind runs what to do.
func (b *loadBench) control(ctx context.Context, p *process, what string) error {
	cmd := exec.CommandContext(ctx, "callgrind_control", "--vgdb-prefix="+filepath.Join(b.dir, "vgdb"), what, strconv.Itoa(p.cmd.Process.Pid))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("callgrind_control %s: %w\n%s", what, err, out)
	}
	return nil
}
