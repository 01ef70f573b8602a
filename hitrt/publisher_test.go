//go:build go1.25 && !nonetwork

package hitrt

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Three ordinary days.
func TestPublishDays(t *testing.T) {
	bubble(t, func(t *testing.T) {
		fake, prog := newFake(), newProgram(100)
		fake.intervals = [6]int64{1200, 120, 1200, 120, 1205, 120}
		pub, messages := newTestPublisher(prog, fake, toCollector()...)
		start := time.Now()
		for i := range 50 {
			prog.call(i)
		}
		go pub.run()
		time.Sleep(15 * time.Second)
		prog.call(60)
		time.Sleep(72 * time.Hour)
		prog.call(70)
		pub.exit()
		<-pub.done
		synctest.Wait()

		polls, codebases, hits := fake.got(methodPoll), fake.got(methodCodebase), fake.got(methodInvocations)
		if n := len(fake.got("initConfig")); n != 1 {
			t.Errorf("%d initConfig requests, want 1", n)
		}
		if got := polls[0].at.Sub(start); got != 10*time.Second {
			t.Errorf("first poll after %v, want 10s", got)
		}
		for i := range polls[1:] {
			if gap := polls[i+1].at.Sub(polls[i].at); gap > 21*time.Minute {
				t.Errorf("no poll for %v", gap)
			}
		}
		if n := len(codebases); n < 15 || n > 21 {
			t.Errorf("%d codebase publications in three days, want about 18", n)
		}
		if gap := codebases[1].at.Sub(codebases[0].at); gap < 8*time.Minute || gap > 11*time.Minute {
			t.Errorf("codebase published for the second time after %v, want 10 minutes", gap)
		}
		for i := range codebases[1:] {
			if gap := codebases[i+1].at.Sub(codebases[i].at); gap > 6*time.Hour+time.Minute {
				t.Errorf("codebase not published for %v", gap)
			}
		}
		if n := len(codebases[0].message.all(2)); n != 100 {
			t.Errorf("%d entries, want the 100 observable ones", n)
		}
		if gap := hits[0].at.Sub(codebases[0].at); gap < 10*time.Second {
			t.Errorf("first hits %v after the codebase, want a tick", gap)
		}
		if n := len(hits[0].message.all(2)); n != 51 {
			t.Errorf("%d hits in the first publication, want 51", n)
		}
		if got, want := hits[0].message.integer(3), start.UnixMilli(); got != want {
			t.Errorf("first interval starts at %d, want %d", got, want)
		}
		for _, again := range hits[1:3] {
			if again.message.integer(3) != hits[0].message.integer(3) || len(again.message.all(2)) != 51 || again.at.Sub(codebases[1].at) < 10*time.Second {
				t.Errorf("after the second codebase comes not the first publication again, twice: at %v %d", again.at, again.message.integer(3))
			}
		}
		if last := hits[len(hits)-1]; len(last.message.all(2)) != 1 || !strings.Contains(last.message.all(2)[0], prog.hashOf(70)) {
			t.Errorf("last publication has %q, want function 70", last.message.all(2))
		} else if at := last.message.integer(3); !slices.ContainsFunc(hits, func(c fakeCall) bool { return c.at.UnixMilli() == at }) {
			t.Errorf("the last interval starts at %d, want the end of another", at)
		}
		if messages.String() != "" {
			t.Errorf("messages %q, want none", messages)
		}
	})
}

// A collector that is down when the program starts.
func TestPublishFirstPoll(t *testing.T) {
	bubble(t, func(t *testing.T) {
		fake, prog := newFake(), newProgram(10)
		up := time.Now().Add(20 * time.Minute)
		fake.fault = func(w http.ResponseWriter, _ *http.Request, _ string) bool {
			if time.Now().Before(up) {
				w.WriteHeader(http.StatusBadGateway)
			}
			return time.Now().Before(up)
		}
		pub, messages := newTestPublisher(prog, fake, toCollector()...)
		go pub.run()
		time.Sleep(time.Minute)
		if n := len(fake.got("initConfig")); n < 5 || n > 7 {
			t.Errorf("%d attempts in the first minute, want about 6", n)
		}
		time.Sleep(23 * time.Minute)
		if n := len(fake.got(methodPoll)); n == 0 {
			t.Errorf("no poll within four minutes after the collector came up")
		}
		if got := strings.Count(messages.String(), "\n"); got != 1 {
			t.Errorf("%d lines, want 1: %s", got, messages)
		}
		pub.exit()
	})
}

