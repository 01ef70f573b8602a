// The columns of the database: what fits, and what becomes of the rest.

package collector

import (
	"slices"
	"strings"
	"testing"
)

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
