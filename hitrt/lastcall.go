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
	if c.repeat == repeatDue && c.sendAgain() != nil {
		return
	}
	if c.sendRest() != nil {
		return
	}
	if c.repeat == repeatDue {
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
// collector does not have yet: step 3 above.
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
	if err != nil {
		err = c.sendRest()
	} else {
		err = c.sendAgain()
	}
	if err == nil {
		c.finishLeftovers()
	}
}

// sendRest sends the batch that could not be sent so far, if there is one, and
// then all hits that are not in a batch.
func (c *collector) sendRest() error {
	if c.batch != nil {
		if err := c.sendBatch(); err != nil {
			return err
		}
	}
	c.takeBatch()
	if c.batch.hits.empty() {
		return nil
	}
	return c.sendBatch()
}

// settle pauses, if there is time.
func (c *collector) settle() {
	time.Sleep(min(settle, c.p.left()/4))
}
