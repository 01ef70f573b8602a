// When polls and publications are due.

package hitrt

import "time"

// A schedule tells when something is due. It follows the Java agent: after a success
// it waits for the interval, after a failure for the retry interval, which grows after
// five failures, up to sixteen times.
type schedule struct {
	interval time.Duration
	retry    time.Duration
	failures int // since the last success

	since time.Time // it is due when delay has passed since then
	delay time.Duration
}

// Limits of the intervals that a collector gives. It sweeps its own rows about a
// process after 50 minutes without a poll.
const (
	minInterval = time.Second
	maxPoll     = 40 * time.Minute
	maxInterval = 24 * time.Hour
	maxRetry    = 30 * time.Minute
)

// due reports whether delay has passed by the monotonic clock or by the wall clock,
// whichever is ahead: the monotonic clock stops while a machine is suspended, and the
// wall clock may be set back.
func (s *schedule) due(now time.Time) bool {
	return elapsed(s.since, now) >= s.delay
}

// elapsed returns the time from since to now, by the clock that is ahead as in due.
func elapsed(since, now time.Time) time.Duration {
	return max(now.Sub(since), now.Round(0).Sub(since.Round(0)))
}

func (s *schedule) succeeded(now time.Time) {
	s.failures = 0
	s.since, s.delay = now, s.interval
}

func (s *schedule) failed(now time.Time) {
	s.failures++
	s.since, s.delay = now, s.backoff()
}

// soon makes s due at the next tick.
func (s *schedule) soon() {
	s.failures, s.delay = 0, 0
}

func (s *schedule) backoff() time.Duration {
	factor := time.Duration(1)
	if s.failures > 5 {
		factor = 1 << min(s.failures-5, 4)
	}
	return min(s.retry*factor, maxRetry)
}

// update sets the intervals that the collector gave, in seconds. It may bring the
// due time forward and never puts it off.
func (s *schedule) update(now time.Time, interval, retry int32, longest time.Duration) {
	if interval > 0 {
		s.interval = min(max(time.Duration(interval)*time.Second, minInterval), longest)
	}
	if retry > 0 {
		s.retry = min(max(time.Duration(retry)*time.Second, minInterval), maxRetry)
	}
	wait := s.interval
	if s.failures > 0 {
		wait = s.backoff()
	}
	s.delay = min(s.delay, elapsed(s.since, now)+wait)
}
