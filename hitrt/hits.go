//go:build !nonetwork

// Hits on their way to the collector: when each function was last hit, and which of
// these times the collector does not have yet.

package hitrt

import (
	"iter"
	"maps"
	"math"
	"slices"
	"time"
)

// longestInterval is the length at which a recording interval ends even if nothing
// can be sent. All hits of an interval have the time of its start, and after an outage
// of weeks a function that was called yesterday must not look as if it had not been
// called for weeks. The collector's own intervals are shorter.
const longestInterval = 30 * time.Minute

// hits holds the hits of one process. It takes four bytes and three bits a function
// from the first hit on, however long the collector is away.
type hits struct {
	size    int       // one more than the highest number
	current bitset    // hits of the current recording interval
	since   time.Time // when that began
	ended   int64     // when the interval before it began, in Unix milliseconds
	until   int64     // when that ended, and the current one began

	// last is, by number, the start of the last interval that had a hit, in Unix seconds;
	// 0 = no hit.
	last   []uint32
	unsent bitset // those whose last the collector has not accepted
	once   bitset // those whose last it accepted at the latest publication
}

// add records a hit.
func (h *hits) add(number int) {
	if h.current == nil {
		h.current = newBitset(h.size)
	}
	h.current.add(number)
}

// allocate makes the sets, unless they are there.
func (h *hits) allocate() {
	if h.last == nil {
		h.last, h.unsent, h.once = make([]uint32, h.size), newBitset(h.size), newBitset(h.size)
	}
}

// presume records a call of a function without a mark, which is sent with its own time.
func (h *hits) presume(number int, at int64) {
	h.allocate()
	h.last[number] = uint32(min(at/1000, math.MaxUint32))
	h.unsent.add(number)
}

// end ends the recording interval and begins another.
func (h *hits) end(now time.Time) {
	h.ended = intervalStart(h.since, now)
	h.since, h.until = now, unixMillis(now)
	if h.current == nil {
		return
	}
	h.allocate()
	start := uint32(min(h.ended/1000, math.MaxUint32))
	for number := range h.current.members() {
		h.last[number] = max(h.last[number], start) // the clock may have been set back
	}
	h.unsent.or(h.current)
	h.once.remove(h.current)
	clear(h.current)
}

// renew makes all hits unsent that the collector ever accepted.
func (h *hits) renew() {
	for number, at := range h.last {
		if at != 0 {
			h.unsent.add(number)
		}
	}
	clear(h.once)
}

// known returns the number of functions that were ever hit.
func (h *hits) known() (n int) {
	for _, at := range h.last {
		if at != 0 {
			n++
		}
	}
	return n
}

// byTime yields the interval starts to send the members of a set with, and the
// members of each. It joins the intervals of an hour, and after two days those of a
// day, under the latest of their starts: so a function may seem to have been called
// later than it was, but not earlier.
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

// period returns the number of the hour that a time, in Unix seconds, is in, or of the
// day if it is older than two days. Times of one period are published together.
func period(at int64, now time.Time) int64 {
	const hour, day = 3600, 24 * 3600
	if at < now.Unix()-2*day {
		return at / day * day
	}
	return at/hour*hour + 1 // +1 keeps hours distinct from days
}

// intervalStart returns since in Unix milliseconds. If the wall clock was set in
// between, so that since is impossible or in the future, it is computed from the
// monotonic clock.
func intervalStart(since, now time.Time) int64 {
	wall := since.UnixMilli()
	if wall < earliest || wall > now.UnixMilli() {
		wall = now.Add(-now.Sub(since)).UnixMilli()
	}
	return max(wall, earliest)
}

// endInterval ends the recording interval.
func (e *exporter) endInterval() {
	e.p.sweep()
	e.hits.end(e.p.now())
}

// publishInvocations repeats what the last publication got accepted, and then sends
// the hits since.
func (e *exporter) publishInvocations() {
	if e.sendAgain() != nil {
		return
	}
	e.endInterval()
	if e.hits.unsent.empty() { // the collector expects a publication nevertheless
		if _, err := e.sendMessage(e.hits.unsent, e.hits.ended); err != nil {
			return
		}
	}
	if e.sendUnsent() != nil {
		return
	}
	if e.published++; e.published == 1 {
		e.p.log.InfoHourly("invocations", "invocations published")
	}
	e.invocation.succeeded(e.p.now())
}

// sendRest sends all hits that the collector has not accepted so far.
func (e *exporter) sendRest() error {
	e.endInterval()
	return e.sendUnsent()
}

func (e *exporter) sendUnsent() error {
	for start, members := range e.hits.byTime(e.hits.unsent, e.p.now()) {
		err := e.sendHits(members, start, func(part bitset) {
			e.hits.unsent.remove(part)
			e.hits.once.or(part)
			e.noteAccepted(part, 1)
		})
		if err != nil {
			return err
		}
		e.hits.unsent.remove(members) // with them cells that belong to no entry
	}
	return nil
}

// sendAgain sends once more what was accepted once.
func (e *exporter) sendAgain() error {
	for start, members := range e.hits.byTime(e.hits.once, e.p.now()) {
		err := e.sendHits(members, start, func(part bitset) {
			e.hits.once.remove(part)
			e.noteAccepted(part, 2)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// noteAccepted notes in local files that the collector accepted hits of the last interval
// or earlier, for the first or the second time.
func (e *exporter) noteAccepted(part bitset, times int) {
	if e.p.data != nil {
		e.p.data.accepted(part, times, e.hits.until)
	}
}

// sendHits publishes hits with one interval start, in as many messages as they take. It
// calls accepted with the hits that the collector said OK to.
func (e *exporter) sendHits(hits bitset, start int64, accepted func(bitset)) error {
	for left := slices.Clone(hits); !left.empty(); {
		part, err := e.sendMessage(left, start)
		if err != nil || part.empty() { // only cells are left that belong to no entry
			return err
		}
		left.remove(part)
		accepted(part)
	}
	return nil
}

// sendMessage publishes as many of the hits as one message takes, and returns them. It
// publishes an empty message if there are no hits at all.
func (e *exporter) sendMessage(hits bitset, start int64) (part bitset, err error) {
	if err := e.pollFirst(); err != nil { // here: many messages to a slow collector take long
		e.invocation.failed(e.p.now())
		return nil, err
	}
	if e.fingerprint == "" {
		e.prepareChunks()
	}
	message := newInvocations(start, e.common(e.fingerprint, unixMillis(e.p.now())), 0)
	part = newBitset(e.p.codebase.size)
	sent := 0
	for number, hash := range e.p.codebase.hashes(hits) {
		message = appendHit(message, hash)
		part.add(number)
		if sent++; len(message)+hitSize > e.limit {
			break
		}
	}
	if sent == 0 && !hits.empty() {
		return part, nil
	}
	if err := e.publish(methodInvocations, message); err != nil {
		e.invocation.failed(e.p.now())
		e.shrink(err)
		e.logError(err, &e.invocation, "publishing invocations")
		return nil, err
	}
	e.p.log.Debug("%d invocations published", sent)
	return part, nil
}
