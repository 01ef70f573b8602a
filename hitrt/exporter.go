//go:build !nonetwork

// The exporter, which sends to the collector: what is sent when.
//
// OK from the collector means accepted; it stores later, in parallel. For each
// function of a new codebase it adds a row "never invoked" if there is none, and for
// each hit it updates the row, or adds one if it found none. When both happen at once
// a hit can be lost:
//
//	hits      update: no row yet
//	codebase                        add "never invoked"
//	hits                                                  add "invoked": there is a row, ignored
//
// The hit stays lost until the function is hit again, and a function that runs only
// at the start is not hit again. So:
//
//  1. The codebase and the first hits are at least one tick apart.
//  2. Hits are sent twice: the next publication repeats what this one got accepted,
//     with its original interval start. Times only grow in the collector, so this
//     does no harm. It also replaces hits that a collector accepted and lost because
//     it was stopped before it stored them.
//  3. After each codebase all hits that this process ever had are sent like new
//     ones, each with the start of the last interval that saw it. After the first
//     codebase there are none. After a later one (the process was silent and its
//     rows were swept, or the application was deleted in the UI) there is one for
//     every function that ever ran, some of which will not run again.
//  4. At exit there may be no time for that. Then hits go first: the codebase cannot
//     overwrite hits that are stored before it, and they are small. The codebase
//     follows after a pause, and the hits again after another.
//  5. The codebase is sent again too, once between an hour and two. By then the
//     collector has forgotten the fingerprints of all chunks but the last: it keeps
//     those that a process named last. So it now stores a chunk that it did not store
//     before (imports run side by side, and one that runs into a deadlock is given
//     up), and one that it skipped because another build had sent it shortly before,
//     whose rows were swept since.
//
// repair.go has what is sent again to a collector that lost what it had.

package hitrt

import (
	"context"
	"time"
)

const (
	pollTimeout    = 10 * time.Second
	publishTimeout = 30 * time.Second

	// firstRetry is the retry interval until the collector has given one. The Java
	// agent waits ten minutes, in which a container may have come and gone.
	firstRetry    = 10 * time.Second
	firstInterval = 10 * time.Minute

	// storePause is the time that the collector gets at exit to store what it accepted.
	storePause = 100 * time.Millisecond

	// maxCommon is more than the size of any CommonPublicationData.
	maxCommon = 8 << 10
)

// An exporter sends to one collector. It belongs to the publisher's goroutine.
type exporter struct {
	p       *publisher
	client  *client
	target  string // the gRPC address, such as "http://host:80"; empty until known
	other   string // its host, if that was logged because it is not serverUrl's
	refused bool   // the collector does not know the key: nothing is sent any more

	poll       schedule
	codebase   schedule
	invocation schedule

	polled   bool      // a poll has succeeded
	lastPoll time.Time // when the last one did

	limit       int     // of a message, in bytes
	chunks      []chunk // of the codebase; nil before the first one is sent
	next        int     // the chunk to send next
	codebaseAt  int64   // published_at of all chunks
	fingerprint string  // of the last chunk; hits carry it
	complete    bool    // all chunks were accepted
	completeAt  time.Time

	hits      hits
	published int // number of publications of hits since the codebase was complete

	repair         repair
	orphans        orphans   // of earlier processes
	lookedForSaved time.Time // when unsent files were last looked for
}

func newExporter(p *publisher) *exporter {
	first := schedule{interval: firstInterval, retry: firstRetry, since: p.started}
	if force := p.set.forceInterval; force != 0 {
		first.interval, first.retry = force, force
	}
	poll := first
	// Whatever forceIntervalSeconds says: the collector would forget us.
	poll.interval = min(poll.interval, maxPoll)
	client := newClient(p.set, p.sending)
	p.conns = client.conns
	e := &exporter{
		p: p, client: client, limit: p.set.maxMessage,
		poll: poll, codebase: first, invocation: first,
		hits: hits{size: p.codebase.size, since: p.started},
	}
	for _, f := range p.program.Presumed {
		e.hits.presume(p.codebase.base[f.Package]+int(f.Cell), f.At)
	}
	return e
}

// hit records a hit.
func (e *exporter) hit(number int) { e.hits.add(number) }

// tick does what is due: at most one publication of the codebase or of invocations.
func (e *exporter) tick() {
	defer e.client.closeIdle()
	if elapsed(e.hits.since, e.p.now()) >= longestInterval {
		e.endInterval() // although nothing can be sent
	}
	if now := e.p.now(); e.poll.due(now) && !e.pollsLater(now) {
		e.pollConfig()
	}
	if e.refused || !e.polled || e.p.isExiting() {
		return
	}
	now := e.p.now()
	if e.isDue(now) {
		e.restartCodebase()
	}
	e.mend(now)
	switch {
	case e.complete && e.repair.claims:
		e.claim(now)
	case !e.complete && e.codebase.due(now):
		_ = e.publishChunk() // it is logged, and tried again
	case (e.complete || e.codebase.failures > 0) && e.invocation.due(now):
		// Hits must not wait for a codebase that the collector refuses: it may know
		// these functions from another process.
		e.publishInvocations()
	case e.complete && e.published > 1 && e.invocation.failures == 0:
		if !e.sendOrphans() {
			e.sendSaved()
		}
	}
}

