package hitrt

// The publisher: the one goroutine that owns everything in here.

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// checkpointInterval is how old a stamp may be; and, where marks are not mapped,
// how much of the last hits may be lost from local files when the process is
// killed.
const checkpointInterval = time.Second

// aloneInterval is how often the publisher looks whether it is alone.
const aloneInterval = time.Second

// earliest is the first time that the collector accepts, in Unix milliseconds.
const earliest = 1_490_000_000_001

// A publisher reads the marks and feeds the outlets.
type publisher struct {
	set      *settings
	packages []Package
	main     string // import path of the main package
	identity string // Fingerprint of the program
	codebase *codebase
	rep      *reporter
	now      func() time.Time
	started  time.Time
	process  string            // a UUID
	network  http.RoundTripper // in place of the real one, if not nil

	isProgram bool // and not a library, as far as the build information says

	conns     *conns     // the collector's: what is in them must not become garbage
	collector *collector // nil if there is none, or it does not want this key
	data      *dataFile  // nil without dataDir

	nextTick       time.Time
	nextCheckpoint time.Time

	poller  pollerWatch
	wake    alarm // rings when there is something besides time to look at
	waiting alarm // rings when ready or done is closed

	flushes  chan chan error // of Flush
	ready    chan struct{}   // closed when the program need not wait for local files any more
	leaving  atomic.Bool
	exiting  chan struct{} // closed when Exit was called
	deadline time.Time     // valid once exiting is closed
	done     chan struct{} // closed when the goroutine ended
}

// newPublisher does the little that cannot wait for the goroutine.
func newPublisher(p *Program, set *settings) *publisher {
	return &publisher{
		set:      set,
		packages: p.Packages,
		main:     p.Main,
		identity: p.Fingerprint,
		rep:      newReporter(standardError(), set),
		now:      time.Now,
		started:  time.Now(),
		flushes:  make(chan chan error, 1),
		ready:    make(chan struct{}),
		exiting:  make(chan struct{}),
		done:     make(chan struct{}),
	}
}

// run is the goroutine.
func (p *publisher) run() {
	defer p.waiting.ring()
	defer close(p.done)
	// A store into a mapped file that somebody cut off meanwhile must not end the
	// program if it is ours.
	debug.SetPanicOnFault(true)
	defer func() {
		// A bug in here must not end the program.
		if bug := recover(); bug != nil {
			p.rep.fail("internal error, from now on nothing is recorded: %v", bug)
		}
	}()
	p.poller.begin()
	p.begin()
	for p.collector != nil || p.data != nil {
		p.work()
		if p.isAlone() || !p.sleep() {
			p.finish()
			return
		}
	}
}

// begin prepares everything and makes local files. Once the process's own is
// there, where marks can be mapped, nothing that the program calls can be lost. If
// there are many functions, the program need not wait until all are listed.
func (p *publisher) begin() {
	ready := sync.OnceFunc(func() {
		close(p.ready)
		p.waiting.ring()
	})
	defer ready()
	p.prepare()
	if p.data == nil {
		return
	}
	p.checkpoint()
	if p.data.functions <= fewFunctions {
		// Before the program runs: one that closes all descriptors, or gives up its
		// rights to open files, does so when it starts.
		p.data.verify()
	}
	ready()
	p.data.list(p.now())
	p.nextCheckpoint = time.Now().Add(checkpointInterval)
}

// prepare builds what newPublisher left out.
func (p *publisher) prepare() {
	for _, problem := range p.set.problems {
		p.rep.write("%s", problem)
	}
	p.set.identify()
	p.process = newUUID()
	mode := buildSetting("-buildmode")
	p.isProgram = mode == "exe" || mode == "pie"
	p.codebase = newCodebase(p.packages)
	if p.set.collects() {
		p.collector = newCollector(p)
	}
	if p.set.dataDir != "" {
		p.data = newDataFile(p)
	}
	p.nextTick = p.started.Add(p.set.initialDelay)
	p.nextCheckpoint = p.started
}

// work does what is due.
func (p *publisher) work() {
	now := time.Now()
	if p.data != nil && !now.Before(p.nextCheckpoint) {
		p.checkpoint()
		p.data.verify()
		p.nextCheckpoint = time.Now().Add(checkpointInterval)
	}
	if p.collector != nil && !now.Before(p.nextTick) {
		p.collector.tick()
		p.nextTick = p.nextTick.Add(p.set.interval)
		if now = time.Now(); p.nextTick.Before(now) {
			p.nextTick = now.Add(p.set.interval)
		}
		p.dismiss()
	}
}

// dismiss lets go of a collector that does not want to hear from us.
func (p *publisher) dismiss() {
	if p.collector != nil && p.collector.refused {
		p.collector = nil
	}
}

// sleep waits until something is due. It returns false when the program exits.
func (p *publisher) sleep() bool {
	wake := p.nextTick
	if p.data != nil && (p.collector == nil || p.nextCheckpoint.Before(wake)) {
		wake = p.nextCheckpoint
	}
	return p.pause(min(time.Until(wake), aloneInterval))
}

// isAlone reports whether no goroutine is left but this one: main has called
// runtime.Goexit, and all others have ended. The runtime ends such a program,
// but not as long as there is a goroutine that wakes up again. A library for C
// has no goroutine while its host does not call it.
func (p *publisher) isAlone() bool {
	if !p.isProgram || runtime.NumGoroutine() > 1 {
		return false
	}
	p.startExit()
	return true
}