// Three weeks without a collector: attempts and memory are bounded, and no hit
// is lost, neither those from before nor those from in between.
func TestPublishOutage(t *testing.T) {
	bubble(t, func(t *testing.T) {
		fake, prog := newFake(), newProgram(100)
		var down atomic.Bool
		fake.fault = func(w http.ResponseWriter, r *http.Request, _ string) bool {
			if down.Load() {
				<-r.Context().Done() // no answer at all
			}
			return down.Load()
		}
		pub, messages := newTestPublisher(prog, fake, toCollector()...)
		prog.call(0)
		go pub.run()
		time.Sleep(time.Hour)
		down.Store(true)
		before := len(fake.got(""))
		for i := 1; i < 100; i++ {
			prog.call(i)
			time.Sleep(5 * time.Hour)
		}
		if n := len(fake.got("")) - before; n > 6000 {
			t.Errorf("%d attempts in three weeks, want some every half hour", n)
		}
		down.Store(false)
		time.Sleep(3 * time.Hour)
		for i := range 100 {
			if at := fake.invokedAt(prog.hashOf(i)); at <= 0 {
				t.Errorf("function %d: invoked at %d, want a time", i, at)
			}
		}
		if n := len(fake.got(methodCodebase)); n < 2 {
			t.Errorf("codebase published %d times, want again after the silence", n)
		}
		if n := strings.Count(messages.String(), "\n"); n > 3*21*24 {
			t.Errorf("%d lines in three weeks, want at most one an hour of a kind", n)
		}
		if strings.Contains(messages.String(), testKey) {
			t.Errorf("the api key in %s", messages)
		}
		pub.exit()
	})
}

func TestPublishUnauthenticated(t *testing.T) {
	for _, method := range []string{methodPoll, methodCodebase, methodInvocations} {
		bubble(t, func(t *testing.T) {
			fake := newFake()
			fake.fault = func(w http.ResponseWriter, _ *http.Request, m string) bool {
				if m == method {
					grpcStatus(w, 16)
				}
				return m == method
			}
			pub, messages := newTestPublisher(newProgram(10), fake, toCollector()...)
			go pub.run()
			time.Sleep(time.Hour)
			select {
			case <-pub.done:
			default:
				t.Errorf("%s: the goroutine still runs", method)
			}
			if n := len(fake.got(method)); n != 1 {
				t.Errorf("%s: called %d times, want once", method, n)
			}
			line := messages.String()
			if strings.Count(line, "\n") != 1 || !strings.Contains(line, "http://collector:8080") ||
				!strings.Contains(line, "4c94…") || strings.Contains(line, testKey) {
				t.Errorf("%s: wrote %q, want one line with the URL and four characters of the key", method, line)
			}
			pub.exit()
		})
	}
}

// The operator disabled the workspace: polls succeed, publications don't.
func TestPublishDisabled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		fake, prog := newFake(), newProgram(10)
		fake.intervals = [6]int64{120, 120, 3600, 3600, 3600, 3600}
		var disabled atomic.Bool
		disabled.Store(true)
		fake.fault = func(w http.ResponseWriter, _ *http.Request, m string) bool {
			if disabled.Load() && strings.HasPrefix(m, "Send") {
				grpcStatus(w, 2)
				return true
			}
			return false
		}
		pub, _ := newTestPublisher(prog, fake, toCollector()...)
		prog.call(3)
		go pub.run()
		time.Sleep(24 * time.Hour)
		if n := len(fake.got(methodCodebase)) + len(fake.got(methodInvocations)); n > 110 {
			t.Errorf("%d publications to a disabled workspace in a day", n)
		}
		disabled.Store(false)
		time.Sleep(3 * time.Hour)
		if at := fake.invokedAt(prog.hashOf(3)); at <= 0 {
			t.Errorf("function 3: invoked at %d, want a time", at)
		}
		pub.exit()
	})
}

