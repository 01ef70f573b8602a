//go:build !nonetwork

// Claims: how one process of a fleet tells the others that it has sent the codebase after a
// loss, so that they need not. The collector has no place for such a word, and no answer
// shows which codebases it has. But it tells each process how often to poll, by the age of
// its row, and anybody may ask in the name of any process.

package hitrt

import (
	"fmt"
	"time"
)

// claimHost is the host that claims are shown with.
const claimHost = "scavenger-wrap-repair"

// claimed returns the identity of a claim: a process that does not exist. That its row
// exists says that the codebase was sent after a loss. The row is of yesterday, so the
// collector gives it a long interval; without it a poll gets the shortest. It goes with
// the database whose state it tells, and else 50 minutes after the last poll.
//
// All processes of a build name the same one during a day.
func (e *exporter) claimed() common {
	const day = 24 * time.Hour / time.Millisecond
	set := e.p.set
	from := unixMillis(e.p.now()) / int64(day) * int64(day)
	id := md5Sum(fmt.Appendf(nil, "claim %d %q %q %q %q", from, set.appName, set.environment, set.appVersion, e.fingerprint))
	return common{
		apiKey: set.apiKey, appName: set.appName, appVersion: set.appVersion, environment: set.environment,
		fingerprint: e.fingerprint, hostname: claimHost, startedAt: from - int64(day),
		process: fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:]),
	}
}

// isClaimed reports whether another process has sent the codebase.
func (e *exporter) isClaimed() (bool, error) {
	body, err := e.send(pollTimeout, methodPoll, encodeConfigRequest(e.p.set.apiKey, e.claimed().process))
	if err != nil {
		return false, err
	}
	answer, err := decodeIntervals(body)
	return answer.poll > e.repair.lowest, err
}

// claim tells other processes that they need not send the codebase.
func (e *exporter) claim(now time.Time) {
	e.repair.claims = false
	c := e.claimed()
	c.publishedAt = unixMillis(now)
	if err := e.publish(methodInvocations, newInvocations(c.publishedAt, c.encode(), 0)); err != nil {
		e.p.log.Debug("telling others that the codebase was sent: %v", err) // they send it, too
	}
}
