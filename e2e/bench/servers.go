// What marks cost real servers under load.
//
// In a round every variant is a new process. All of them are there at once, and have some
// requests to warm them up. Then they take turns: each has a slice of the requests of a closed
// loop, a tenth of a second or so, and the others wait; and so again in an open loop. What
// counts is the CPU time of the process, as the kernel accounts for it, between the first and
// the last request of each slice. The ratio to plain is taken round by round. So what slows the
// machine down for longer than a turn slows down all of them. There are rounds until the ratio
// is known well enough.
//
// The linker places functions in another order from round to round: see measure.

package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/e2e/collector"
	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

//go:embed testdata/servers/*.txt
var serverTexts embed.FS

const apiKey = collector.DemoKey

// evidenceRequests is how many requests of each scenario make the evidence. Each sends all of
// its kinds many times in so many.
const evidenceRequests = 2000

// serverOptions are the flags of the measurement.
type serverOptions struct {
	least, most int
	within      float64
	layouts     int
	time        time.Duration
	slices      int
	share       float64
	connections int
	cores       []int

	instructions bool
}

// A loadBench is one run of the command.
type loadBench struct {
	opts      serverOptions
	dir       string
	wrapper   string
	all       []int // processors
	behind    string
	collector string
	sources   map[string]*program.Program
	runs      int
}

func serversBench(ctx context.Context, args []string) error {
	var opts serverOptions
	flags := flag.NewFlagSet("servers", flag.ContinueOnError)
	flags.IntVar(&opts.least, "least", 6, "rounds at least")
	flags.IntVar(&opts.most, "most", 40, "rounds at most")
	flags.Float64Var(&opts.within, "within", 0.005, "rounds until 95 % confidence of each marked variant's CPU time, as a ratio to plain, is within this share of it")
	flags.IntVar(&opts.layouts, "layouts", 8, "orders in which the linker places functions, one after the other by rounds")
	flags.DurationVar(&opts.time, "time", 2*time.Second, "CPU time of a load")
	flags.IntVar(&opts.slices, "slices", 20, "turns in which the variants have their load")
	flags.Float64Var(&opts.share, "share", 0.5, "rate of the open loop, as a share of what plain can do")
	flags.IntVar(&opts.connections, "connections", 16, "connections, which are also the most requests at a time")
	flags.BoolVar(&opts.instructions, "instructions", false, "count instructions by valgrind, in -least rounds, instead of CPU time")
	cores := flags.String("cores", "1,2", "numbers of processors that the server has, separated by commas")
	names := flags.String("scenarios", "", "what to run, separated by commas; all by default")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if opts.least < 2 || opts.most < opts.least || opts.layouts < 1 || opts.connections < 1 || opts.slices < 1 {
		return errors.New("-least is at least 2, -most not below it, -layouts, -connections and -slices are at least 1")
	}
	for s := range strings.SplitSeq(*cores, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return fmt.Errorf("-cores=%s: %q is no number of processors", *cores, s)
		}
		opts.cores = append(opts.cores, n)
	}
	trials, err := chooseTrials(*names, opts.cores)
	if err != nil {
		return err
	}
	all, err := cpus()
	if err != nil {
		return err
	}
	if most := slices.Max(opts.cores); most > len(all) {
		return fmt.Errorf("-cores=%s: this process may use %d", *cores, len(all))
	}
	dir, wrapper, remove, err := newWrapper(ctx)
	if err != nil {
		return err
	}
	defer remove()
	b := &loadBench{opts: opts, dir: dir, wrapper: wrapper, all: all, sources: map[string]*program.Program{}}
	return b.servers(ctx, trials)
}

