//go:build !nonetwork

package hitrt

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// leaveSent leaves functions 3 and 4, called by two builds, that the collector accepted twice.
func leaveSent(t *testing.T, dir string) (paths []string) {
	t.Helper()
	for i, functions := range []int{60, 90} {
		pub, _ := newTestPublisher(newProgram(functions), newFake(), toCollector("SCAVENGER_DATA_DIR="+dir)...)
		pass := withClock(pub)
		pub.program.Packages[0].Marks[3+i] = 1
		pub.begin()
		path := pub.data.store.Path()
		drive(t, pub, pass, func() bool { return stateOf(t, path, 3+i) == datafile.Sent })
		pub.die()
		paths = append(paths, path)
	}
	return paths
}

// startLater starts a process of the first build of leaveSent that begins some time from now.
func startLater(dir string, fake *fakeCollector, later time.Duration) (pub *publisher, pass func(time.Duration)) {
	pub, _ = newTestPublisher(newProgram(60), fake, toCollector("SCAVENGER_DATA_DIR="+dir, "SCAVENGER_EXIT_TIMEOUT=1m")...)
	pub.started = pub.started.Add(later)
	pass = withClock(pub)
	pub.begin()
	return pub, pass
}

// live lets a process tick for an hour, and end lets it end at once.
func live(pub *publisher, pass func(time.Duration)) {
	for range 120 {
		pass(30 * time.Second)
		pub.exporter.tick()
		pub.checkpoint()
	}
}

func end(pub *publisher, _ func(time.Duration)) {
	pub.startExit()
	pub.finish()
}

const day = 24 * time.Hour

// The collector forgets an application of which it hears nothing for a week. Its next process
// sends again what earlier ones called, of whichever build, whether it lives long or not.
func TestOrphanForgotten(t *testing.T) {
	hash := newProgram(60).hashOf
	for name, run := range map[string]func(*publisher, func(time.Duration)){"lives": live, "ends": end} {
		for _, test := range []struct {
			name   string
			later  time.Duration
			killed int           // processes before
			since  time.Duration // of the last one
			want   bool
		}{
			{"break", 40 * day, 0, 0, true},
			{"no break", 2 * day, 0, 0, false},
			{"killed", 40 * day, 1, time.Second, true},
			{"beside", 40 * day, 3, 10 * time.Minute, true},
			{"seen", 40 * day, 1, 2 * day, false},
		} {
			t.Run(name+"/"+test.name, func(t *testing.T) {
				dir := newDataDir(t)
				leaveSent(t, dir)
				for i := range test.killed {
					pub, _ := startLater(dir, newFake(), test.later-test.since-time.Duration(i)*time.Second)
					pub.die()
				}
				fake := newFake()
				pub, pass := startLater(dir, fake, test.later)
				run(pub, pass)
				for _, i := range []int{3, 4} {
					n := pub.orphanSends(fake, hash(i))
					if n > 0 != test.want || n == 1 {
						t.Errorf("function %d was sent %d times", i, n)
					}
					if test.want {
						waitFor(t, func() bool { return fake.invokedAt(hash(i)) > 0 })
					}
				}
			})
		}
	}
}

// What crashes at its start for an hour leaves no record of what was before, but its sums.
func TestOrphanForgottenCrashes(t *testing.T) {
	dir := newDataDir(t)
	if err := os.Remove(leaveSent(t, dir)[1]); err != nil { // it would tell
		t.Fatal(err)
	}
	for i := range 20 {
		pub, _ := startLater(dir, newFake(), 40*day-time.Duration(20-i)*time.Minute)
		pub.startExit()
		pub.checkpoint()
		pub.die()
	}
	fake := newFake()
	pub, pass := startLater(dir, fake, 40*day)
	live(pub, pass)
	if pub.orphanSends(fake, newProgram(60).hashOf(3)) == 0 {
		t.Error("nothing was sent again")
	}
}

// What a process has no time for is left to the next one, which comes after no break. A
// collector that loses one of the two times has it nevertheless.
func TestOrphanForgottenAtExit(t *testing.T) {
	dir, hash := newDataDir(t), newProgram(60).hashOf
	paths := leaveSent(t, dir)
	fake := newFake()
	fake.fault = func(w http.ResponseWriter, _ *http.Request, method string) bool {
		if method == methodInvocations {
			grpcStatus(w, 14)
		}
		return method == methodInvocations
	}
	pub, pass := startLater(dir, fake, 40*day)
	end(pub, pass)
	for i, path := range paths {
		if got := stateOf(t, path, 3+i); got != datafile.Unsent {
			t.Errorf("function %d has state %d, want one that is not sent", 3+i, got)
		}
	}

	dir, fake = newDataDir(t), newFake()
	leaveSent(t, dir)
	sends := map[string]int{}
	fake.crashed = func(call fakeCall) bool {
		for _, i := range []int{3, 4} {
			for _, raw := range call.message.all(2) {
				if call.method == methodInvocations && parseProto(t, []byte(raw)).text(1) == hash(i) {
					sends[hash(i)]++
					return sends[hash(i)] == 1
				}
			}
		}
		return false
	}
	pub, pass = startLater(dir, fake, 40*day)
	end(pub, pass)
	for _, i := range []int{3, 4} {
		waitFor(t, func() bool { return fake.invokedAt(hash(i)) > 0 })
	}
}

// A clock that was ahead once does not hide breaks.
func TestOrphanForgottenAhead(t *testing.T) {
	dir := newDataDir(t)
	leaveSent(t, dir)
	ahead, _ := startLater(dir, newFake(), 4000*day)
	ahead.die()
	fake := newFake()
	pub, pass := startLater(dir, fake, 40*day)
	live(pub, pass)
	if pub.orphanSends(fake, newProgram(60).hashOf(3)) == 0 {
		t.Error("nothing was sent again")
	}
}

// A process that has lived for long has no break behind it, whatever it repairs.
func TestOrphanForgottenOnce(t *testing.T) {
	dir := newDataDir(t)
	leaveSent(t, dir)
	fake := newFake()
	pub, pass := startLater(dir, fake, 40*day)
	live(pub, pass)
	pass(20 * day)
	pub.exporter.repair.pending = lostHits
	pub.exporter.mendOrphans(pub.now())
	sends := pub.orphanSends(fake, newProgram(60).hashOf(4))
	for pub.exporter.sendOrphans() {
	}
	if n := pub.orphanSends(fake, newProgram(60).hashOf(4)); n != sends || sends == 0 {
		t.Errorf("what is older than a backup was sent %d times, and then %d", sends, n-sends)
	}
}

// What is in dataDir holds up nobody: the newest files tell.
func TestOrphanForgottenMany(t *testing.T) {
	dir := newDataDir(t)
	paths := leaveSent(t, dir)
	old := time.Now().Add(-day)
	for i := range 2 * mostJudged {
		b, err := os.ReadFile(paths[1])
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, fmt.Sprintf("hits-%016x.hits", i))
		if err := os.WriteFile(path, b[:100], 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(paths[0]); err != nil {
		t.Fatal(err)
	}
	pub, _ := startLater(dir, newFake(), 40*day)
	if !pub.exporter.isForgotten() {
		t.Error("the file that was written last does not count")
	}
}
