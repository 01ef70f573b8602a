//go:build !nonetwork

// Repair: a collector that lost what it had gets it again. Its database was wiped or
// restored, or the application was deleted in the web page. No answer says so: the
// collector says OK to all that it is sent, and a publication of hits makes the rows of
// application and process anew. There are two signs.
//
// The interval of polls. It grows with the age of the process, from two minutes to twenty,
// and the age is in the collector's row of the process. If the interval falls, the row is
// gone, and with it codebase and hits. Since any publication makes the row again, a poll
// comes before each (pollFirst).
//
// An outage: calls failed, and a poll succeeds. If the interval has grown in the life of
// the process and did not fall, the collector has the row, and with it the codebase. But
// it may have a backup that lacks the latest hits, so all hits are sent again, and no
// more. Where the interval cannot tell (the process is younger than ten minutes, or hits
// were accepted since), codebase and hits are.
//
// What shows no sign is repaired by sending the codebase again in any case, with the hits
// after it: after 10, 20, 40 minutes and so on up to every six hours; but at most a
// megabyte of it an hour, though once in 75 minutes and once a day (nextCodebase).
//
// A fleet sees a sign at about the same time. Each process draws a delay, from a time in
// proportion to what it would send. Codebases for which half an hour would be too short
// are sent by a few processes for all: see claim.

package hitrt

import (
	"errors"
	"math"
	"math/rand/v2"
	"time"
)

const (
	// pollAge is how old the latest poll may be when something is published: of the same
	// tick.
	pollAge = 5 * time.Second

	// pollTries is the number of polls that have to fail in a row before something is
	// published without.
	pollTries = 3

	// settled is the age from which an interval is not only that of one of several
	// collectors: each of them keeps what it told a process for five minutes.
	settled = 310 * time.Second

	// silence is the time without a poll that counts as an outage: the collector forgets a
	// process after 50 minutes.
	silence = 45 * time.Minute

	megabyte = 1 << 20

	// spread is the time over which processes send a megabyte each; a thousand of them
	// send 1.7 MB a second. It ends at longestSpread.
	spread         = 10 * time.Minute // for each megabyte
	shortestSpread = 30 * time.Second
	longestSpread  = 30 * time.Minute

	// sharedSize is the size from which a codebase is sent by a few processes for all.
	sharedSize = megabyte * int(longestSpread/spread)

	// quiet is the time after which a repair does not put off the next one. Each that
	// comes sooner doubles the time between them.
	quiet = 24 * time.Hour

	oldestBackup = 7 * 24 * time.Hour
)

// A loss is what a collector may have lost.
type loss int

const (
	noLoss loss = iota
	lostHits
	lostAll // codebase and hits
)

// repair is what the exporter knows of the collector's knowledge, and what it is about to
// do.
type repair struct {
	interval int32     // of the latest answer, in seconds
	since    time.Time // when that was given first
	lowest   int32     // what a process gets that the collector does not know
	grew     bool      // it has grown since the collector knows the process

	sent  bool // something was accepted
	doubt bool // a call failed since the latest poll
	blind bool // and something was accepted after it

	keyless bool // the collector no longer knows the api key

	pending loss
	asked   time.Time     // when pending was set
	delay   time.Duration // it is due when this has passed since then

	at     time.Time     // of the latest repair
	gap    time.Duration // the least time until the next one
	claims bool          // the codebase is sent for other processes, too

	size   int           // of the codebase, in bytes
	rounds int           // how often it was sent without a sign
	wait   time.Duration // until it is sent the next time
}

// judge concludes from the answer to a poll what the collector has lost.
func (e *exporter) judge(interval int32, now time.Time) {
	r := &e.repair
	doubt := r.doubt || e.polled && elapsed(e.lastPoll, now) > silence
	less := interval < r.interval
	fell := less && (doubt || elapsed(r.since, now) > settled)
	switch {
	case !r.sent:
	case fell, doubt && (!r.grew || r.blind):
		e.plan(lostAll, now)
	case doubt:
		e.plan(lostHits, now)
	}
	r.doubt, r.blind, r.keyless = false, false, false
	if less && !fell || interval == r.interval {
		return
	}
	r.grew = interval > r.interval && r.interval > 0
	r.interval, r.since = interval, now
	if r.lowest == 0 || interval < r.lowest {
		r.lowest = interval
	}
}

// failing and accepted note what became of a publication.
func (r *repair) failing() { r.doubt = true }

func (r *repair) accepted() {
	r.sent = true
	r.blind = r.blind || r.doubt
}

// keyForgotten puts s off for long: a collector that knew the api key does not know it any
// more. Its workspace was deleted, or its database was lost and may be restored.
func (e *exporter) keyForgotten(s *schedule) {
	s.delay = maxRetry
	if !e.repair.keyless {
		e.repair.keyless = true
		e.p.log.Error("the collector at %s (%s) no longer knows the api key %s: asking again every %v, in case that it lost its database and gets it back",
			e.p.set.serverURL, e.target, keyStart(e.p.set.apiKey), maxRetry)
	}
}

// pollFirst polls if the latest poll is not of this moment. If it fails, a publication has
// to wait: it would make the row anew by whose absence a poll tells a loss.
func (e *exporter) pollFirst() error {
	if !e.polled || e.p.isExiting() {
		return nil
	}
	now := e.p.now()
	if e.poll.failures > 0 && !e.poll.due(now) || e.poll.failures == 0 && elapsed(e.lastPoll, now) <= pollAge {
		return e.unanswered()
	}
	e.pollConfig()
	return e.unanswered()
}