// chooseTrials returns the scenarios of that names on all numbers of processors.
func chooseTrials(names string, cores []int) ([]*trial, error) {
	var all []string
	var trials []*trial
	for _, s := range servers {
		for _, sc := range s.scenarios {
			all = append(all, sc.name)
			if names != "" && !slices.Contains(strings.Split(names, ","), sc.name) {
				continue
			}
			for _, n := range cores {
				trials = append(trials, &trial{server: s, scenario: sc, cores: n, collected: make([][]observation, len(deployments))})
			}
		}
	}
	if names != "" && len(trials) != len(cores)*len(strings.Split(names, ",")) {
		return nil, fmt.Errorf("-scenarios=%s: there are %s", names, strings.Join(all, ", "))
	}
	return trials, nil
}

func (b *loadBench) servers(ctx context.Context, trials []*trial) error {
	c, err := collector.Start(collector.Options{})
	if err != nil {
		return err
	}
	defer c.Close()
	b.collector = c.URL()
	upstream := httptest.NewServer(http.HandlerFunc(behind))
	defer upstream.Close()
	b.behind = strings.TrimPrefix(upstream.URL, "http://")
	if b.opts.instructions {
		return b.countServers(ctx, trials)
	}
	for i, t := range trials {
		if err := b.forgetBefore(trials, i); err != nil {
			return err
		}
		if err := b.try(ctx, t); err != nil {
			return fmt.Errorf("%s: %w", t.name(), err)
		}
		t.write(os.Stdout, b.opts)
	}
	writeServerSummary(os.Stdout, trials)
	return nil
}

func (t *trial) name() string { return fmt.Sprintf("%s on %d", t.scenario.name, t.cores) }

// try runs a scenario until its ratios are known well enough, or often enough.
func (b *loadBench) try(ctx context.Context, t *trial) error {
	if err := b.calibrate(ctx, t); err != nil {
		return err
	}
	for round := range b.opts.most {
		fmt.Fprintf(os.Stderr, "%s: round %d: %d requests, then %.0f a second\n", t.name(), round+1, t.requests, t.rate)
		if err := b.round(ctx, t, round%b.opts.layouts); err != nil {
			return err
		}
		if round+1 >= b.opts.least && t.within() <= b.opts.within {
			return nil
		}
	}
	return nil
}

// calibrate finds out how many requests take the CPU time of a load, and at which rate the
// server can answer.
func (b *loadBench) calibrate(ctx context.Context, t *trial) error {
	p, err := b.start(ctx, t, deployments[0], 0)
	if err != nil {
		return err
	}
	for n := 200; ; n *= 4 {
		l, err := p.load(ctx, n, 0)
		if err != nil {
			return err
		}
		if l.cpu > b.opts.time/4 {
			f := l.figures()
			t.requests = max(b.opts.connections, int(b.opts.time.Seconds()/f.cpu/float64(b.opts.slices)))
			t.rate = f.rate * b.opts.share
			break
		}
	}
	_, err = p.stop()
	return err
}

// start starts a process of a deployment, in a directory of its own, as the last words of a
// command line that begins with those of under.
func (b *loadBench) start(ctx context.Context, t *trial, d deployment, layout int, under ...string) (*process, error) {
	binary, err := b.build(ctx, t.server, d, layout)
	if err != nil {
		return nil, err
	}
	// The server has the first processors. What sends has the others, or shares if there
	// are none.
	rest := b.all[t.cores:]
	if len(rest) == 0 {
		rest = b.all
	}
	if err := stayOn(rest); err != nil {
		return nil, err
	}
	b.runs++
	at := place{dir: filepath.Join(b.dir, fmt.Sprint("run", b.runs)), behind: b.behind}
	if at.addr, err = freeAddress(); err != nil {
		return nil, err
	}
	if at.debug, err = freeAddress(); err != nil {
		return nil, err
	}
	data := filepath.Join(at.dir, "data")
	if err := os.MkdirAll(data, 0o777); err != nil {
		return nil, err
	}
	return launch(ctx, t, append(under, binary), at, b.all[:t.cores], b.opts.connections, d.env(data, b.collector))
}

