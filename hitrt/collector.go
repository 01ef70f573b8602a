package hitrt

// The collector outlet: what is sent when.
//
// OK from the collector means accepted; it stores afterwards, in parallel. For
// each function of a new codebase it adds a row "never invoked" where there is
// none, and for each hit it updates the row, or adds one if it saw none. When
// both happen at once a hit can be lost:
//
//	hits      update: no row yet
//	codebase                        add "never invoked"
//	hits                                                  add "invoked": there is one, ignored
//
// The hit stays lost until the function is hit again, and what runs once, at
// the start, is not hit again. So:
//
//  1. The codebase and the first hits are at least one tick apart.
//  2. At the publication after the first one following a codebase, all that was
//     accepted from this process is sent once more, with its original interval
//     start. Times only grow in the collector, so this does no harm. After the
//     first codebase these are the first hits. After a later one (the process
//     was silent and swept, or the application was deleted in the UI) they are
//     every function that ever ran in this process, some of which will not run
//     again.
//  3. At exit there may be no time for that. Hits go first then: stored before
//     the codebase they cannot be overwritten by it, and they are small. The
//     codebase follows after a pause, and after another one the hits again.

import (
	"context"
	"time"
)

const (
	pollTimeout    = 10 * time.Second
	publishTimeout = 30 * time.Second

	// firstRetry is the retry interval until the collector has said one. Java
	// waits ten minutes, in which a container may have come and gone.
	firstRetry    = 10 * time.Second
	firstInterval = 10 * time.Minute

	// silence is how long the collector may not have heard of a process before
	// it must be told the codebase again; it forgets after 50 minutes.
	silence = 45 * time.Minute

	// republish is when the codebase is sent again in any case. It is cheap if
	// it is known, and repairs what was deleted in the UI.
	republish = 24 * time.Hour

	// settle is the pause that the collector gets at exit to store what it has.
	settle = 100 * time.Millisecond

	// maxMessage is the largest message, below the collector's limit of 10 MiB;
	// minMessage is as far down as a collector with a lower one is followed.
	maxMessage = 10_000_000
	minMessage = 64 << 10

	// maxAnySize is the largest message that can be asked for. All of it is in
	// memory while it is sent.
	maxAnySize = 1 << 30

	// maxCommon is more than CommonPublicationData can take.
	maxCommon = 8 << 10
)

// A repeatState says how far step 2 above has come.
type repeatState int

const (
	repeatNone  repeatState = iota
	repeatArmed             // a codebase was published
	repeatDue               // and then hits
)

// A collector is the outlet to one collector. It belongs to the publisher's
// goroutine.
type collector struct {
	p       *publisher
	client  *client
	target  string // where gRPC is, such as "http://host:80"; empty until known
	refused bool   // the key is unknown there: nothing is sent any more

	poll       schedule
	codebase   schedule
	invocation schedule

	polled   bool      // there was a successful poll
	lastPoll time.Time // when it was

	limit       int     // of a message, in bytes
	chunks      []chunk // of the codebase; nil before the first one is sent
	next        int     // the chunk to send next
	codebaseAt  int64   // published_at of all chunks
	fingerprint string  // of the last chunk; hits carry it
	complete    bool    // all chunks were accepted
	completeAt  time.Time

	pending      bitset    // hits not yet in a batch
	pendingSince time.Time // when their recording interval began
	batch        *batch    // on its way, kept unchanged until it is accepted
	accepted     bitset    // hits that the collector said OK to
	acceptedFrom int64     // the interval start of the first of them
	repeat       repeatState

	leftovers leftovers // of earlier processes
}

// A batch is the hits of one recording interval.
type batch struct {
	hits        bitset
	start       int64 // of the interval
	publishedAt int64
}

func newCollector(p *publisher) *collector {
	first := schedule{interval: firstInterval, retry: firstRetry, since: p.started}
	if force := p.set.forceInterval; force != 0 {
		first.interval, first.retry = force, force
	}
	return &collector{
		p: p, client: newClient(p.set, p.network), limit: p.set.maxMessage,
		poll: first, codebase: first, invocation: first,
		pending: newBitset(p.codebase.size), pendingSince: p.started,
		accepted: newBitset(p.codebase.size),
	}
}

