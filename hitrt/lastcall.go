package hitrt

// What is sent at the end of a process, and when the program asks for it.

import (
	"errors"
	"time"
)

// flush sends what is pending, and first of all, if it was not sent, the
// codebase.
func (c *collector) flush() error {
	defer c.client.closeIdle()
	if !c.polled {
		c.pollConfig()
	}
	if !c.polled {
		return errors.New("scavenger: the collector does not answer, or not to this api key")
	}
	for !c.complete {
		if err := c.publishChunk(); err != nil {
			return err
		}
		if c.complete {
			time.Sleep(settle)
		}
	}
	return c.sendRest()
}

// finish is the last publication, within the time that Exit has. It is made
// even if the process did not live until its first tick.
func (c *collector) finish() {
	if c.refused {
		return
	}
	defer c.client.closeIdle()
	if !c.polled {
		c.pollConfig() // if only the poll fails, hits may still get through
		if c.refused || c.target == "" {
			return
		}
	}
	if !c.complete {
		c.finishUnknown()
		return
	}
	fresh := c.published == 0
	if c.sendAgain() != nil || c.sendRest() != nil {
		return
	}
	if fresh { // the collector may still be busy with the codebase
		c.settle()
		if c.sendAgain() != nil {
			return
		}
	}
	c.finishLeftovers()
}

// finishLeftovers sends what earlier processes left behind, as long as there is
// time: programs that never live until a tick would leave it for ever.
func (c *collector) finishLeftovers() {
	for c.p.left() > 0 && c.sendLeftover() {
	}
}

// finishUnknown is the last publication of a process whose codebase the
// collector does not have yet: step 4 in collector.go.
func (c *collector) finishUnknown() {
	err := c.sendRest()
	if c.refused {
		return
	}
	c.settle()
	for !c.complete {
		if c.publishChunk() != nil {
			break
		}
	}
	if c.refused || !c.complete && err == nil {
		return
	}
	c.settle()
	if c.sendRest() == nil {
		c.finishLeftovers()
	}
}

// settle pauses, if there is time.
func (c *collector) settle() {
	time.Sleep(min(settle, c.p.left()/4))
}
