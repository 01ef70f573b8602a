//go:build !nonetwork

package hitrt

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// leave leaves the calls of a process in dir that is no more. It returns the path of the
// hits file that has them.
func leave(t *testing.T, dir string, prog *Program, calls []int, variables ...string) string {
	t.Helper()
	pub, messages := newTestPublisher(prog, nil, append(variables, "SCAVENGER_DATA_DIR="+dir)...)
	pub.begin()
	for _, i := range calls {
		prog.call(i)
	}
	pub.checkpoint()
	pub.die()
	if messages.String() != "" {
		t.Fatalf("messages %q", messages)
	}
	return pub.data.store.Path()
}

// stateOf returns what the stamp of a function of newProgram says in a hits file.
func stateOf(t *testing.T, path string, i int) datafile.State {
	t.Helper()
	at, states, err := stampsOf(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := i + i/10; at[n] != 0 {
		return states[n]
	}
	t.Fatalf("%s does not have function %d", path, i)
	return 0
}

// drive lets a publisher tick every 30 seconds until a condition holds.
func drive(t *testing.T, pub *publisher, pass func(time.Duration), until func() bool) {
	t.Helper()
	for range 200 {
		if until() {
			return
		}
		pass(30 * time.Second)
		pub.exporter.tick()
		pub.checkpoint()
	}
	t.Fatal("condition not met within 100 minutes")
}

// What earlier processes could not send is sent, twice and with its times, whatever their
// host and build. What is not of this application, environment and user is not, and
// nothing is removed.
func TestOrphan(t *testing.T) {
	dir := filepath.Join(newDataDir(t), "a[b]*")
	began := time.Now().Add(-time.Millisecond).UnixMilli()
	first := leave(t, dir, newProgram(60), []int{3, 59})
	host := leave(t, dir, newProgram(60), []int{10}, "SCAVENGER_HOSTNAME=other")
	build := leave(t, dir, newProgram(90), []int{4, 80})
	ended := time.Now().UnixMilli()
	leave(t, dir, newProgram(60), []int{5}, "SCAVENGER_APP_NAME=other")
	leave(t, dir, newProgram(60), []int{6}, "SCAVENGER_ENVIRONMENT=other")
	stranger, _ := newTestPublisher(newProgram(60), nil, "SCAVENGER_DATA_DIR="+dir)
	stranger.prepare()
	stranger.data.store.Identity.UID++
	stranger.program.Packages[0].Marks[7] = 1
	stranger.data.open()
	stranger.checkpoint()

	damaged := leave(t, dir, newProgram(30), []int{8, 9})
	b, err := os.ReadFile(damaged)
	if err != nil {
		t.Fatal(err)
	}
	b[4096+8*8] ^= 1
	newer := filepath.Join(dir, "hits-0123456789abcdef.hits")
	for path, content := range map[string][]byte{damaged: b, newer: []byte("SCAVHIT4 and what else it has")} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	names := hitsIn(dir)

	fake, prog := newFake(), newProgram(60)
	pub, messages := newTestPublisher(prog, fake, toCollector("SCAVENGER_DATA_DIR="+dir)...)
	young := newProgram(60) // a process that has just called something
	living, _ := newTestPublisher(young, nil, "SCAVENGER_DATA_DIR="+dir)
	pass := withClock(pub)
	living.now = func() time.Time { return pub.now() }
	pub.begin()
	living.begin()
	pathOf := map[int]string{3: first, 59: first, 10: host, 4: build, 80: build, 9: damaged}
	least := func() datafile.State {
		least := datafile.Sent
		for i, path := range pathOf {
			if path != damaged {
				least = min(least, stateOf(t, path, i))
			}
		}
		return least
	}
	step := func(wanted datafile.State) func() bool {
		return func() bool {
			young.call(20)
			living.data.refresh()
			living.checkpoint()
			return least() == wanted
		}
	}
	drive(t, pub, pass, step(datafile.Once))
	if at := pub.orphanSends(fake, prog.hashOf(3)); at != 1 {
		t.Errorf("function 3 was sent %d times when its stamp says once", at)
	}
	drive(t, pub, pass, step(datafile.Sent))
	drive(t, pub, pass, func() bool { return pub.orphanSends(fake, prog.hashOf(9)) == 2 })
	for range 100 { // 50 minutes
		pass(30 * time.Second)
		step(datafile.Sent)()
		pub.exporter.tick()
	}
	all := newProgram(90)
	for i := range pathOf {
		if n := pub.orphanSends(fake, all.hashOf(i)); n != 2 {
			t.Errorf("function %d was sent %d times, want 2", i, n)
		}
		// Function 80 is in no codebase that was sent, and known nevertheless.
		waitFor(t, func() bool { fake.mu.Lock(); defer fake.mu.Unlock(); return fake.rows[all.hashOf(i)] > 0 })
		fake.mu.Lock()
		if at := fake.rows[all.hashOf(i)]; i != 9 && (at < began || at > ended) {
			t.Errorf("function %d was invoked at %d, want %d to %d", i, at, began, ended)
		}
		fake.mu.Unlock()
	}
	for _, i := range []int{5, 6, 7, 8} {
		if n := pub.orphanSends(fake, prog.hashOf(i)); n > 0 {
			t.Errorf("function %d was sent", i)
		}
	}
	if n := pub.orphanSends(fake, prog.hashOf(20)); n > 0 {
		t.Error("a call was sent whose process may still send it itself")
	}
	if got := hitsIn(dir); !slices.Equal(got, names) {
		t.Errorf("files %q, want %q", got, names)
	}
	for _, path := range []string{damaged, newer} {
		if strings.Count(messages.String(), filepath.Base(path)) != 1 {
			t.Errorf("messages %q, want %s to be named once", messages, path)
		}
	}
	if strings.Count(messages.String(), "\n") != 2 {
		t.Errorf("messages %q, want two", messages)
	}
}

// orphanSends returns how many messages with hits have a function.
func (p *publisher) orphanSends(fake *fakeCollector, hash string) (n int) {
	for _, call := range fake.got(methodInvocations) {
		for _, raw := range call.message.all(2) {
			if bytes.Contains([]byte(raw), []byte(hash)) {
				n++
			}
		}
	}
	return n
}

// A process that ends before its first tick sends at its end what earlier ones of its
// build left, and the next one sends it once more, since the collector may lose what it
// accepts. It leaves alone what was called since it started: its caller lives.
func TestOrphanAtExit(t *testing.T) {
	dir := newDataDir(t)
	path := leave(t, dir, newProgram(60), []int{3})
	leave(t, dir, newProgram(60), []int{4})
	build := leave(t, dir, newProgram(90), []int{5})
	run := func(server string) {
		pub, _ := newTestPublisher(newProgram(60), nil, "SCAVENGER_DATA_DIR="+dir, "SCAVENGER_SERVER_URL="+server, "SCAVENGER_API_KEY="+testKey, "SCAVENGER_EXIT_TIMEOUT=1m")
		go pub.run()
		<-pub.ready
		leave(t, dir, newProgram(60), []int{6})
		pub.exit()
		<-pub.done
	}
	check := func(when string, want datafile.State) {
		t.Helper()
		for _, i := range []int{3, 4} {
			if got := stateOf(t, path, i); got != want {
				t.Errorf("%s: the stamp of function %d says %d, want %d", when, i, got, want)
			}
		}
		if got := stateOf(t, path, 6); got != datafile.Unsent {
			t.Errorf("%s: a call since the start was sent", when)
		}
	}
	run("http://127.0.0.1:1")
	check("without a collector", datafile.Unsent)
	fake := newFake()
	losing := true
	fake.crashed = func(call fakeCall) bool { return losing && call.method == methodInvocations }
	server := serve(t, fake)
	run(server.URL)
	check("sent once", datafile.Once)
	losing = false
	run(server.URL)
	check("sent twice", datafile.Sent)
	for _, i := range []int{3, 4} {
		waitFor(t, func() bool { return fake.invokedAt(newProgram(60).hashOf(i)) > 0 })
	}
	if stateOf(t, build, 5) != datafile.Unsent || fake.invokedAt(newProgram(60).hashOf(5)) > 0 {
		t.Error("calls of another build were sent at exit")
	}
}

// What is in a file that something renamed is sent, and so are the calls of a process whose
// clock was years ahead. Nobody is told of what was compressed.
func TestOrphanRenamedOrAhead(t *testing.T) {
	dir, prog := newDataDir(t), newProgram(60)
	renamed := leave(t, dir, newProgram(60), []int{3})
	if err := os.Rename(renamed, renamed+".1"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "hits-0123456789abcdef.hits.2.gz"), []byte("\x1f\x8b\x08\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	early := newProgram(60)
	ahead, _ := newTestPublisher(early, nil, "SCAVENGER_DATA_DIR="+dir, "SCAVENGER_HOSTNAME=ahead")
	ahead.now = func() time.Time { return time.Now().AddDate(10, 0, 0) }
	ahead.begin()
	early.call(4)
	ahead.checkpoint()
	ahead.die()

	fake := newFake()
	pub, messages := newTestPublisher(prog, fake, toCollector("SCAVENGER_DATA_DIR="+dir)...)
	pass := withClock(pub)
	pub.begin()
	drive(t, pub, pass, func() bool {
		return stateOf(t, renamed+".1", 3) == datafile.Sent && stateOf(t, ahead.data.store.Path(), 4) == datafile.Sent
	})
	for _, i := range []int{3, 4} {
		waitFor(t, func() bool { return fake.invokedAt(prog.hashOf(i)) > 0 })
	}
	if messages.String() != "" {
		t.Errorf("messages %q", messages)
	}
}

// What the collector accepts and does not store is sent again.
func TestOrphanLost(t *testing.T) {
	dir := newDataDir(t)
	path := leave(t, dir, newProgram(60), []int{3})
	fake, prog := newFake(), newProgram(60)
	lost := false
	fake.crashed = func(call fakeCall) bool { // calls come one after the other
		if !lost && call.method == methodInvocations && len(call.message.all(2)) == 1 {
			lost = true
			return true
		}
		return false
	}
	pub, _ := newTestPublisher(prog, fake, toCollector("SCAVENGER_DATA_DIR="+dir)...)
	pass := withClock(pub)
	pub.begin()
	drive(t, pub, pass, func() bool { return stateOf(t, path, 3) == datafile.Sent })
	waitFor(t, func() bool { return fake.invokedAt(prog.hashOf(3)) > 0 })
	if !lost {
		t.Error("nothing was lost")
	}
}

// The stamps of a process's own calls say what the collector accepted, and no more when
// the function is called again.
func TestOwnCallsSent(t *testing.T) {
	dir := newDataDir(t)
	fake, prog := newFake(), newProgram(60)
	pub, messages := newTestPublisher(prog, fake, toCollector("SCAVENGER_DATA_DIR="+dir)...)
	pass := withClock(pub)
	prog.call(3)
	pub.begin()
	pub.exporter.repair.rounds = 10 // all hits are not sent again meanwhile
	path := pub.data.store.Path()
	if got := stateOf(t, path, 3); got != datafile.Unsent {
		t.Fatalf("at the start the stamp says %d", got)
	}
	for round := range 3 {
		for _, want := range []datafile.State{datafile.Once, datafile.Sent} {
			sent := pub.orphanSends(fake, prog.hashOf(3))
			drive(t, pub, pass, func() bool { return stateOf(t, path, 3) == want })
			if n := pub.orphanSends(fake, prog.hashOf(3)) - sent; n != 1 {
				t.Errorf("round %d: sent %d times until the stamp says %d, want once", round, n, want)
			}
		}
		prog.call(3)
		pass(2 * refreshInterval)
		pub.checkpoint()
		if got := stateOf(t, path, 3); got != datafile.Unsent {
			t.Errorf("round %d: called again, and the stamp says %d", round, got)
		}
	}
	if messages.String() != "" {
		t.Errorf("messages %q", messages)
	}
}

// A process that lives sends again what it called weeks ago, as after an outage. What another
// one called yesterday, and could not send, is not sent by that.
func TestOrphanCalledByOther(t *testing.T) {
	dir := newDataDir(t)
	fake, prog := newFake(), newProgram(60)
	pub, _ := newTestPublisher(prog, fake, toCollector("SCAVENGER_DATA_DIR="+dir)...)
	pass := withClock(pub)
	prog.call(3)
	pub.begin()
	path := pub.data.store.Path()
	drive(t, pub, pass, func() bool { return stateOf(t, path, 3) == datafile.Sent })
	pass(20 * 24 * time.Hour)

	later := newProgram(60)
	killed, _ := newTestPublisher(later, nil, "SCAVENGER_DATA_DIR="+dir)
	killed.now = func() time.Time { return pub.now() }
	killed.begin()
	later.call(3)
	killed.checkpoint()
	killed.die()
	at := unixMillis(pub.now())
	pass(24 * time.Hour)
	pub.exporter.hits.renew()
	pub.exporter.invocation.soon()
	drive(t, pub, pass, func() bool { return stateOf(t, path, 3) == datafile.Sent })
	// The stamp says that the collector has it.
	waitFor(t, func() bool { return fake.invokedAt(prog.hashOf(3)) >= at })
}

// What the collector accepted up to a time says nothing of later calls, also where the
// hits file cannot be written to at the time.
func TestAcceptedUpTo(t *testing.T) {
	prog := newProgram(60)
	pub, _ := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+newDataDir(t))
	pass := withClock(pub)
	pub.begin()
	accepted := func(i int) { // up to now
		part := newBitset(pub.codebase.size)
		part.add(pub.codebase.base[i/30] + i%30)
		pub.data.accepted(part, 2, unixMillis(pub.now()))
	}
	accepted(3)
	pass(time.Minute)
	prog.call(3)
	prog.call(4)
	pub.sweep()
	pub.data.write(pub.now())
	pass(time.Minute)
	accepted(4)
	pub.data.writeSent()
	path := pub.data.store.Path()
	if got := stateOf(t, path, 3); got != datafile.Unsent {
		t.Errorf("a call after what was accepted counts as accepted (%d)", got)
	}
}
