package collector

import (
	"testing"
	"time"
)

// What each loss leaves, and that hits after it need the codebase again.
func TestLoss(t *testing.T) {
	now := nowAtSomeTime()
	c := start(t, Options{NoJitter: true, Now: func() time.Time { return now }})
	cl := dial(t, c)
	d, list := someCommon(), someEntries(3)
	cl.good(d, someTime, list, list[0].Hash)
	early := c.Backup()
	now = now.Add(time.Hour)
	cl.good(d, someTime+60_000, list, list[1].Hash)
	want := func(when string, functions int, called string, poll int) {
		t.Helper()
		all := c.Functions(Query{})
		if len(all) != functions || used(all) != called {
			t.Errorf("%s: %d functions, %q used; want %d, %q", when, len(all), used(all), functions, called)
		}
		if got, err := cl.poll(DemoKey, d.UUID); err != nil || got[0] != poll {
			t.Errorf("%s: polls every %v s, %v; want %d", when, got, err, poll)
		}
		cl.imported()
		now = now.Add(intervalCacheTime)
	}
	want("before", 3, "F0000 F0001", 1200)
	c.Restore(early)
	want("restored", 3, "F0000", 1200)
	c.Restart(false)
	want("restarted", 3, "F0000", 1200)
	c.Wipe()
	want("wiped", 0, "", 120)
	wantRules(t, c)
	if err := cl.invocations(d, someTime, list[0].Hash); err != nil {
		t.Fatal(err)
	}
	cl.imported()
	wantRules(t, c, "fingerprint", "unknown hash")
	want("hits after it", 0, "", 1200)
	cl.good(d, someTime, list, list[0].Hash)
	want("published again", 3, "F0000", 1200)
	wantRules(t, c)
	if !c.DeleteApplication(DemoKey, d.AppName) {
		t.Fatal("no such application")
	}
	want("application deleted", 0, "", 120)
	cl.good(d, someTime, list, list[0].Hash)
	c.Restart(true)
	want("restarted in memory", 0, "", 120)
	wantRules(t, c)
}
