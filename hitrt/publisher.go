// The publisher: the one goroutine that owns everything in this package.

package hitrt

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// checkpointInterval is the largest error of a stamp. Where no marks file is mapped, the
// first hits of this time, and later ones since refreshInterval, may be lost from local
// files when the process is killed.
const checkpointInterval = time.Second

// aloneInterval is the time between two checks whether the publisher is alone.
const aloneInterval = time.Second

// earliest is the first time that the collector accepts, in Unix milliseconds.
const earliest = 1_490_000_000_001

// A publisher reads the cells and passes hits to the exporter and the data file.
type publisher struct {
	program  *Program
	set      *settings
	codebase *codebase
	log      *logger
	now      func() time.Time
	started  time.Time
	process  string // a UUID

	sending            // what calls to a collector need
	exporter *exporter // nil if there is no collector, or it does not know the key
	data     *dataFile // nil without dataDir

	nextTick       time.Time
	nextCheckpoint time.Time
	nextStatic     time.Time // when static cells are to be set
	swept          time.Time // when cells were last read

	cooperative bool // GODEBUG has asyncpreemptoff
	mayGoOn     bool // main has called Goexit: a timer may run more of the program
	timeless    bool // no timer: package time reads time.Local when one fires (race.go)

	poller  pollerWatch
	wake    alarm // rings when there is something to do besides what is due
	waiting alarm // rings when a channel is closed that waitFor waits for

	signals  signalWatch
	flushes  chan chan error // requests of Flush
	ready    chan struct{}   // closed when the program need not wait for local files any longer
	leaving  atomic.Bool
	exiting  chan struct{} // closed when Exit was called
	deadline time.Time     // of calls to the collector; valid once exiting is closed
	returns  time.Time     // when Exit waits no longer; valid once exiting is closed
	done     chan struct{} // closed when the goroutine ended
}

// newPublisher sets the few fields that cannot wait for the goroutine.
func newPublisher(p *Program, set *settings) *publisher {
	stderr := p.stderr
	if stderr == nil {
		stderr = standardError()
	}
	return &publisher{
		program:     p,
		set:         set,
		sending:     p.sending,
		log:         newLogger(stderr, set),
		now:         time.Now,
		started:     time.Now(),
		cooperative: isCooperative(os.Getenv("GODEBUG")),
		timeless:    raceDetector,
		flushes:     make(chan chan error, 1),
		ready:       make(chan struct{}),
		exiting:     make(chan struct{}),
		done:        make(chan struct{}),
	}
}

// run is the body of the publisher's goroutine.
func (p *publisher) run() {
	defer p.waiting.ring()
	defer close(p.done)
	// If somebody truncates a mapped file, a store of this goroutine into it must not
	// end the program.
	debug.SetPanicOnFault(true)
	defer func() {
		// A bug in this package must not end the program.
		if bug := recover(); bug != nil {
			p.log.Error("internal error, from now on nothing is recorded: %v", bug)
		}
	}()
	p.poller.begin()
	p.begin()
	for p.exporter != nil || p.data != nil {
		if p.isAlone() || !p.sleep() {
			p.finish()
			return
		}
		p.work()
	}
}

// begin prepares everything and writes local files. Once the marks file is mapped, no call of
// the program can be lost, and it need not wait for more. With -race it waits for all: what it
// assigns, and we read, comes afterwards then (race.go).
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
	p.data.open()
	if p.data.functions > fewFunctions && !raceDetector {
		ready()
	}
	// In small programs before they run: one that changes its root directory, or drops its
	// right to open files, does so when it starts.
	p.checkpoint()
	p.data.list(p.now())
	if p.data.functions <= fewFunctions {
		p.data.verify()
	}
	p.nextCheckpoint = time.Now().Add(checkpointInterval)
	ready()
}

// prepare sets the fields that newPublisher left out.
func (p *publisher) prepare() {
	for _, problem := range slices.Concat(p.set.passedOver, p.set.problems) {
		p.log.Warn("%s", problem)
	}
	for _, remark := range p.set.remarks {
		p.log.Info("%s", remark)
	}
	p.set.applyDefaults()
	p.process = newUUID()
	p.codebase = newCodebase(p.program.Packages)
	if p.set.collects() {
		p.exporter = newExporter(p)
	}
	if p.set.dataDir != "" {
		p.data = newDataFile(p)
	}
	p.nextTick = p.started.Add(p.set.initialDelay)
	p.nextCheckpoint = p.started
}

// work does what is due.
func (p *publisher) work() {
	followProgram()
	now := time.Now()
	if !now.Before(p.nextStatic) {
		p.setStatic()
	}
	if p.data != nil && !now.Before(p.nextCheckpoint) {
		p.checkpoint()
		p.data.verify()
		p.data.adopt(now)
		p.nextCheckpoint = time.Now().Add(checkpointInterval)
	}
	if p.exporter != nil && !now.Before(p.nextTick) {
		p.exporter.tick()
		p.nextTick = p.nextTick.Add(p.set.interval)
		if now = time.Now(); p.nextTick.Before(now) {
			p.nextTick = now.Add(p.set.interval)
		}
		p.dismiss()
	}
}

