// The line on a terminal that says how far a command is.

package command

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// A progress shows a line on a terminal once a command has run for some time, and removes
// it at the end.
type progress struct {
	state   atomic.Pointer[string]
	shown   atomic.Bool // there is a line on the terminal
	stopped chan struct{}
	done    chan struct{}
}

func startProgress(out io.Writer, after time.Duration) *progress {
	p := &progress{stopped: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(p.done)
		if !isTerminal(out) {
			return
		}
		for wait := after; ; wait = 200 * time.Millisecond {
			select {
			case <-p.stopped:
				if p.shown.Load() {
					fmt.Fprint(unescaped(out), "\r\x1b[K")
				}
				return
			case <-time.After(wait):
				if s := p.state.Load(); s != nil {
					fmt.Fprintf(unescaped(out), "\r\x1b[K%s", Escaped(*s))
					p.shown.Store(true)
				}
			}
		}
	}()
	return p
}

func (p *progress) say(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	p.state.Store(&s)
}

func (p *progress) stop() {
	close(p.stopped)
	<-p.done
}
