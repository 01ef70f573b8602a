// What happens between the answer to a request and the end of its import:
// queues, and the points at which a test can hold imports to choose an order.

package collector

import (
	"errors"
	"fmt"
	"slices"
)

// A Point is a place at which imports can be held.
type Point string

// The points.
const (
	CodebaseImport   Point = "codebase import"   // before anything is stored
	InvocationImport Point = "invocation import" // before anything is stored
	// InvocationInsert lies between the two statements of a chunk of
	// invocations: the UPDATE, which found rows for some of them, and the
	// INSERT IGNORE of the others. If a codebase import makes rows for those
	// in between, their invocations are lost.
	InvocationInsert Point = "invocation insert"
)

// An ImportError is what the real collector would write to its log, after it
// answered OK.
type ImportError struct {
	Request int // number of the request
	Kind    Kind
	Text    string
}

func (e ImportError) String() string {
	return fmt.Sprintf("importing %s of request %d: %s", e.Kind, e.Request, e.Text)
}

// A queue holds the imports of one kind, in order of arrival.
type queue struct {
	imports []pendingImport
	running bool
}

type pendingImport struct {
	request int
	run     func() error // called without c.mu
}

// errClosed ends an import that was held when the collector was closed.
var errClosed = errors.New("collector closed")

// enqueue adds an import. The caller holds c.mu.
func (c *Collector) enqueue(kind Kind, request int, run func() error) {
	q := c.queues[kind]
	q.imports = append(q.imports, pendingImport{request, run})
	c.notify()
}

// work runs the imports of one kind until the collector is closed.
func (c *Collector) work(kind Kind, q *queue) {
	defer c.wg.Done()
	for {
		c.mu.Lock()
		changed := c.changed
		var next *pendingImport
		if len(q.imports) > 0 {
			next = &q.imports[0]
			q.imports, q.running = q.imports[1:], true
		}
		c.mu.Unlock()
		if next == nil {
			select {
			case <-changed:
				continue
			case <-c.closed:
				return
			}
		}
		err := next.run()
		if errors.Is(err, errClosed) {
			return
		}
		c.mu.Lock()
		q.running = false
		if err != nil {
			c.errors = append(c.errors, ImportError{next.request, kind, err.Error()})
		}
		c.notify()
		c.mu.Unlock()
	}
}

// Pending returns how many imports are accepted but not finished.
func (c *Collector) Pending() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pending()
}

func (c *Collector) pending() int {
	n := 0
	for _, q := range c.queues {
		n += len(q.imports)
		if q.running {
			n++
		}
	}
	return n
}

// Errors returns the imports that failed after OK.
func (c *Collector) Errors() []ImportError {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.errors)
}

// Hold stops every import that comes to p until release is called.
func (c *Collector) Hold(p Point) (release func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.holds[p]++
	released := false
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if !released {
			released = true
			c.holds[p]--
			c.notify()
		}
	}
}

// Held returns how many imports are stopped at p.
func (c *Collector) Held(p Point) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held[p]
}

// pass waits until nothing holds p.
func (c *Collector) pass(p Point) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.holds[p] > 0 {
		c.held[p]++
		c.notify()
		defer func() { c.held[p]-- }()
	}
	for c.holds[p] > 0 {
		changed := c.changed
		c.mu.Unlock()
		select {
		case <-changed:
		case <-c.closed:
			c.mu.Lock()
			return errClosed
		}
		c.mu.Lock()
	}
	return nil
}

// LoseFirstHits arranges once what chance arranges in the real collector: the
// next codebase import runs between the two statements of the next invocation
// import that has rows to insert. The collector waits for both publications,
// so a publisher may send them far apart and in any order. Hits of functions
// that were new in that codebase are lost, unless they are sent again.
func (c *Collector) LoseFirstHits() {
	releaseCodebase, releaseInsert := c.Hold(CodebaseImport), c.Hold(InvocationInsert)
	both := func() bool { return c.held[CodebaseImport] > 0 && c.held[InvocationInsert] > 0 }
	imported := func() bool {
		q := c.queues[Codebase]
		return len(q.imports) == 0 && !q.running
	}
	c.wg.Add(1)
	go func() {
		defer c.wg.Done()
		if c.await(both) {
			releaseCodebase()
			c.await(imported)
		}
		releaseInsert()
	}()
}

// await waits for a condition that is called with c.mu held. It reports false
// if the collector was closed before.
func (c *Collector) await(condition func() bool) bool {
	for {
		c.mu.Lock()
		ok, changed := condition(), c.changed
		c.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-changed:
		case <-c.closed:
			return false
		}
	}
}
