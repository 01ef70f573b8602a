//go:build go1.25 && !nonetwork

package hitrt

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Java's backoff: factor 1 for the first five failures, then 2, 4, 8, 16, 16.
func TestScheduleBackoff(t *testing.T) {
	now := time.Now()
	s := schedule{interval: time.Hour, retry: time.Minute, since: now}
	if !s.due(now) {
		t.Errorf("a new schedule is not due")
	}
	for i, want := range []time.Duration{1, 1, 1, 1, 1, 2, 4, 8, 16, 16, 16} {
		s.failed(now)
		if got := s.delay; got != want*time.Minute {
			t.Errorf("delay after failure %d = %v, want %v", i+1, got, want*time.Minute)
		}
	}
	s.succeeded(now)
	if s.due(now.Add(59*time.Minute)) || !s.due(now.Add(time.Hour)) {
		t.Errorf("not due exactly after the interval")
	}
	s.update(now, 3600*10, 60, maxInterval)
	if !s.due(now.Add(time.Hour)) {
		t.Errorf("a longer interval put it off")
	}
	s.update(now, 120, 60, maxInterval)
	if s.due(now.Add(119*time.Second)) || !s.due(now.Add(120*time.Second)) {
		t.Errorf("a shorter interval did not pull it in")
	}
	s.update(now, 0, -5, maxInterval)
	if s.interval != 120*time.Second || s.retry != time.Minute {
		t.Errorf("intervals that are no time were taken over: %v, %v", s.interval, s.retry)
	}
	s.update(now, 1<<30, 1<<30, maxPoll)
	if s.interval != maxPoll || s.retry != maxRetry {
		t.Errorf("intervals %v, %v are above the limits", s.interval, s.retry)
	}
}

// A machine that was suspended, and a wall clock that is set. Timers run by the
// monotonic clock, which stands still meanwhile, so only now jumps here.
func TestPublishClockJumps(t *testing.T) {
	for _, jump := range []time.Duration{8 * time.Hour, -8 * time.Hour, -20 * 365 * 24 * time.Hour} {
		bubble(t, func(t *testing.T) {
			fake, prog := newFake(), newProgram(10)
			pub, _ := newTestPublisher(prog, fake, toCollector()...)
			var skew atomic.Int64
			began := time.Now()
			pub.now = func() time.Time { // a wall clock with a jump, and a monotonic one without
				now := time.Now()
				if skew.Load() == 0 {
					return now
				}
				return now.Round(0).Add(time.Duration(skew.Load()))
			}
			go pub.run()
			time.Sleep(time.Hour)
			synctest.Wait()
			skew.Store(int64(jump))
			polls, codebases := len(fake.got(methodPoll)), len(fake.got(methodCodebase))
			prog.call(4)
			time.Sleep(30 * time.Minute)
			synctest.Wait()
			if jump > 0 {
				if n := len(fake.got(methodPoll)); n == polls {
					t.Errorf("jump %v: no poll within half an hour", jump)
				}
				if n := len(fake.got(methodCodebase)); n == codebases {
					t.Errorf("jump %v: codebase not published after the gap", jump)
				}
			}
			time.Sleep(time.Hour)
			pub.exit()
			synctest.Wait()
			at := fake.invokedAt(prog.hashOf(4))
			if least := began.Add(min(jump, 0)).UnixMilli(); at < max(least, earliest) {
				t.Errorf("jump %v: function 4 invoked at %d, want from %d", jump, at, least)
			}
		})
	}
}

func TestIntervalStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		since := time.Now()
		time.Sleep(time.Minute)
		now := time.Now()
		if got, want := intervalStart(since, now), since.UnixMilli(); got != want {
			t.Errorf("intervalStart = %d, want %d", got, want)
		}
		// Nothing about a time before 2017 is believed.
		old := time.UnixMilli(12345)
		if got := intervalStart(old, old.Add(time.Hour)); got != earliest {
			t.Errorf("intervalStart of 1970 = %d, want %d", got, int64(earliest))
		}
	})
}

// forceIntervalSeconds stands above what the collector says.
func TestPublishForceInterval(t *testing.T) {
	bubble(t, func(t *testing.T) {
		fake := newFake()
		pub, _ := newTestPublisher(newProgram(10), fake, toCollector("SCAVENGER_FORCE_INTERVAL_SECONDS=30")...)
		go pub.run()
		time.Sleep(10*time.Minute + 5*time.Second)
		if n := len(fake.got(methodPoll)); n < 20 || n > 23 {
			t.Errorf("%d polls in ten minutes, want 20, and one before each message at another time", n)
		}
		pub.exit()
	})
}

// One that is longer than the collector remembers does not keep us from polling.
func TestPublishForceLongInterval(t *testing.T) {
	bubble(t, func(t *testing.T) {
		fake := newFake()
		pub, _ := newTestPublisher(newProgram(10), fake, toCollector("SCAVENGER_FORCE_INTERVAL_SECONDS=86400")...)
		go pub.run()
		time.Sleep(20 * time.Hour)
		polls := fake.got(methodPoll)
		for i := range polls[1:] {
			if gap := polls[i+1].at.Sub(polls[i].at); gap > 45*time.Minute {
				t.Errorf("no poll for %v", gap)
			}
		}
		if n, m := len(fake.got(methodInvocations)), len(fake.got(methodCodebase)); n != m || n > 9 {
			t.Errorf("%d publications, want one after each of the %d codebases", n, m)
		}
		pub.exit()
	})
}
