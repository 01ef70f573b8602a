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
//  2. Hits are sent twice: what was accepted at one publication goes out at the
//     next one again, with its original interval start. Times only grow in the
//     collector, so this does no harm. It also makes good what a collector had
//     accepted that was stopped before it stored it.
//  3. After each codebase all hits that this process ever had are sent like new
//     ones, each with the start of the last interval that saw it. After the first
//     codebase there are none. After a later one (the process was silent and
//     swept, or the application was deleted in the UI) they are every function
//     that ever ran, some of which will not run again.
//  4. At exit there may be no time for that. Hits go first then: stored before
//     the codebase they cannot be overwritten by it, and they are small. The
//     codebase follows after a pause, and after another one the hits again.
//  5. The codebase is sent twice too, the second time after an hour and a quarter.
//     Of one with several chunks the collector has forgotten the fingerprints of
//     all but the last by then: it keeps those that a process named last. So a
//     chunk that it did not store (imports run side by side, and one that runs
//     into a deadlock is given up) is stored now, and so is one that it skipped
//     because another build had sent it shortly before, whose rows were swept
//     since.

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

	// republishSoon is when it is sent for the second time. The collector sweeps
	// every hour.
	republishSoon = 75 * time.Minute

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
	repeated    bool // it was sent for the second time

	hits      hits
	published int // how often hits were published since the codebase was complete

	leftovers leftovers // of earlier processes
}

func newCollector(p *publisher) *collector {
	first := schedule{interval: firstInterval, retry: firstRetry, since: p.started}
	if force := p.set.forceInterval; force != 0 {
		first.interval, first.retry = force, force
	}
	poll := first
	poll.interval = min(poll.interval, maxPoll) // or it would forget us, whatever forceIntervalSeconds says
	client := newClient(p.set, p.network)
	p.conns = client.conns
	return &collector{
		p: p, client: client, limit: p.set.maxMessage,
		poll: poll, codebase: first, invocation: first,
		hits: hits{size: p.codebase.size, since: p.started},
	}
}

// tick does what is due, at most one codebase or one invocation publication.
func (c *collector) tick() {
	defer c.client.closeIdle()
	if elapsed(c.hits.since, c.p.now()) >= longestInterval {
		c.endInterval() // though there is nobody to tell
	}
	if c.poll.due(c.p.now()) {
		c.pollConfig()
	}
	if c.refused || !c.polled || c.p.isExiting() {
		return
	}
	now := c.p.now()
	if age := elapsed(c.completeAt, now); c.complete && (age > republish || age > republishSoon && !c.repeated) {
		c.repeated = true
		c.restartCodebase()
	}
	switch {
	case !c.complete && c.codebase.due(now):
		c.publishChunk()
	case (c.complete || c.codebase.failures > 0) && c.invocation.due(now):
		// Hits must not wait for a codebase that the collector does not take:
		// it may know these functions from another process.
		c.publishInvocations()
	case c.complete && c.published > 1 && c.invocation.failures == 0:
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
		c.repeated = false
		c.restartCodebase()
	}
	if !c.polled || elapsed(c.lastPoll, now) > silence {
		c.p.rep.inform("polled", "the collector at %s answers, gRPC at %s", c.p.set.serverURL, c.target)
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
		c.p.rep.fail("the collector at %s (%s) does not know the api key %s: nothing is sent until the program is restarted",
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
		c.p.rep.inform("codebase", "codebase published, in %d messages", len(c.chunks))
		c.chunks = nil
		c.published = 0
		c.hits.renew()
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