// The collector stores late, and codebase and hits at once: nothing is lost.
func TestPublishRace(t *testing.T) {
	for seed := range uint64(40) {
		bubble(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			fake, prog := newFake(), newProgram(40)
			delay := func() time.Duration { return time.Duration(random.Int64N(int64(time.Minute))) }
			fake.codebaseDelay, fake.hitsDelay, fake.hitsGap = delay(), delay(), delay()
			pub, _ := newTestPublisher(prog, fake, toCollector()...)
			prog.call(1)
			go pub.run()
			time.Sleep(10 * time.Minute)
			if at := fake.invokedAt(prog.hashOf(1)); at <= 0 {
				t.Errorf("seed %d: function 1 invoked at %d, want a time", seed, at)
			}
			if at := fake.invokedAt(prog.hashOf(2)); at != 0 {
				t.Errorf("seed %d: function 2 invoked at %d, want never", seed, at)
			}
			pub.exit()
			time.Sleep(10 * time.Minute)
		})
	}
}

// A collector with a lower limit than the usual one gets smaller messages.
func TestPublishSmallLimit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const limit = 200_000
		fake, prog := newFake(), newProgram(6000)
		fake.fault = func(w http.ResponseWriter, r *http.Request, m string) bool {
			if r.ContentLength > limit {
				w.WriteHeader(http.StatusRequestEntityTooLarge)
			}
			return r.ContentLength > limit
		}
		pub, _ := newTestPublisher(prog, fake, toCollector()...)
		for i := range 6000 {
			prog.call(i)
		}
		go pub.run()
		time.Sleep(time.Hour)
		fingerprints := map[string]bool{}
		parts := map[int64]int{} // by time of publication
		for _, call := range fake.got(methodCodebase) {
			if call.message != nil {
				fingerprints[call.common.text(4)] = true
				parts[call.common.integer(9)]++
			}
		}
		first := slices.Min(slices.Collect(maps.Keys(parts))) // later it is sent again
		if n := parts[first]; len(fingerprints) < 8 || n != len(fingerprints) {
			t.Errorf("%d of %d chunks have the first time; want all, of at least 8", n, len(fingerprints))
		}
		for i := range 6000 {
			if at := fake.invokedAt(prog.hashOf(i)); at <= 0 {
				t.Fatalf("function %d invoked at %d, want a time", i, at)
			}
		}
		pub.exit()
	})
}

// A bug in this package ends its work and nothing else.
func TestPublishPanic(t *testing.T) {
	for _, where := range []string{"call", "loop"} {
		bubble(t, func(t *testing.T) {
			fake, prog := newFake(), newProgram(10)
			fake.fault = func(http.ResponseWriter, *http.Request, string) bool {
				if where == "call" {
					panic("bug " + testKey)
				}
				return false
			}
			pub, messages := newTestPublisher(prog, fake, toCollector()...)
			if where == "loop" {
				pub.now = func() time.Time { panic("bug") }
			}
			go pub.run()
			time.Sleep(time.Hour)
			<-pub.done
			if got := messages.String(); !strings.Contains(got, "internal error") || strings.Contains(got, testKey) || strings.Count(got, "\n") != 1 {
				t.Errorf("%s: messages %q, want one line about an internal error", where, got)
			}
			began := time.Now()
			pub.exit()
			if took := time.Since(began); took != 0 {
				t.Errorf("%s: exit took %v, want nothing", where, took)
			}
		})
	}
}

// A collector that sends hits, and with them the api key, to another host is named once
// for each such host.
func TestOtherHostLogged(t *testing.T) {
	bubble(t, func(t *testing.T) {
		fake := newFake()
		var host atomic.Value
		host.Store("collector")
		fake.fault = func(w http.ResponseWriter, r *http.Request, method string) bool {
			switch method {
			case "initConfig":
				_, _ = fmt.Fprintf(w, `{"collectorUrl": "%s:80"}`, host.Load())
			case methodPoll:
				w.WriteHeader(http.StatusBadGateway) // so that the next poll asks anew
			default:
				return false
			}
			return true
		}
		pub, messages := newTestPublisher(newProgram(10), fake, toCollector()...)
		go pub.run()
		count := func() int { return strings.Count(messages.String(), "says that gRPC is at another host, ") }
		time.Sleep(time.Hour)
		if n := count(); n != 0 {
			t.Errorf("the same host: %d lines\n%s", n, messages)
		}
		for i, other := range []string{"other", "third"} {
			host.Store(other)
			time.Sleep(3 * time.Hour)
			if n := count(); n != i+1 || !strings.Contains(messages.String(), "another host, "+other+": ") {
				t.Errorf("%s: %d lines\n%s", other, n, messages)
			}
		}
		pub.exit()
		<-pub.done
	})
}
