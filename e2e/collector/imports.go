// The import of what was accepted. It begins after the answer, so nothing
// that goes wrong here reaches the publisher.

package collector

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// chunkSize is how many rows the real collector sends to its database at once.
const chunkSize = 500

// queuePoll queues what a poll leaves in agent_state. The caller holds c.mu.
func (c *Collector) queuePoll(r *Request, pollSeconds int) {
	key := pair{r.Poll.APIKey, r.Poll.UUID}
	polled := c.now()
	next := polled.Add(time.Duration(pollSeconds) * time.Second).UnixMilli()
	c.enqueue(PollConfig, r.Number, func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		if err := columnAgentUUID.check(key.name); err != nil {
			return err
		}
		c.tables.states[key] = &AgentState{key.workspace, key.name, polled.UnixMilli(), next}
		return nil
	})
}

// queuePublication queues the import of a publication. The caller holds c.mu.
func (c *Collector) queuePublication(r *Request) {
	number := r.Number
	if p := r.Codebase; p != nil {
		c.enqueue(Codebase, number, func() error { return c.importCodebase(p) })
	} else {
		p := r.Invocations
		c.enqueue(Invocations, number, func() error { return c.importInvocations(p) })
	}
}

// begin waits as Options and holds demand before an import.
func (c *Collector) begin(delay time.Duration, p Point) error {
	if delay > 0 && !c.sleep(delay) {
		return errClosed
	}
	return c.pass(p)
}

// A place is where the rows of a publication belong.
type place struct {
	workspace                string
	application, environment int
}

// importCommon stores the common part of a publication. The rows before the
// one that fails stay. The caller holds c.mu.
func (c *Collector) importCommon(d *Common) (place, error) {
	t, at := c.tables, place{workspace: d.APIKey}
	created := d.StartedAtMillis
	if err := cmp.Or(columnAppName.check(d.AppName), checkTimestamp("applications.createdAt", created)); err != nil {
		return at, err
	}
	key := pair{d.APIKey, d.AppName}
	app := t.applications[key]
	if app == nil {
		t.lastID++
		app = &Application{d.APIKey, d.AppName, t.lastID, created}
		t.applications[key] = app
	}
	app.CreatedAtMillis = min(app.CreatedAtMillis, created)

	name := d.Environment
	if strings.TrimSpace(name) == "" {
		name = "<default>"
	}
	if err := columnEnvironment.check(name); err != nil {
		return at, err
	}
	key = pair{d.APIKey, name}
	env := t.environments[key]
	if env == nil {
		t.lastID++
		env = &Environment{d.APIKey, name, t.lastID, created}
		t.environments[key] = env
	}
	env.CreatedAtMillis = min(env.CreatedAtMillis, created)
	at.application, at.environment = app.ID, env.ID

	err := cmp.Or(columnJvmVersion.check(d.AppVersion), columnJvmUUID.check(d.UUID),
		columnJvmFinger.check(d.Fingerprint), columnHostname.check(d.Hostname),
		checkTimestamp("jvms.publishedAt", d.PublishedAtMillis))
	if err != nil {
		return at, err
	}
	key = pair{d.APIKey, d.UUID}
	jvm := t.jvms[key]
	if jvm == nil {
		jvm = &Jvm{
			Workspace: d.APIKey, UUID: d.UUID, ApplicationID: app.ID, EnvironmentID: env.ID,
			AppVersion: d.AppVersion, Hostname: d.Hostname, CreatedAtMillis: created,
		}
		t.jvms[key] = jvm
	}
	jvm.Fingerprint, jvm.PublishedAtMillis = d.Fingerprint, d.PublishedAtMillis
	return at, nil
}

// minute cuts a time to the minute, as both imports do.
func minute(millis int64) int64 {
	return time.UnixMilli(millis).UTC().Truncate(time.Minute).UnixMilli()
}

// importCodebase imports one codebase publication.
func (c *Collector) importCodebase(p *CodebasePublication) error {
	if err := c.begin(c.options.CodebaseDelay, CodebaseImport); err != nil {
		return err
	}
	c.mu.Lock()
	at, err := c.importCommon(p.Common)
	seen := minute(p.Common.PublishedAtMillis)
	isNew := false
	if err == nil {
		isNew = c.importFingerprint(at, p.Common.Fingerprint, seen)
	}
	complete := isNew || c.hasNotInvoked(at)
	c.mu.Unlock()
	if err != nil || len(p.Entries) == 0 {
		return err
	}
	entries := slices.Clone(p.Entries)
	slices.SortStableFunc(entries, func(a, b Entry) int { return strings.Compare(a.Hash, b.Hash) })
	switch {
	case isNew:
		for chunk := range slices.Chunk(entries, chunkSize) {
			if err := c.upsertMethods(at.workspace, chunk, seen); err != nil {
				return err
			}
		}
	case complete:
		return nil
	}
	for chunk := range slices.Chunk(entries, chunkSize) {
		if err := c.upsertInitial(at, chunk, seen); err != nil {
			return err
		}
	}
	return nil
}

// importFingerprint stores a fingerprint and reports whether it is new to the
// application; the environment does not matter. The caller holds c.mu.
func (c *Collector) importFingerprint(at place, fingerprint string, published int64) (isNew bool) {
	key := fingerprintKey{at.workspace, at.application, fingerprint}
	if known := c.tables.fingerprints[key]; known != nil {
		known.PublishedAtMillis = published
		return false
	}
	c.tables.fingerprints[key] = &Fingerprint{at.workspace, at.application, fingerprint, published, published}
	return true
}

