package hitrt

import "time"

// A schedule says when something is due. It is that of the Java agent: after a
// success it waits for the interval, after a failure for the retry interval,
// which after five failures grows to sixteen times itself.
type schedule struct {
	interval time.Duration
	retry    time.Duration
	failures int // since the last success

	since time.Time // due when delay has passed since then
	delay time.Duration
}

// Limits for what a collector says. Its own rows about a process are swept
// after 50 minutes without a poll.
const (
	minInterval = time.Second
	maxPoll     = 40 * time.Minute
	maxInterval = 24 * time.Hour
	maxRetry    = 30 * time.Minute
)

// due reports whether the time has come, by the monotonic clock or by the wall
// clock, whichever is further: the monotonic one stands still while a machine
// is suspended, and the wall clock may be set back.
func (s *schedule) due(now time.Time) bool {
	return elapsed(s.since, now) >= s.delay
}

// elapsed is the time from since to now, for both clocks as in due.
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

// soon makes it due at the next tick.
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

// update takes over what the collector said, in seconds. It pulls in what is
// due later than under the new interval and never puts anything off.
func (s *schedule) update(now time.Time, interval, retry int32, most time.Duration) {
	if interval > 0 {
		s.interval = min(max(time.Duration(interval)*time.Second, minInterval), most)
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