// setStatic sets the cells of functions that have no marks but count as called, now and
// in an hour again, as nobody can tell when they are called.
func (p *publisher) setStatic() {
	for _, cell := range p.program.Static {
		*cell = 1
	}
	p.nextStatic = time.Now().Add(staticInterval)
}

// dismiss drops the exporter if the collector does not know the key.
func (p *publisher) dismiss() {
	if p.exporter != nil && p.exporter.refused {
		p.exporter = nil
	}
}

// sleep waits until something is due, and returns false when the program exits.
func (p *publisher) sleep() bool {
	wake := p.nextTick
	if p.data != nil && (p.exporter == nil || p.nextCheckpoint.Before(wake)) {
		wake = p.nextCheckpoint
	}
	return p.pause(min(time.Until(wake), aloneInterval))
}

// isAlone reports whether no goroutine is left but ours: main has called
// runtime.Goexit, and all others have ended. The runtime ends such a program, but not
// as long as there is a goroutine that wakes up again. A library for C is never alone:
// it has no goroutine while its host does not call it.
//
// A timer of the program that is still to fire starts a goroutine again, and cannot be
// seen. So nobody says that the process has ended, and its marks file stays.
//
// It looks twice, as the runtime counts one goroutine too few in the moment when it makes one
// of its own. When the program exits, the one that waits for signals ends before main does.
func (p *publisher) isAlone() bool {
	for range 2 {
		if !p.program.Executable || runtime.NumGoroutine() > p.signals.goroutines() || p.isExiting() {
			return false
		}
	}
	p.mayGoOn = true
	p.startExit()
	return true
}

// pause waits for at most d, and returns false at once when the program exits.
func (p *publisher) pause(d time.Duration) bool {
	p.rests()
	answer := p.idle(d)
	p.works()
	if answer != nil {
		answer <- p.flush()
	}
	return !p.isExiting()
}

// idle waits for at most d, and returns at once when the program exits, or a request of Flush.
func (p *publisher) idle(d time.Duration) chan<- error {
	if p.timeless || !p.poller.runs() {
		p.wake.wait(d)
		select {
		case answer := <-p.flushes:
			return answer
		default:
			return nil
		}
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.exiting:
		return nil
	case <-timer.C:
		return nil
	case answer := <-p.flushes:
		return answer
	}
}

// rests notes that the publisher waits until it reads the cells again. Who is killed now has
// called since it last did. If that is long ago, nobody knows when; nor where a goroutine may
// keep the processor that the publisher needs to go on.
func (p *publisher) rests() {
	if p.data != nil && !p.cooperative && time.Since(p.swept) < checkpointInterval {
		p.data.marks.unread(false)
	}
}

// works notes that it does something else, which may take for ever.
func (p *publisher) works() {
	if p.data != nil {
		p.data.marks.unread(true)
	}
}

// waitFor waits until c is closed, at most for d. Whatever closes c rings p.waiting then. It
// does without a timer where mayTime is against one. It checks often, since the goroutine that
// it waits for may need the processor that a system call keeps for a moment.
func (p *publisher) waitFor(c <-chan struct{}, d time.Duration) {
	if p.cooperative && !mayYield() {
		return
	}
	if p.mayTime() {
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

// sweep reads and clears the cells, for exporter and data file at once.
func (p *publisher) sweep() {
	stamp := unixMillis(p.now())
	p.swept = time.Now()
	p.codebase.sweep(func(pkg, cell int) {
		if p.exporter != nil {
			p.exporter.hit(p.codebase.base[pkg] + cell)
		}
		if p.data != nil {
			p.data.hit(pkg, cell, stamp)
		}
	})
	if p.data != nil {
		p.data.marks.swept(stamp)
	}
}

// checkpoint brings the data file up to date.
func (p *publisher) checkpoint() {
	p.works()
	now := p.now()
	p.data.keep(now)
	p.sweep()
	p.data.write(now)
	p.data.writeSent()
	switch kept := p.data.process.Kept; {
	case kept == datafile.OnceASecond, kept == datafile.InMemory && p.data.fleeting:
		p.takeSignals()
	}
	if p.isReady() {
		p.data.list(now)
	}
}

// isReady reports whether the program need not wait for local files any longer.
func (p *publisher) isReady() bool {
	select {
	case <-p.ready:
		return true
	default:
		return false
	}
}

// unixMillis returns a time as the collector and local files have it.
func unixMillis(t time.Time) int64 {
	return max(t.UnixMilli(), earliest)
}

// newUUID returns a random UUID. It names the process and is not secret, so it comes
// from the runtime's generator: crypto/rand ends the program if the system has no
// randomness.
func newUUID() string {
	hi, lo := rand.Uint64(), rand.Uint64()
	hi = hi&^0xF000 | 4<<12
	lo = lo&^(3<<62) | 2<<62
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", hi>>32, hi>>16&0xFFFF, hi&0xFFFF, lo>>48, lo&(1<<48-1))
}