// hasNotInvoked reports whether an application has any row in this
// environment that is not INVOKED. Then a known fingerprint's entries are
// taken to be there already. The caller holds c.mu.
func (c *Collector) hasNotInvoked(at place) bool {
	for key, row := range c.tables.invocations {
		if key.workspace == at.workspace && key.application == at.application &&
			key.environment == at.environment && row.Status != statusInvoked {
			return true
		}
	}
	return false
}

// upsertMethods updates a chunk of methods and inserts those that had no row.
// A value that does not fit fails its statement, not the others of the same
// batch; but a batch with a failure is the last.
func (c *Collector) upsertMethods(workspace string, chunk []Entry, seen int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.notify()
	var failure error
	var inserts []Entry
	for _, e := range chunk {
		row := c.tables.methods[pair{workspace, e.Hash}]
		if row == nil {
			inserts = append(inserts, e)
		} else if err := e.check(); err != nil {
			failure = cmp.Or(failure, err)
		} else {
			e.store(row, seen)
		}
	}
	if failure != nil {
		return failure
	}
	for _, e := range inserts {
		if err := cmp.Or(e.check(), columnHash.check(e.Hash)); err != nil {
			failure = cmp.Or(failure, err)
			continue
		}
		key := pair{workspace, e.Hash}
		if c.tables.methods[key] == nil { // IGNORE
			row := &Method{Workspace: workspace, Hash: e.Hash, CreatedAtMillis: seen}
			e.store(row, seen)
			c.tables.methods[key] = row
		}
	}
	return failure
}

// check returns an error if an entry does not fit into its row.
func (e *Entry) check() error {
	return cmp.Or(columnVisibility.check(e.Visibility), columnSignature.check(e.Signature),
		columnDeclaringType.check(e.DeclaringType), columnMethodName.check(e.MethodName),
		columnModifiers.check(e.Modifiers))
}

// store writes an entry to its row. It is what revives garbage.
func (e *Entry) store(row *Method, seen int64) {
	row.Visibility, row.Signature, row.DeclaringType = e.Visibility, e.Signature, e.DeclaringType
	row.MethodName, row.Modifiers, row.Garbage = e.MethodName, e.Modifiers, false
	row.CreatedAtMillis = min(row.CreatedAtMillis, seen)
	row.LastSeenAtMillis = max(row.LastSeenAtMillis, seen)
}

// upsertInitial gives every method of a chunk a row in invocations.
func (c *Collector) upsertInitial(at place, chunk []Entry, seen int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.notify()
	var failure error
	for _, e := range chunk {
		key := invocationKey{at.workspace, at.application, at.environment, e.Hash}
		if row := c.tables.invocations[key]; row != nil {
			row.LastSeenAtMillis = seen
		} else if err := columnInvokedHash.check(e.Hash); err != nil {
			failure = cmp.Or(failure, err)
		} else {
			c.tables.invocations[key] = key.row(statusNotInvoked, 0, seen)
		}
	}
	return failure
}

func (key invocationKey) row(status string, invoked, seen int64) *Invocation {
	return &Invocation{key.workspace, key.application, key.environment, key.hash, status, invoked, seen}
}

// importInvocations imports one invocation publication.
func (c *Collector) importInvocations(p *InvocationPublication) error {
	if err := c.begin(c.options.InvocationDelay, InvocationImport); err != nil {
		return err
	}
	c.mu.Lock()
	at, err := c.importCommon(p.Common)
	c.mu.Unlock()
	if err != nil {
		return err
	}
	hashes := slices.Sorted(slices.Values(p.Hashes))
	invoked := minute(p.IntervalStartedMillis)
	for chunk := range slices.Chunk(hashes, chunkSize) {
		inserts := c.updateInvocations(at, chunk, invoked)
		if len(inserts) == 0 {
			continue
		}
		if err := c.pass(InvocationInsert); err != nil {
			return err
		}
		if err := c.insertInvocations(at, inserts, invoked); err != nil {
			return err
		}
	}
	return nil
}

// updateInvocations runs the UPDATE of a chunk. It returns the hashes that had no row.
func (c *Collector) updateInvocations(at place, chunk []string, invoked int64) (inserts []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.notify()
	for _, hash := range chunk {
		row := c.tables.invocations[invocationKey{at.workspace, at.application, at.environment, hash}]
		if row == nil {
			inserts = append(inserts, hash)
			continue
		}
		row.InvokedAtMillis = max(row.InvokedAtMillis, invoked)
		row.Status = statusInvoked
	}
	return inserts
}

// insertInvocations runs the INSERT IGNORE of a chunk, which leaves alone what has got a
// row since the UPDATE.
func (c *Collector) insertInvocations(at place, inserts []string, invoked int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.notify()
	var failure error
	for _, hash := range inserts {
		key := invocationKey{at.workspace, at.application, at.environment, hash}
		if err := columnInvokedHash.check(hash); err != nil {
			failure = cmp.Or(failure, err)
		} else if c.tables.invocations[key] == nil {
			c.tables.invocations[key] = key.row(statusInvoked, invoked, 0)
		}
	}
	return failure
}