// tick does what is due, at most one codebase or one invocation publication.
func (c *collector) tick() {
	defer c.client.closeIdle()
	if c.poll.due(c.p.now()) {
		c.pollConfig()
	}
	if c.refused || !c.polled || c.p.isExiting() {
		return
	}
	now := c.p.now()
	if c.complete && elapsed(c.completeAt, now) > republish {
		c.restartCodebase()
	}
	switch {
	case !c.complete && c.codebase.due(now):
		c.publishChunk()
	case (c.complete || c.codebase.failures > 0) && c.invocation.due(now):
		// Hits must not wait for a codebase that the collector does not take:
		// it may know these functions from another process.
		c.publishInvocations()
	case c.complete && c.repeat == repeatNone && c.batch == nil && c.invocation.failures == 0:
		c.sendLeftover()
	}
}

// pollConfig asks for the intervals, and first of all for the gRPC address.
// Polling is also what keeps the collector's rows about this process alive.
func (c *collector) pollConfig() {
	answer, err := c.fetchConfig()
	now := c.p.now()
	if err != nil {
		c.poll.failed(now)
		c.report(err, &c.poll, "polling "+c.p.set.serverURL)
		return
	}
	c.poll.succeeded(now)
	if c.polled && elapsed(c.lastPoll, now) > silence {
		c.restartCodebase()
	}
	c.polled, c.lastPoll = true, now
	if c.p.set.forceInterval == 0 {
		c.poll.update(now, answer.poll, answer.pollRetry, maxPoll)
		c.codebase.update(now, answer.codebase, answer.codebaseRetry, maxInterval)
		c.invocation.update(now, answer.invocation, answer.invocationRetry, maxInterval)
	}
	c.p.rep.trace("polled %s, gRPC at %s", c.p.set.serverURL, c.target)
}

func (c *collector) fetchConfig() (intervals, error) {
	if c.target == "" || c.poll.failures > 0 { // it may have moved
		target, err := await(c.p, pollTimeout, c.client.initConfig)
		if err != nil {
			return intervals{}, err
		}
		c.target = target
	}
	body, err := c.send(pollTimeout, methodPoll, encodeConfigRequest(c.p.set.apiKey, c.p.process))
	if err != nil {
		return intervals{}, err
	}
	return decodeIntervals(body)
}

// send makes one gRPC call.
func (c *collector) send(timeout time.Duration, method string, message []byte) ([]byte, error) {
	target := c.target
	return await(c.p, timeout, func(ctx context.Context) ([]byte, error) {
		return c.client.call(ctx, target, method, message)
	})
}

// publish sends a publication and wants OK.
func (c *collector) publish(method string, message []byte) error {
	body, err := c.send(publishTimeout, method, message)
	if err != nil {
		return err
	}
	status, err := decodeStatus(body)
	if err == nil && status != "OK" {
		err = &statusError{grpc: 2, text: "status " + shown(status)}
	}
	return err
}

// report says what went wrong when, and notices when it is for good.
func (c *collector) report(err error, s *schedule, when string) {
	switch {
	case unauthenticated(err):
		c.refused = true
		c.p.rep.say("refused", "the collector at %s (%s) does not know the api key %s: nothing is sent until the program is restarted",
			c.p.set.serverURL, c.target, keyStart(c.p.set.apiKey))
	case c.p.isExiting():
		c.p.rep.say("exit", "%s at exit: %v", when, err)
	default:
		c.p.rep.say(when, "%s: %v; next attempt in %v", when, err, s.delay)
	}
}

// common is what every publication begins with.
func (c *collector) common(fingerprint string, publishedAt int64) []byte {
	set := c.p.set
	return common{
		apiKey:      set.apiKey,
		appName:     set.appName,
		appVersion:  set.appVersion,
		fingerprint: fingerprint,
		environment: set.environment,
		hostname:    set.hostname,
		startedAt:   unixMillis(c.p.started),
		process:     c.p.process,
		publishedAt: publishedAt,
	}.encode()
}

// restartCodebase makes the whole codebase due.
func (c *collector) restartCodebase() {
	c.complete, c.chunks, c.next = false, nil, 0
	c.codebase.soon()
}