// pollsLater reports whether a poll that is due can wait for the publication that will be
// due at the next tick, and needs a poll, too.
func (e *exporter) pollsLater(now time.Time) bool {
	tick := e.p.set.interval
	return tick <= 10*time.Second && e.complete && e.poll.failures == 0 &&
		!e.invocation.due(now) && e.invocation.due(now.Add(tick))
}

// unanswered returns an error if publications wait for a poll.
func (e *exporter) unanswered() error {
	if e.refused || 0 < e.poll.failures && e.poll.failures < pollTries {
		return errors.New("scavenger: the collector does not answer to a poll")
	}
	return nil
}

// plan makes the repair of a loss due soon.
func (e *exporter) plan(what loss, now time.Time) {
	r := &e.repair
	if what <= r.pending {
		return
	}
	bytes := hitSize * e.hits.known()
	name := "hits are"
	if what == lostAll {
		bytes += r.size
		name = "codebase and hits are"
	}
	r.pending, r.asked = what, now
	r.delay = draw(bytes)
	if !r.at.IsZero() {
		r.delay += max(r.gap-elapsed(r.at, now), 0)
	}
	e.p.log.InfoHourly("loss", "the collector may have lost what it was sent: %s sent again in %v", name, r.delay.Round(time.Second))
}

// window returns the time over which the processes of a fleet send so many bytes each.
func window(bytes int) time.Duration {
	d := time.Duration(bytes) * (spread / time.Millisecond) / megabyte * time.Millisecond
	return min(max(d, shortestSpread), longestSpread)
}

// draw returns a random delay for so many bytes. Of what a few processes send for all, most
// draw a late time: of a thousand, the first has one of eleven minutes on average, and when
// it is done hardly any other was due. That takes no knowledge of how many there are.
func draw(bytes int) time.Duration {
	const rareness = 11
	part := rand.Float64()
	if bytes > sharedSize {
		part = max(1+math.Log(1-part)/rareness, 0)
	}
	return time.Duration(part * float64(window(bytes)))
}

// mend does what is pending, when it is due.
func (e *exporter) mend(now time.Time) {
	r := &e.repair
	if r.pending == noLoss || !e.complete || elapsed(r.asked, now) < r.delay {
		return
	}
	whole := r.pending == lostAll
	shared := whole && r.size > sharedSize
	if shared {
		claimed, err := e.isClaimed()
		if err != nil {
			r.doubt, r.asked, r.delay = true, now, e.poll.retry
			return
		}
		if claimed {
			whole = false
			r.rounds++ // who sent it will send it for the second time
			e.completed(now)
		}
	}
	if elapsed(r.at, now) > quiet {
		r.gap = 0
	}
	r.at, r.gap = now, min(max(2*r.gap, window(r.size)), quiet)
	e.mendOrphans(now)
	r.pending = noLoss
	e.hits.renew() // and once more after the codebase
	if whole {
		r.rounds, r.claims = 0, shared
		e.restartCodebase()
		e.p.log.InfoHourly("repair", "codebase and hits are sent again")
		return
	}
	if e.invocation.failures == 0 {
		e.invocation.soon()
	}
	e.p.log.InfoHourly("hits", "hits are sent again")
}

// mendOrphans sends again what earlier processes left in dataDir: after the loss of a
// database all of it, and after an outage what a backup of the last week may lack.
func (e *exporter) mendOrphans(now time.Time) {
	from := int64(0)
	if e.repair.pending == lostHits {
		from = unixMillis(now.Add(-oldestBackup))
	}
	e.orphans.lose(max(from, 1))
}

// mendAtExit makes the last publication one that repairs a loss. It asks for one: what only
// this process has called, nobody else will send. A codebase that takes long is left to
// others: a function that is not listed is not shown as dead.
func (e *exporter) mendAtExit() {
	r := &e.repair
	now := e.p.now()
	if e.polled && (r.grew || r.doubt) && elapsed(e.lastPoll, now) > pollAge {
		if answer, err := e.fetchConfig(e.p.left() / 4); err == nil {
			e.judge(answer.poll, now)
		}
	}
	if r.pending == noLoss {
		return
	}
	e.hits.renew()
	e.mendOrphans(now)
	if e.complete && r.pending == lostAll && r.size <= sharedSize {
		e.restartCodebase()
	}
}

// completed notes that the collector accepted the whole codebase, and draws the time until
// it is sent again.
func (e *exporter) completed(now time.Time) {
	r := &e.repair
	e.complete, e.completeAt = true, now
	most := nextCodebase(r.size, r.rounds)
	r.wait = most - time.Duration(rand.Int64N(int64(most/8)))
	r.rounds++
}

// nextCodebase returns the longest time between the publication of a codebase of so many
// bytes and the next one. The collector sweeps every hour: the second publication after 75
// minutes is rule 5 in exporter.go.
func nextCodebase(size, rounds int) time.Duration {
	hourly := time.Duration(size) * (time.Hour / time.Millisecond) / megabyte * time.Millisecond
	d := max(10*time.Minute<<min(rounds, 6), hourly)
	if rounds == 0 {
		d = min(d, 75*time.Minute)
	}
	return min(d, max(hourly, 6*time.Hour), 24*time.Hour)
}

// isDue reports whether the codebase is sent again without a sign. A slow collector gets
// the hits first that belong to the latest one.
func (e *exporter) isDue(now time.Time) bool {
	return e.complete && e.published > 0 && elapsed(e.completeAt, now) > e.repair.wait
}
