// The import: limits, fingerprints, races.

package collector

import (
	"slices"
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

func TestEnvironmentDefault(t *testing.T) {
	c := start(t, Options{})
	cl := dial(t, c)
	d := someCommon()
	d.Environment = "  "
	cl.good(d, someTime, someEntries(1))
	if got := c.Tables().Environments; len(got) != 1 || got[0].Name != "<default>" {
		t.Errorf("environments: %+v", got)
	}
	wantRules(t, c)
}

// TestCommonColumns checks the columns of the common part: a value of the
// full length goes in, one more character and nothing of the publication is
// stored, though the answer is OK.
func TestCommonColumns(t *testing.T) {
	for _, test := range []struct {
		name   string
		limit  int
		set    func(d *Common, value string)
		stored int // tables that got a row before the failure
		extra  []string
	}{
		{"applications.name", 255, func(d *Common, v string) { d.AppName = v }, 0, nil},
		{"environments.name", 255, func(d *Common, v string) { d.Environment = v }, 1, nil},
		{"jvms.applicationVersion", 80, func(d *Common, v string) { d.AppVersion = v }, 2, nil},
		{"jvms.uuid", 40, func(d *Common, v string) { d.UUID = v }, 2, []string{"length"}}, // of agent_state, too
		{"jvms.codeBaseFingerprint", 200, func(d *Common, v string) { d.Fingerprint = v }, 2, nil},
		{"jvms.hostname", 255, func(d *Common, v string) { d.Hostname = v }, 2, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := start(t, Options{})
			cl := dial(t, c)
			d := someCommon()
			test.set(&d, strings.Repeat("ü", test.limit))
			cl.good(d, someTime, someEntries(2), someEntries(1)[0].Hash)
			wantRules(t, c)
			if got := used(c.Functions(Query{})); got != "F0000" {
				t.Errorf("full length: used are %q", got)
			}

			c = start(t, Options{})
			cl = dial(t, c)
			test.set(&d, strings.Repeat("ü", test.limit+1))
			cl.good(d, someTime, someEntries(2), someEntries(1)[0].Hash)
			rows := c.Tables()
			if got := len(rows.Applications) + len(rows.Environments); got != test.stored || len(rows.Jvms)+len(rows.Methods)+len(rows.Invocations) != 0 {
				t.Errorf("too long: stored %+v", rows)
			}
			var of []ImportError
			for _, e := range c.Errors() {
				if e.Kind != PollConfig {
					of = append(of, e)
				}
			}
			if len(of) != 2 || !strings.Contains(of[0].Text, test.name) || of[0].Kind != Codebase || of[1].Kind != Invocations {
				t.Errorf("too long: errors %v", of)
			}
			if got := c.Violations(); len(got) == 0 || got[0].Rule != "length" {
				t.Errorf("too long: violations %v", got)
			}
		})
	}
}

func TestPollColumn(t *testing.T) {
	c := start(t, Options{})
	cl := dial(t, c)
	if _, err := cl.poll(DemoKey, strings.Repeat("u", 41)); err != nil {
		t.Errorf("poll: %v", err)
	}
	cl.imported()
	if len(c.Tables().AgentStates) != 0 || len(c.Errors()) != 1 {
		t.Errorf("agent_state %+v, errors %v", c.Tables().AgentStates, c.Errors())
	}
	wantRules(t, c, "length", "import")
}

// TestEntryColumns checks the columns of an entry: a value too long spoils its
// chunk's second half, everything after it, and all first rows of invocations.
func TestEntryColumns(t *testing.T) {
	for _, test := range []struct {
		name  string
		limit int
		set   func(e *Entry, value string)
	}{
		{"methods.visibility", 20, func(e *Entry, v string) { e.Visibility = v }},
		{"methods.signature", 65535, func(e *Entry, v string) { e.Signature = "a.func.F(" + v[9:] }},
		{"methods.signatureHash", 32, func(e *Entry, v string) { e.Hash = v }},
		{"methods.declaringType", 256, func(e *Entry, v string) { e.DeclaringType = v }},
		{"methods.methodName", 65535, func(e *Entry, v string) { e.MethodName = v }},
		{"methods.modifiers", 50, func(e *Entry, v string) { e.Modifiers = v }},
	} {
		t.Run(test.name, func(t *testing.T) {
			for over := range 2 {
				c := start(t, Options{})
				cl := dial(t, c)
				list := someEntries(1000)
				// Imports go in order of hash: this one belongs to the first chunk.
				list[999].Hash = strings.Repeat("0", 32)
				test.set(&list[999], strings.Repeat("0", test.limit+over))
				cl.good(someCommon(), someTime, list)
				tables := c.Tables()
				want := []int{1000, 1000, 0}
				if over == 1 {
					want = []int{499, 0, 1}
				}
				got := []int{len(tables.Methods), len(tables.Invocations), len(c.Errors())}
				if !slices.Equal(got, want) {
					t.Errorf("%d over: methods, invocations, errors: got %v, want %v", over, got, want)
				}
				if over == 1 && !strings.Contains(c.Errors()[0].Text, test.name) {
					t.Errorf("errors: %v", c.Errors())
				}
				tooLong := slices.ContainsFunc(c.Violations(), func(v Violation) bool {
					return v.Rule == "length" && strings.Contains(v.Text, test.name)
				})
				if tooLong != (over == 1) {
					t.Errorf("%d over: violations %v", over, c.Violations())
				}
			}
		})
	}
}

func TestInvocationColumn(t *testing.T) {
	c := start(t, Options{})
	cl := dial(t, c)
	list := someEntries(600)
	hashes := []string{strings.Repeat("0", 33)} // in the first chunk
	for _, e := range list {
		hashes = append(hashes, e.Hash)
	}
	if _, err := cl.poll(DemoKey, "uuid-1"); err != nil {
		t.Fatal(err)
	}
	if err := cl.invocations(someCommon(), someTime, hashes...); err != nil {
		t.Fatal(err)
	}
	cl.imported()
	if got := len(c.Tables().Invocations); got != 499 || len(c.Errors()) != 1 {
		t.Errorf("%d invocations, want 499; errors %v", got, c.Errors())
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