// prepareChunks splits the codebase if that was not done.
func (c *collector) prepareChunks() {
	if c.chunks == nil {
		c.chunks = c.p.codebase.chunks(c.p.set.environment, c.limit-maxCommon)
		c.fingerprint = c.chunks[len(c.chunks)-1].fingerprint
		c.next = 0
		// One time for all: the collector takes methods for removed that it saw
		// before the oldest fingerprint.
		c.codebaseAt = unixMillis(c.p.now())
	}
}

// publishChunk sends the next chunk of the codebase.
func (c *collector) publishChunk() error {
	c.prepareChunks()
	k := c.chunks[c.next]
	err := c.publish(methodCodebase, c.p.codebase.encode(k, c.common(k.fingerprint, c.codebaseAt)))
	now := c.p.now()
	if err != nil {
		c.codebase.failed(now)
		c.shrink(err)
		c.report(err, &c.codebase, "publishing the codebase")
		return err
	}
	c.p.rep.trace("codebase published, %d of %d, %d functions", c.next+1, len(c.chunks), len(k.members))
	c.codebase.soon()
	if c.next++; c.next == len(c.chunks) {
		c.complete, c.completeAt = true, now
		c.chunks = nil
		c.repeat = repeatArmed
		c.codebase.succeeded(now)
		c.invocation.soon()
	}
	return nil
}

// shrink halves the largest message if the collector's limit is lower. The
// codebase begins anew: its chunks are others then.
func (c *collector) shrink(err error) {
	if tooLarge(err) && c.limit/2 >= minMessage {
		c.limit /= 2
		c.chunks, c.next = nil, 0
	}
}

// publishInvocations sends the hits since the last time, and what step 2 above
// asks for before them.
func (c *collector) publishInvocations() {
	if c.repeat == repeatDue {
		if c.sendAgain() != nil {
			return
		}
	}
	if c.batch == nil {
		c.takeBatch()
	}
	c.sendBatch()
}

// takeBatch ends the recording interval.
func (c *collector) takeBatch() {
	now := c.p.now()
	c.p.sweep()
	start := intervalStart(c.pendingSince, now)
	c.batch = &batch{hits: c.pending, start: start, publishedAt: unixMillis(now)}
	c.pending, c.pendingSince = newBitset(c.p.codebase.size), now
	if c.acceptedFrom == 0 {
		c.acceptedFrom = start
	}
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

// sendBatch sends the batch and forgets it once all of it was accepted.
func (c *collector) sendBatch() error {
	err := c.sendHits(c.batch.hits, c.batch.start, c.batch.publishedAt)
	if err != nil {
		return err
	}
	c.batch = nil
	if c.repeat == repeatArmed && c.complete {
		c.repeat = repeatDue
	}
	c.invocation.succeeded(c.p.now())
	return nil
}

// sendAgain sends everything once more that was ever accepted.
func (c *collector) sendAgain() error {
	if !c.accepted.empty() {
		again := append(bitset(nil), c.accepted...)
		if err := c.sendHits(again, c.acceptedFrom, unixMillis(c.p.now())); err != nil {
			return err
		}
	}
	c.repeat = repeatNone
	return nil
}

// sendHits publishes hits in as many messages as they need, at least one, and
// takes out of the set what was accepted.
func (c *collector) sendHits(hits bitset, start, publishedAt int64) error {
	if c.fingerprint == "" {
		c.prepareChunks()
	}
	head := appendInt(nil, 3, start)
	head = appendBytes(head, 1, c.common(c.fingerprint, publishedAt))
	for first := true; first || !hits.empty(); first = false {
		message := append(newMessage(len(head)), head...)
		part := newBitset(c.p.codebase.size)
		sent := 0
		for number, hash := range c.p.codebase.hashes(hits) {
			message = appendHit(message, hash)
			part.add(number)
			if sent++; len(message)+hitSize > c.limit {
				break
			}
		}
		if sent == 0 && !first {
			break // marks that no entry has
		}
		if err := c.publish(methodInvocations, message); err != nil {
			c.invocation.failed(c.p.now())
			c.shrink(err)
			c.report(err, &c.invocation, "publishing invocations")
			return err
		}
		c.p.rep.trace("%d invocations published", sent)
		hits.remove(part)
		c.accepted.or(part)
	}
	return nil
}
