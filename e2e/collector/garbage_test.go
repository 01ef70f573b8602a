// The removal of methods, fingerprints and processes that are out of use.

package collector

import (
	"fmt"
	"testing"
	"time"
)

func TestGarbage(t *testing.T) {
	now := time.UnixMilli(someTime)
	c := start(t, Options{Now: func() time.Time { return now }})
	cl := dial(t, c)
	list := someEntries(2)
	old := someCommon()
	cl.good(old, someTime, list, list[0].Hash)

	// Within 50 minutes nothing happens.
	c.CollectHourly(now.Add(50 * time.Minute))
	if got := c.Tables(); len(got.Jvms) != 1 || len(got.AgentStates) != 1 || len(got.Fingerprints) != 1 {
		t.Errorf("after 50 minutes: %+v", got)
	}
	// Later the process and its fingerprint go; without processes no method is marked.
	c.CollectHourly(now.Add(50*time.Minute + time.Second))
	c.CollectDaily(now.Add(30 * 24 * time.Hour))
	if got := c.Tables(); len(got.Jvms)+len(got.AgentStates)+len(got.Fingerprints) != 0 || len(c.Functions(Query{})) != 2 {
		t.Errorf("after the silence: %+v", got)
	}

	// A newer codebase without F0001 hides F0001 and, a week later, deletes it.
	now = now.Add(24 * time.Hour)
	newer := old
	newer.UUID, newer.Fingerprint, newer.PublishedAtMillis = "uuid-2", "f2", now.UnixMilli()
	cl.good(newer, now.UnixMilli(), list[:1])
	c.CollectHourly(now)
	if got := c.Functions(Query{}); len(got) != 1 || got[0].MethodName != "F0000" || len(c.Tables().Methods) != 2 {
		t.Errorf("marked: %+v", got)
	}
	// Only a new fingerprint revives it.
	cl.good(newer, now.UnixMilli(), list)
	if got := len(c.Functions(Query{})); got != 1 {
		t.Errorf("%d functions after a known fingerprint, want 1", got)
	}
	newer.Fingerprint = "f3"
	cl.good(newer, now.UnixMilli(), list)
	if got := len(c.Functions(Query{})); got != 2 {
		t.Errorf("%d functions after a new fingerprint, want 2", got)
	}

	// Marked again, then swept with its invocations.
	now = now.Add(time.Hour)
	newer.Fingerprint, newer.PublishedAtMillis = "f4", now.UnixMilli()
	cl.good(newer, now.UnixMilli(), list[:1])
	c.CollectHourly(now)
	c.CollectDaily(now.Add(6 * 24 * time.Hour))
	if got := len(c.Tables().Methods); got != 2 {
		t.Errorf("%d methods after 6 days, want 2", got)
	}
	c.CollectDaily(now.Add(8 * 24 * time.Hour))
	if got := c.Tables(); len(got.Methods) != 1 || len(got.Invocations) != 1 {
		t.Errorf("after 8 days: %+v", got)
	}
}

func TestGarbageOfProcessesThatDoNotPoll(t *testing.T) {
	c := start(t, Options{})
	cl := dial(t, c)
	if err := cl.codebase(someCommon(), someEntries(1)...); err != nil {
		t.Fatal(err)
	}
	cl.imported()
	wantRules(t, c, "poll")
	c.CollectHourly(time.UnixMilli(someTime))
	if got := c.Tables(); len(got.Jvms)+len(got.Fingerprints) != 0 {
		t.Errorf("process that never polled: %+v", got)
	}
}

// TestGarbageOfChunks: chunks of a codebase keep each other alive only if
// they name the same minute.
func TestGarbageOfChunks(t *testing.T) {
	for _, apart := range []int64{0, 60_000} {
		now := time.UnixMilli(someTime)
		c := start(t, Options{Now: func() time.Time { return now }})
		cl := dial(t, c)
		list := someEntries(3)
		for i, e := range list {
			d := someCommon()
			d.Fingerprint = fmt.Sprintf("f-%02dof03", i+1)
			d.PublishedAtMillis += apart * int64(i)
			cl.good(d, someTime, []Entry{e})
		}
		c.CollectHourly(now)
		want := 3
		if apart > 0 {
			want = 1
		}
		if got := len(c.Functions(Query{})); got != want {
			t.Errorf("chunks %d ms apart: %d functions left, want %d", apart, got, want)
		}
	}
}

// TestGarbageOfOtherApplications: the oldest fingerprint of the workspace
// counts, whichever application it belongs to.
func TestGarbageOfOtherApplications(t *testing.T) {
	now := time.UnixMilli(someTime)
	c := start(t, Options{Now: func() time.Time { return now }})
	cl := dial(t, c)
	list := someEntries(2)
	old := someCommon()
	cl.good(old, someTime, list)
	now = now.Add(time.Hour)
	newer := old
	newer.AppName, newer.UUID, newer.Fingerprint, newer.PublishedAtMillis = "store", "uuid-2", "f2", now.UnixMilli()
	cl.good(newer, now.UnixMilli(), []Entry{entry("b.func", "G", "")})
	if _, err := cl.poll(old.APIKey, old.UUID); err != nil {
		t.Fatal(err)
	}
	cl.imported()
	c.CollectHourly(now)
	if got := len(c.Functions(Query{})); got != 3 {
		t.Errorf("%d functions while the older process polls, want 3", got)
	}
	now = now.Add(time.Hour)
	if _, err := cl.poll(newer.APIKey, newer.UUID); err != nil {
		t.Fatal(err)
	}
	cl.imported()
	c.CollectHourly(now)
	if got := c.Functions(Query{}); len(got) != 1 || got[0].MethodName != "G" {
		t.Errorf("after the older process: %+v", got)
	}
}

func TestGarbageInTestProfile(t *testing.T) {
	now := time.UnixMilli(someTime)
	c := start(t, Options{TestProfile: true, PublishSeconds: 5, Now: func() time.Time { return now }})
	cl := dial(t, c)
	cl.good(someCommon(), someTime, someEntries(1))
	c.CollectHourly(now.Add(125 * time.Second))
	if got := len(c.Tables().Jvms); got != 1 {
		t.Errorf("%d processes after 2:05, want 1", got)
	}
	c.CollectHourly(now.Add(126 * time.Second))
	if got := len(c.Tables().Jvms); got != 0 {
		t.Errorf("%d processes after 2:06, want 0", got)
	}
}

func TestDeleteApplication(t *testing.T) {
	c := start(t, Options{})
	cl := dial(t, c)
	d := someCommon()
	list := someEntries(2)
	cl.good(d, someTime, list)
	if !c.DeleteApplication(DemoKey, "shop") || c.DeleteApplication(DemoKey, "shop") {
		t.Errorf("DeleteApplication: want true once")
	}
	if got := c.Tables(); len(got.Jvms)+len(got.Invocations)+len(got.Applications) != 0 || len(got.Methods) != 2 || len(got.Fingerprints) != 1 {
		t.Errorf("left: %+v", got)
	}
	if err := cl.invocations(d, someTime, list[0].Hash); err != nil {
		t.Fatal(err)
	}
	cl.imported()
	if got := len(c.Functions(Query{})); got != 1 {
		t.Errorf("%d functions after invocations alone, want 1", got)
	}
	if err := cl.codebase(d, list...); err != nil {
		t.Fatal(err)
	}
	cl.imported()
	if got := len(c.Functions(Query{})); got != 2 {
		t.Errorf("%d functions after the codebase, want 2", got)
	}
}
