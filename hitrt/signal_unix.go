//go:build unix

package hitrt

import (
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// takeSignals asks for the signals that end the program, once, if that is wanted and
// harmless.
func (p *publisher) takeSignals() {
	if p.signals.taken || p.isExiting() || !p.mayTakeSignals() {
		return
	}
	var ending []os.Signal
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		// What is ignored since the start, as by nohup, would reach the program if
		// somebody asked for it. The runtime lets none of them stay blocked.
		if !signal.Ignored(sig) {
			ending = append(ending, sig)
		}
	}
	if len(ending) == 0 {
		return
	}
	p.signals.taken = true
	received := make(chan os.Signal, 1)
	signal.Notify(received, ending...)
	go p.awaitSignal(received)
}

// mayTakeSignals reports whether signals are to be taken, and can be. A library leaves
// them to its host. Without preemption a goroutine that spins would keep a signal from
// ending the program.
func (p *publisher) mayTakeSignals() bool {
	return p.set.flushOnSignal && (p.program.Signals || p.program.Executable) && !p.cooperative && hasThreads()
}

// awaitSignal waits until a signal comes or the publisher ends. From then on signals do
// what they do without us.
func (p *publisher) awaitSignal(received chan os.Signal) {
	defer func() { _ = recover() }()
	defer signal.Stop(received)
	select {
	case <-p.exiting:
	case <-p.done:
	case sig := <-received:
		p.signals.dying.Store(true)
		go p.dieOf(sig.(syscall.Signal), received)
		var later alarm
		later.wait(sameSignal)
	}
}

// dieOf writes and sends what is pending and ends the process by the signal.
func (p *publisher) dieOf(sig syscall.Signal, received chan os.Signal) {
	if !p.isExiting() { // otherwise somebody wants to end an exit that takes long
		p.exit()
	}
	signal.Stop(received)
	runtime.LockOSThread()
	if raise(sig) != nil {
		syscall.Exit(2) // as the runtime does where it cannot die of a signal
	}
	// On some systems it takes a moment. A program that is still there then has a
	// handler, against what flushOnSignal says.
	var late alarm
	late.wait(time.Second)
	p.signals.dying.Store(false)
}
