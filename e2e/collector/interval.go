// The intervals that the answer to a poll dictates.

package collector

import (
	"math/rand/v2"
	"time"
)

// Seconds between two actions of a publisher, in the real collector.
const (
	defaultSeconds  = 120  // poll, publish and retry alike
	disabledSeconds = 3600 // publish and retry in a disabled workspace
)

// The real collector keeps the intervals of a process for this long, so an
// older process gets its longer intervals up to five minutes late.
const intervalCacheTime = 300 * time.Second

// timeslot is the age after which a process gets the next weight.
const timeslotSeconds = 600

// intervals is the answer to a poll, in seconds.
type intervals struct {
	poll, pollRetry               int
	codebase, codebaseRetry       int
	invocations, invocationsRetry int
}

// base is the part of the answer that depends on the age of the process.
type base struct {
	poll, publish, retry int
}

type cachedBase struct {
	base
	at time.Time
}

// weight returns the factor for a process of the given age: 1, 2 and 5 in its first three
// slots of ten minutes, 10 from then on. Like the real collector it returns the last
// factor for a process that starts more than ten minutes from now.
func (c *Collector) weight(age time.Duration) int {
	if c.options.TestProfile {
		return 1
	}
	weights := []int{1, 2, 5, 10}
	slot := int(age/time.Second) / timeslotSeconds
	if slot < 0 || slot >= len(weights) {
		slot = len(weights) - 1
	}
	return weights[slot]
}

// baseIntervals returns the intervals of one process. The caller holds c.mu.
func (c *Collector) baseIntervals(workspace, uuid string) base {
	now := c.now()
	key := pair{workspace, uuid}
	if b, ok := c.cache[key]; ok && now.Sub(b.at) < intervalCacheTime {
		return b.base
	}
	weight := 1 // also for a process that has not published yet
	if jvm := c.tables.jvms[key]; jvm != nil {
		weight = c.weight(now.Sub(time.UnixMilli(jvm.CreatedAtMillis)))
	}
	b := base{
		poll:    c.seconds.poll * weight,
		publish: c.seconds.publish * weight,
		retry:   c.seconds.retry,
	}
	c.cache[key] = cachedBase{b, now}
	return b
}

// intervalsFor returns the whole answer to a poll. The caller holds c.mu.
func (c *Collector) intervalsFor(workspace, uuid string) intervals {
	b := c.baseIntervals(workspace, uuid)
	if c.workspaces[workspace].disabled {
		return intervals{b.poll, b.retry, disabledSeconds, disabledSeconds, disabledSeconds, disabledSeconds}
	}
	return intervals{
		poll: b.poll, pollRetry: b.retry,
		codebase: b.publish + c.jitter(), codebaseRetry: b.retry,
		invocations: b.publish + c.jitter(), invocationsRetry: b.retry,
	}
}

// jitter returns the random part of the publish intervals, drawn anew each time.
func (c *Collector) jitter() int {
	if c.options.NoJitter {
		return 0
	}
	return rand.IntN(10)
}

// SetIntervals changes the base intervals, in seconds, for all polls from now
// on. The age of a process still multiplies poll and publish.
func (c *Collector) SetIntervals(poll, publish, retry int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seconds = base{poll, publish, retry}
	clear(c.cache)
}
