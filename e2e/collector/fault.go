// Faults that a test switches on: a collector that is down, overloaded or set up
// wrongly. It keeps to the protocol or does not answer; tests of answers that break
// the protocol have servers of their own.

package collector

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A Fault is a way in which the collector fails.
type Fault string

// The faults.
const (
	Healthy         Fault = "healthy"
	Refuse          Fault = "refuse"          // the port is closed, connections are cut
	Hang            Fault = "hang"            // no answer, until the fault ends; then as usual
	Unavailable     Fault = "unavailable"     // UNAVAILABLE; 503 for plain requests
	Unauthenticated Fault = "unauthenticated" // no api key is known; initConfig is not affected
	LoseAnswer      Fault = "loseAnswer"      // done as asked, but the answer is lost: UNAVAILABLE, or a cut connection
)

// SetFault changes how requests of the given kinds, or all, are treated from
// now on, those that hang included. Refuse is possible only for all.
func (c *Collector) SetFault(f Fault, of ...Kind) error {
	switch f {
	case Healthy, Refuse, Hang, Unavailable, Unauthenticated, LoseAnswer:
	default:
		return fmt.Errorf("unknown fault %q", f)
	}
	if f == Refuse && len(of) > 0 {
		return errors.New("a port is refused as a whole")
	}
	c.mu.Lock()
	c.faultCount++
	if len(of) == 0 {
		of = kinds()
	}
	for _, kind := range of {
		c.faults[kind] = f
	}
	refuse := f == Refuse
	c.notify()
	c.mu.Unlock()

	if refuse {
		c.port.refuse()
		return nil
	}
	return c.port.resume()
}

// SetFaultFor sets a fault and, after d, sets Healthy, unless SetFault was called in
// between.
func (c *Collector) SetFaultFor(d time.Duration, f Fault, of ...Kind) error {
	if err := c.SetFault(f, of...); err != nil {
		return err
	}
	c.mu.Lock()
	count := c.faultCount
	c.mu.Unlock()
	c.wg.Add(1)
	go func() {
		defer c.wg.Done()
		if !c.sleep(d) {
			return
		}
		c.mu.Lock()
		current := c.faultCount == count
		c.mu.Unlock()
		if !current {
			return
		}
		if err := c.SetFault(Healthy, of...); err != nil {
			c.mu.Lock()
			c.violate(0, "collector", "%v", err)
			c.mu.Unlock()
		}
	}()
	return nil
}

// fault returns the fault that a request meets, after any hanging.
func (c *Collector) fault(ctx context.Context, kind Kind) (Fault, error) {
	for {
		c.mu.Lock()
		f, changed := c.faults[kind], c.changed
		c.mu.Unlock()
		if f != Hang {
			return f, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			// What the real collector answers to an expired grpc-timeout.
			return f, status.Error(codes.Canceled, "Request timed out")
		case <-c.closed:
			return f, status.Error(codes.Unavailable, "")
		}
	}
}

// sleep waits for d. It reports false if the collector was closed before.
func (c *Collector) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.closed:
		return false
	}
}
