// The import: limits, fingerprints, races.

package collector

import (
	"strings"
	"testing"
	"time"
)

func TestImport(t *testing.T) {
	c := start(t, Options{})
	cl := dial(t, c)
	d := someCommon()
	entries := someEntries(1201) // three chunks
	var hashes []string
	for _, e := range entries[:700] { // two chunks
		hashes = append(hashes, e.Hash)
	}
	cl.good(d, someTime, entries, hashes...)
	wantRules(t, c)
	list := c.Functions(Query{Application: "shop", Environment: "test"})
	if len(list) != 1201 {
		t.Fatalf("%d functions, want 1201", len(list))
	}
	const wholeMinute = someTime / 60_000 * 60_000
	for i, f := range list {
		e := entries[i]
		want := Function{e.Signature, e.DeclaringType, e.MethodName, e.Visibility, e.Modifiers, e.Hash, 0, false}
		if i < 700 {
			want.InvokedAtMillis, want.Used = wholeMinute, true
		}
		if f != want {
			t.Fatalf("function %d: got %+v, want %+v", i, f, want)
		}
	}
	tables := c.Tables()
	if got := tables.Jvms; len(got) != 1 || got[0].Fingerprint != "f1" || got[0].PublishedAtMillis != someTime || got[0].CreatedAtMillis != someTime-60_000 {
		t.Errorf("jvms: %+v", got)
	}
	if got := tables.Fingerprints; len(got) != 1 || got[0].CreatedAtMillis != wholeMinute || got[0].PublishedAtMillis != wholeMinute {
		t.Errorf("fingerprints: %+v", got)
	}
	if got := tables.Methods[0]; got.LastSeenAtMillis != wholeMinute || got.CreatedAtMillis != wholeMinute {
		t.Errorf("method: %+v", got)
	}
	for query, want := range map[Query]int{
		{}:                          1201,
		{APIKey: "other"}:           0,
		{Application: "x"}:          0,
		{Environment: "x"}:          0,
		{SinceMillis: someTime * 2}: 1201,
	} {
		if got := len(c.Functions(query)); got != want {
			t.Errorf("Functions(%+v): %d, want %d", query, got, want)
		}
	}
	if got := used(c.Functions(Query{SinceMillis: someTime})); got != "" {
		t.Errorf("used since later: %s", got)
	}
	// An older interval does not turn time back; a newer one moves it.
	for _, test := range []struct{ started, want int64 }{
		{wholeMinute - 1, wholeMinute},
		{wholeMinute + 60_000, wholeMinute + 60_000},
	} {
		if err := cl.invocations(d, test.started, hashes[0]); err != nil {
			t.Fatal(err)
		}
		cl.imported()
		if got := c.Functions(Query{})[0].InvokedAtMillis; got != test.want {
			t.Errorf("interval %d: invoked at %d, want %d", test.started, got, test.want)
		}
	}
}

func TestImportIsAsynchronous(t *testing.T) {
	c := start(t, Options{CodebaseDelay: time.Millisecond, InvocationDelay: time.Millisecond})
	cl := dial(t, c)
	release := c.Hold(CodebaseImport)
	if err := cl.codebase(someCommon(), someEntries(1)...); err != nil {
		t.Fatal(err)
	}
	if err := c.WaitFor(testContext(t), func() bool { return c.Held(CodebaseImport) == 1 }); err != nil {
		t.Fatal(err)
	}
	if got := len(c.Tables().Applications); got != 0 || c.Pending() != 1 {
		t.Errorf("%d applications, %d pending before the import", got, c.Pending())
	}
	release()
	release() // does nothing
	cl.imported()
	if got := len(c.Tables().Methods); got != 1 || c.Held(CodebaseImport) != 0 {
		t.Errorf("%d methods after the import, %d held", got, c.Held(CodebaseImport))
	}
}

func TestPoisonIsNotRepaired(t *testing.T) {
	c := start(t, Options{})
	cl := dial(t, c)
	d := someCommon()
	bad := entry("a.func", "F", "")
	bad.Hash = strings.Repeat("f", 33)
	good := entry("a.func", "G", "")
	cl.good(d, someTime, []Entry{good, bad})
	cl.good(d, someTime, []Entry{good}) // the same fingerprint, known by now
	if got := c.Functions(Query{}); len(got) != 1 {
		t.Errorf("functions: %+v; want only what the first batch stored", got)
	}
	wantRules(t, c, "length", "fingerprint", "import")

	// On MySQL-like UPDATEs a too long value fails existing rows, too.
	d.Fingerprint = "f2"
	good.Visibility = strings.Repeat("v", 21)
	newer := entry("a.func", "H", "")
	cl.good(d, someTime, []Entry{good, newer})
	if got := c.Tables().Methods; len(got) != 1 || got[0].Visibility != "public" {
		t.Errorf("methods: %+v; want the failed UPDATE to stop the import", got)
	}
}