// pollConfig asks for the intervals, and first of all for the gRPC address. Polling
// also keeps the collector's rows about this process alive.
func (e *exporter) pollConfig() {
	answer, err := e.fetchConfig(pollTimeout)
	now := e.p.now()
	if err != nil {
		e.poll.failed(now)
		e.repair.failing()
		e.logError(err, &e.poll, "polling "+e.p.set.serverURL)
		return
	}
	e.poll.succeeded(now)
	e.judge(answer.poll, now)
	if !e.polled || elapsed(e.lastPoll, now) > silence {
		e.p.log.InfoHourly("polled", "the collector at %s answers, gRPC at %s", e.p.set.serverURL, e.target)
	}
	e.polled, e.lastPoll = true, now
	if e.p.set.forceInterval == 0 {
		e.poll.update(now, answer.poll, answer.pollRetry, maxPoll)
		e.codebase.update(now, answer.codebase, answer.codebaseRetry, maxInterval)
		e.invocation.update(now, answer.invocation, answer.invocationRetry, maxInterval)
	}
	e.p.log.Debug("polled %s, gRPC at %s", e.p.set.serverURL, e.target)
}

func (e *exporter) fetchConfig(timeout time.Duration) (intervals, error) {
	if e.target == "" || e.poll.failures > 0 { // it may have moved
		target, err := await(e.p, timeout, e.client.initConfig)
		if err != nil {
			return intervals{}, err
		}
		e.target = target
		if host := otherHost(e.p.set.serverURL, target); host != "" && host != e.other {
			e.p.log.Warn("the collector at %s says that gRPC is at another host, %s: hits and the api key go there", e.p.set.serverURL, host)
			e.other = host
		}
	}
	body, err := e.send(timeout, methodPoll, encodeConfigRequest(e.p.set.apiKey, e.p.process))
	if err != nil {
		return intervals{}, err
	}
	return decodeIntervals(body)
}

// send makes one gRPC call.
func (e *exporter) send(timeout time.Duration, method string, message []byte) ([]byte, error) {
	target := e.target
	return await(e.p, timeout, func(ctx context.Context) ([]byte, error) {
		return e.client.call(ctx, target, method, message)
	})
}

// publish sends a publication. Any answer other than OK is an error.
func (e *exporter) publish(method string, message []byte) error {
	body, err := e.send(publishTimeout, method, message)
	if err != nil {
		e.repair.failing()
		return err
	}
	status, err := decodeStatus(body)
	if err == nil && status != "OK" {
		err = &statusError{grpc: 2, text: "status " + shown(status)}
	}
	if err == nil {
		e.repair.accepted()
	}
	return err
}

// logError logs an error and what was being done. If the error is that the collector
// does not know the key, nothing is sent any more.
func (e *exporter) logError(err error, s *schedule, when string) {
	switch {
	case unauthenticated(err) && e.polled && e.poll.failures > 0:
		e.keyForgotten(s)
	case unauthenticated(err):
		e.refused = true
		e.p.log.Error("the collector at %s (%s) does not know the api key %s: nothing is sent until the program is restarted with the key of a workspace",
			e.p.set.serverURL, e.target, keyStart(e.p.set.apiKey))
	case e.p.isExiting():
		e.p.log.WarnHourly("exit", "%s at exit: %v", when, err)
	default:
		e.p.log.WarnHourly(when, "%s: %v; next attempt in %v", when, err, s.delay)
	}
}

// common returns the encoded fields that every publication begins with.
func (e *exporter) common(fingerprint string, publishedAt int64) []byte {
	set := e.p.set
	return common{
		apiKey:      set.apiKey,
		appName:     set.appName,
		appVersion:  set.appVersion,
		fingerprint: fingerprint,
		environment: set.environment,
		hostname:    set.hostname,
		startedAt:   unixMillis(e.p.started),
		process:     e.p.process,
		publishedAt: publishedAt,
	}.encode()
}

// restartCodebase makes the whole codebase due again.
func (e *exporter) restartCodebase() {
	e.complete, e.chunks, e.next = false, nil, 0
	e.codebase.soon()
}

// prepareChunks splits the codebase, unless it is split already.
func (e *exporter) prepareChunks() {
	if e.chunks == nil {
		e.chunks = e.p.codebase.chunks(e.p.set.environment, e.limit-maxCommon)
		e.fingerprint = e.chunks[len(e.chunks)-1].fingerprint
		e.next = 0
		e.repair.size = size(e.chunks)
		// One time for all chunks: the collector takes methods for removed if it saw
		// them last before the oldest fingerprint.
		e.codebaseAt = unixMillis(e.p.now())
	}
}

// publishChunk sends the next chunk of the codebase.
func (e *exporter) publishChunk() error {
	if err := e.pollFirst(); err != nil {
		e.codebase.failed(e.p.now())
		return err
	}
	e.prepareChunks()
	k := e.chunks[e.next]
	err := e.publish(methodCodebase, e.p.codebase.encode(k, e.common(k.fingerprint, e.codebaseAt)))
	now := e.p.now()
	if err != nil {
		e.codebase.failed(now)
		e.shrink(err)
		e.logError(err, &e.codebase, "publishing the codebase")
		return err
	}
	e.p.log.Debug("codebase published, %d of %d, %d functions", e.next+1, len(e.chunks), len(k.members))
	e.codebase.soon()
	if e.next++; e.next == len(e.chunks) {
		e.completed(now)
		e.p.log.InfoHourly("codebase", "codebase published, messages: %d", len(e.chunks))
		e.chunks = nil
		e.published = 0
		e.hits.renew()
		e.codebase.succeeded(now)
		e.invocation.soon()
	}
	return nil
}

// shrink halves the largest message if the collector's limit is lower. The codebase
// begins anew, with other chunks.
func (e *exporter) shrink(err error) {
	if tooLarge(err) && e.limit/2 >= minMessage {
		e.limit /= 2
		e.chunks, e.next = nil, 0
	}
}