// round observes each deployment once.
func (b *loadBench) round(ctx context.Context, t *trial, layout int) error {
	var running []*process
	defer func() {
		for _, p := range running {
			_ = p.cmd.Process.Kill() // unless it has ended
			_ = os.RemoveAll(p.dir)
		}
	}()
	for _, d := range deployments {
		p, err := b.start(ctx, t, d, layout)
		if err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		running = append(running, p)
		if _, err := p.load(ctx, t.requests*b.opts.slices/5+1, 0); err != nil { // to warm it up
			return fmt.Errorf("%s: %w", d.name, err)
		}
	}
	seen := make([]observation, len(deployments))
	for loop, rate := range []float64{0, t.rate} {
		loads := make([]load, len(deployments))
		for slice := range b.opts.slices {
			for i := range deployments {
				i = (i + slice) % len(deployments) // another one is the first
				l, err := running[i].load(ctx, t.requests, rate)
				if err != nil {
					return fmt.Errorf("%s: %w", deployments[i].name, err)
				}
				loads[i].add(l)
			}
		}
		for i := range loads {
			seen[i].loops[loop] = loads[i].figures()
		}
	}
	for i, p := range running {
		var err error
		if seen[i].memory, err = p.stop(); err != nil {
			return fmt.Errorf("%s: %w", deployments[i].name, err)
		}
		t.collected[i] = append(t.collected[i], seen[i])
	}
	return nil
}

// forgetBefore removes what was built of the server of the trial before, unless the next
// one is of the same.
func (b *loadBench) forgetBefore(trials []*trial, i int) error {
	if i == 0 || trials[i-1].server.name == trials[i].server.name {
		return nil
	}
	s := trials[i-1].server
	names, err := filepath.Glob(filepath.Join(b.dir, s.name+".*"))
	for _, name := range names {
		err = errors.Join(err, os.RemoveAll(name))
	}
	return errors.Join(err, os.RemoveAll(filepath.Join(b.dir, "source-"+s.name)))
}

// evidenceOf returns the local files of a marked server that had requests of each scenario.
func (b *loadBench) evidenceOf(ctx context.Context, s server) (string, error) {
	dir := filepath.Join(b.dir, s.name+".evidence")
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	d := deployment{build: 1, env: func(string, string) []string { return dataDir(dir, "") }}
	for _, sc := range s.scenarios {
		p, err := b.start(ctx, &trial{server: s, scenario: sc, cores: 1}, d, 0)
		if err != nil {
			return "", err
		}
		if _, err := p.load(ctx, evidenceRequests, 0); err != nil {
			return "", err
		}
		if _, err := p.stop(); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// build builds a server as a deployment has it, unless it is there.
func (b *loadBench) build(ctx context.Context, s server, d deployment, layout int) (string, error) {
	v := variants[d.build]
	kind := strings.ReplaceAll(v.name, " ", "_")
	var env []string
	if d.evidence {
		evidence, err := b.evidenceOf(ctx, s)
		if err != nil {
			return "", fmt.Errorf("evidence: %w", err)
		}
		kind, env = d.name, []string{"SCAVENGER_EVIDENCE=" + evidence}
	}
	binary := filepath.Join(b.dir, fmt.Sprintf("%s.%s.%d%s", s.name, kind, layout, program.ExeSuffix()))
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	if err := stayOn(b.all); err != nil { // the compiler may use them all
		return "", err
	}
	p := b.sources[s.name]
	if p == nil {
		var err error
		if p, err = program.Fetch(ctx, s.module, filepath.Join(b.dir, "source-"+s.name)); err != nil {
			return "", err
		}
		if err := s.prepare(p.Dir); err != nil {
			return "", err
		}
		b.sources[s.name] = p
	}
	fmt.Fprintf(os.Stderr, "building %s, %s, layout %d\n", s.name, kind, layout)
	args := append([]string{"-mod=mod", "-o", binary}, v.flags(b.wrapper, p.Path)...)
	if layout > 0 {
		args = append(args, fmt.Sprintf("-ldflags=-randlayout=%d", layout))
	}
	here := *p
	here.Env = env
	return binary, here.Build(ctx, append(args, s.pkg)...)
}