func TestKnownFingerprint(t *testing.T) {
	c := start(t, Options{})
	cl := dial(t, c)
	d := someCommon()
	list := someEntries(3)
	cl.good(d, someTime, list[:2])
	cl.good(d, someTime, list) // skipped
	if got := len(c.Functions(Query{})); got != 2 {
		t.Errorf("%d functions after a known fingerprint, want 2", got)
	}
	wantRules(t, c, "fingerprint")

	// Another environment without rows gets them, although the fingerprint is known.
	d.Environment, d.UUID = "prod", "uuid-2"
	cl.good(d, someTime, list[:2])
	if got := len(c.Functions(Query{Environment: "prod"})); got != 2 {
		t.Errorf("%d functions in a new environment, want 2", got)
	}
	// One with rows of an older codebase does not.
	cl.good(Common{d.APIKey, d.AppName, "1", "f2", "test", "h", someTime, "uuid-3", someTime}, someTime, list)
	d.Fingerprint = "f2"
	cl.good(d, someTime, list)
	if got := len(c.Functions(Query{Environment: "prod"})); got != 2 {
		t.Errorf("%d functions in the second environment, want 2", got)
	}
	wantRules(t, c, "fingerprint", "fingerprint", "fingerprint")

	// Per application: the same fingerprint in another one is new.
	d.AppName, d.UUID = "store", "uuid-4"
	cl.good(d, someTime, list)
	if got := len(c.Functions(Query{Application: "store"})); got != 3 {
		t.Errorf("%d functions in another application, want 3", got)
	}
}

func TestFrozenProcess(t *testing.T) {
	c := start(t, Options{})
	cl := dial(t, c)
	d := someCommon()
	cl.good(d, someTime, someEntries(1))
	d.Hostname, d.PublishedAtMillis = "other", someTime+1
	cl.good(d, someTime, someEntries(1))
	if got := c.Tables().Jvms; len(got) != 1 || got[0].Hostname != "host" || got[0].PublishedAtMillis != someTime+1 {
		t.Errorf("jvms: %+v", got)
	}
	wantRules(t, c, "identity")
}

// TestOrderings produces the three orders in which the two first imports can
// run. Only the interleaved one loses the hit, and sending it again repairs
// that with the true time.
func TestOrderings(t *testing.T) {
	e := entry("a.func", "main", "")
	d := someCommon()
	send := func(cl *client) {
		t.Helper()
		if _, err := cl.poll(d.APIKey, d.UUID); err != nil {
			t.Fatal(err)
		}
		if err := cl.codebase(d, e); err != nil {
			t.Fatal(err)
		}
		if err := cl.invocations(d, someTime, e.Hash); err != nil {
			t.Fatal(err)
		}
	}
	waitHeld := func(c *Collector, p Point) {
		t.Helper()
		if err := c.WaitFor(testContext(t), func() bool { return c.Held(p) == 1 }); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("codebase first", func(t *testing.T) {
		c := start(t, Options{})
		cl := dial(t, c)
		release := c.Hold(InvocationImport)
		send(cl)
		if err := c.WaitFor(testContext(t), func() bool { return c.Pending() == 1 && c.Held(InvocationImport) == 1 }); err != nil {
			t.Fatal(err)
		}
		release()
		cl.imported()
		if got := used(c.Functions(Query{})); got != "main" {
			t.Errorf("used: %q, want main", got)
		}
	})
	t.Run("invocations first", func(t *testing.T) {
		c := start(t, Options{})
		cl := dial(t, c)
		release := c.Hold(CodebaseImport)
		send(cl)
		if err := c.WaitFor(testContext(t), func() bool { return c.Pending() == 1 && c.Held(CodebaseImport) == 1 }); err != nil {
			t.Fatal(err)
		}
		if got := c.Functions(Query{}); len(got) != 0 || len(c.Tables().Invocations) != 1 {
			t.Errorf("functions before the codebase: %+v", got)
		}
		release()
		cl.imported()
		if got := used(c.Functions(Query{})); got != "main" {
			t.Errorf("used: %q, want main", got)
		}
	})
	t.Run("interleaved by hand", func(t *testing.T) {
		c := start(t, Options{})
		cl := dial(t, c)
		releaseCodebase, releaseInsert := c.Hold(CodebaseImport), c.Hold(InvocationInsert)
		send(cl)
		waitHeld(c, InvocationInsert)
		waitHeld(c, CodebaseImport)
		releaseCodebase()
		if err := c.WaitFor(testContext(t), func() bool { return c.Pending() == 1 }); err != nil {
			t.Fatal(err)
		}
		releaseInsert()
		cl.imported()
		if got := used(c.Functions(Query{})); got != "" {
			t.Errorf("used: %q, want none", got)
		}
	})
	t.Run("interleaved", func(t *testing.T) {
		c := start(t, Options{})
		cl := dial(t, c)
		c.LoseFirstHits()
		send(cl)
		cl.imported()
		if got := used(c.Functions(Query{})); got != "" {
			t.Errorf("used: %q, want none", got)
		}
		wantRules(t, c) // nothing that the publisher did wrong
		if err := cl.invocations(d, someTime, e.Hash); err != nil {
			t.Fatal(err)
		}
		cl.imported()
		list := c.Functions(Query{})
		if got := used(list); got != "main" || list[0].InvokedAtMillis != minute(someTime) {
			t.Errorf("after sending again: %+v", list)
		}
	})
}
