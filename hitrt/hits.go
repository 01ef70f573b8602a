package hitrt

// Hits on their way to the collector: when each function was last hit, and what
// of that the collector has still to be told.

import (
	"iter"
	"maps"
	"math"
	"slices"
	"time"
)

// longestInterval is when a recording interval ends though nothing can be sent:
// all its hits have the time of its start, and after an outage of weeks a
// function that was called yesterday must not look as if it had not been called
// for weeks. Intervals of the collector's own are shorter.
const longestInterval = 30 * time.Minute

// hits are those of one process. They take four bytes and three bits a function,
// from the first recording interval with a hit on, however long the collector is
// away.
type hits struct {
	size    int       // one more than the highest number
	current bitset    // of the recording interval that goes on
	since   time.Time // when it began
	ended   int64     // when the one before it began, in Unix milliseconds

	last   []uint32 // by number: when the last interval began that had a hit, in Unix seconds; 0 = none did
	unsent bitset   // the collector has not accepted that yet
	once   bitset   // it has, at the last publication
}

// add is a hit.
func (h *hits) add(number int) {
	if h.current == nil {
		h.current = newBitset(h.size)
	}
	h.current.add(number)
}

// end ends the recording interval and begins another.
func (h *hits) end(now time.Time) {
	h.ended = intervalStart(h.since, now)
	h.since = now
	if h.current == nil {
		return
	}
	if h.last == nil {
		h.last, h.unsent, h.once = make([]uint32, h.size), newBitset(h.size), newBitset(h.size)
	}
	start := uint32(min(h.ended/1000, math.MaxUint32))
	for number := range h.current.members() {
		h.last[number] = max(h.last[number], start) // the clock may have been set back
	}
	h.unsent.or(h.current)
	h.once.remove(h.current)
	clear(h.current)
}

// renew makes all that was ever accepted unsent.
func (h *hits) renew() {
	for number, at := range h.last {
		if at != 0 {
			h.unsent.add(number)
		}
	}
	clear(h.once)
}

// byTime returns the interval starts that the members of a set are to be sent
// with, and for each its members, one after the other. Those of one hour go
// together, and those of one day after two days, with the latest of their starts:
// a function may so seem to have been called later than it was, but not earlier.
func (h *hits) byTime(set bitset, now time.Time) iter.Seq2[int64, bitset] {
	latest := map[int64]uint32{}
	for number := range set.members() {
		p := period(int64(h.last[number]), now)
		latest[p] = max(latest[p], h.last[number])
	}
	return func(yield func(int64, bitset) bool) {
		for _, p := range slices.Sorted(maps.Keys(latest)) {
			members := newBitset(h.size)
			for number := range set.members() {
				if period(int64(h.last[number]), now) == p {
					members.add(number)
				}
			}
			if !yield(max(int64(latest[p])*1000, earliest), members) {
				return
			}
		}
	}
}

// period names what a time, in Unix seconds, is published together with: that of
// its hour, or of its day if it is older than two days.
func period(at int64, now time.Time) int64 {
	const hour, day = 3600, 24 * 3600
	if at < now.Unix()-2*day {
		return at / day * day
	}
	return at/hour*hour + 1 // so that it is no day's
}

// intervalStart is since in Unix milliseconds. If the wall clock was set in
// between, so that since is no time at all or in the future, it is told from
// the monotonic clock.
func intervalStart(since, now time.Time) int64 {
	wall := since.UnixMilli()
	if wall < earliest || wall > now.UnixMilli() {
		wall = now.Add(-now.Sub(since)).UnixMilli()
	}
	return max(wall, earliest)
}

// endInterval ends the recording interval.
func (c *collector) endInterval() {
	c.p.sweep()
	c.hits.end(c.p.now())
}

// publishInvocations sends what was accepted at the last publication once more,
// and then the hits since.
func (c *collector) publishInvocations() {
	if c.sendAgain() != nil {
		return
	}
	c.endInterval()
	if c.hits.unsent.empty() { // the collector wants to hear of us nevertheless
		if c.sendHits(newBitset(c.hits.size), c.hits.ended, nil) != nil {
			return
		}
	}
	if c.sendUnsent() != nil {
		return
	}
	if c.published++; c.published == 1 {
		c.p.rep.inform("invocations", "invocations published")
	}
	c.invocation.succeeded(c.p.now())
}

// sendRest sends all hits that were not accepted so far, if there are any.
func (c *collector) sendRest() error {
	c.endInterval()
	return c.sendUnsent()
}

func (c *collector) sendUnsent() error {
	for start, members := range c.hits.byTime(c.hits.unsent, c.p.now()) {
		err := c.sendHits(members, start, func(part bitset) {
			c.hits.unsent.remove(part)
			c.hits.once.or(part)
		})
		if err != nil {
			return err
		}
		c.hits.unsent.remove(members) // also marks that no entry has
	}
	return nil
}

// sendAgain sends what was accepted once.
func (c *collector) sendAgain() error {
	for start, members := range c.hits.byTime(c.hits.once, c.p.now()) {
		if err := c.sendHits(members, start, c.hits.once.remove); err != nil {
			return err
		}
	}
	return nil
}

// sendHits publishes hits with one interval start, in as many messages as they
// need, at least one. accepted is called with what the collector said OK to.
func (c *collector) sendHits(hits bitset, start int64, accepted func(bitset)) error {
	if c.polled && c.poll.due(c.p.now()) && !c.p.isExiting() {
		c.pollConfig() // there may be many messages, and a slow collector
	}
	if c.fingerprint == "" {
		c.prepareChunks()
	}
	head := appendInt(nil, 3, start)
	head = appendBytes(head, 1, c.common(c.fingerprint, unixMillis(c.p.now())))
	left := slices.Clone(hits)
	for first := true; first || !left.empty(); first = false {
		message := append(newMessage(len(head)), head...)
		part := newBitset(c.p.codebase.size)
		sent := 0
		for number, hash := range c.p.codebase.hashes(left) {
			message = appendHit(message, hash)
			part.add(number)
			if sent++; len(message)+hitSize > c.limit {
				break
			}
		}
		if sent == 0 && (!first || accepted != nil) {
			break // marks that no entry has
		}
		if err := c.publish(methodInvocations, message); err != nil {
			c.invocation.failed(c.p.now())
			c.shrink(err)
			c.report(err, &c.invocation, "publishing invocations")
			return err
		}
		c.p.rep.trace("%d invocations published", sent)
		if sent == 0 {
			break
		}
		left.remove(part)
		accepted(part)
	}
	return nil
}