// pause waits for d, or less. It returns false at once when the program exits.
func (p *publisher) pause(d time.Duration) bool {
	if !p.poller.runs() {
		p.wake.wait(d)
		select {
		case answer := <-p.flushes:
			answer <- p.flush()
		default:
		}
		return !p.isExiting()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.exiting:
		return false
	case <-timer.C:
		return true
	case answer := <-p.flushes:
		answer <- p.flush()
		return true
	}
}

// waitFor waits until a channel is closed of which waiting tells, at most for d. It
// needs no timer: alarm_linux.go has the reason. What it waits for may need the
// processor that a system call keeps for a moment, so it looks up often.
func (p *publisher) waitFor(c <-chan struct{}, d time.Duration) {
	if p.poller.running.Load() {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-c:
		case <-timer.C:
		}
		return
	}
	for began := time.Now(); time.Since(began) < d; p.waiting.wait(time.Millisecond) {
		runtime.Gosched()
		select {
		case <-c:
			return
		default:
		}
	}
}

// flush is what [Flush] does, in the publisher's goroutine.
func (p *publisher) flush() error {
	if p.data != nil {
		p.checkpoint()
	}
	if p.collector == nil {
		return nil
	}
	err := p.collector.flush()
	p.dismiss()
	return err
}

// sweep reads and clears the marks, for all outlets at once.
func (p *publisher) sweep() {
	stamp := unixMillis(p.now())
	p.codebase.sweep(func(pkg, mark int) {
		if p.collector != nil {
			p.collector.hits.add(p.codebase.base[pkg] + mark)
		}
		if p.data != nil {
			p.data.hit(pkg, mark, stamp)
		}
	})
}

// checkpoint brings the data file up to date.
func (p *publisher) checkpoint() {
	p.data.inspect()
	p.sweep()
	now := p.now()
	p.data.write(now)
	if p.isReady() {
		p.data.list(now)
	}
}

// isReady reports whether the program waits no longer for local files.
func (p *publisher) isReady() bool {
	select {
	case <-p.ready:
		return true
	default:
		return false
	}
}

// exit is what [Exit] does, in the goroutine that ends the program.
func (p *publisher) exit() {
	wait, ok := p.startExit()
	switch {
	case !ok: // what was begun, perhaps by Shutdown, needs its time
		<-p.exiting
		wait = p.left()
	case p.set.dataDir != "":
		// Local files need no collector's answer, only a moment.
		wait = max(wait, 250*time.Millisecond)
	}
	p.waitFor(p.done, wait)
}

// startExit sets the deadline. ok is false if it was set before.
func (p *publisher) startExit() (wait time.Duration, ok bool) {
	if !p.leaving.CompareAndSwap(false, true) {
		return 0, false
	}
	wait = p.set.exitTimeout
	// Something is left for what follows the last call.
	p.deadline = time.Now().Add(wait - wait/20)
	close(p.exiting)
	p.wake.ring()
	return wait, true
}

// finish writes and sends what is pending. Local files come first: they are
// quick, and with them nothing is lost whatever the collector does.
func (p *publisher) finish() {
	if p.data != nil {
		p.checkpoint()
	}
	if p.collector != nil {
		p.collector.finish()
		p.dismiss()
	}
	if p.data != nil {
		p.checkpoint() // other goroutines went on while we sent
		p.data.close()
	}
}

// left is the time until the deadline of Exit; it is valid once exiting is
// closed.
func (p *publisher) left() time.Duration {
	return max(time.Until(p.deadline), 0)
}

// isExiting reports whether Exit was called.
func (p *publisher) isExiting() bool {
	select {
	case <-p.exiting:
		return true
	default:
		return false
	}
}

// await runs f, a call to the collector, in a goroutine of its own, and goes on
// with checkpoints while it lasts. When the program exits meanwhile, f gets half
// of the time that Exit has: it may be stuck, or about to succeed.
func await[T any](p *publisher, timeout time.Duration, f func(context.Context) (T, error)) (T, error) {
	p.poller.running.Store(true) // timers and connections need it
	type result struct {
		value T
		err   error
		bug   any
	}
	exiting := p.exiting
	if p.isExiting() {
		exiting = nil
		timeout = min(timeout, p.left())
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	results := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			r.bug = recover()
			results <- r
		}()
		r.value, r.err = f(ctx)
	}()
	checkpoints := time.NewTicker(checkpointInterval)
	defer checkpoints.Stop()
	for {
		select {
		case r := <-results:
			if r.bug != nil {
				panic(r.bug)
			}
			return r.value, r.err
		case <-ctx.Done():
			// f ends by itself, since it has ctx; what it returns is dropped.
			var none T
			return none, fmt.Errorf("no answer in time: %w", ctx.Err())
		case <-checkpoints.C:
			if p.data != nil {
				p.checkpoint()
			}
		case <-exiting:
			exiting = nil
			if p.data != nil {
				p.checkpoint()
			}
			stop := time.AfterFunc(p.left()/2, cancel)
			defer stop.Stop()
		}
	}
}

// unixMillis is a time as the collector and local files have it.
func unixMillis(t time.Time) int64 {
	return max(t.UnixMilli(), earliest)
}

// newUUID returns a random UUID. It names the process and is no secret, so it
// comes from the runtime's generator: crypto/rand ends the program when the
// system has no randomness to give.
func newUUID() string {
	hi, lo := rand.Uint64(), rand.Uint64()
	hi = hi&^0xF000 | 4<<12
	lo = lo&^(3<<62) | 2<<62
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", hi>>32, hi>>16&0xFFFF, hi&0xFFFF, lo>>48, lo&(1<<48-1))
}
