// Databases that lose what they had, while the processes that published it live on.

package collector

import "maps"

// A Backup is what a database held at one time.
type Backup struct {
	tables    *tables
	published map[publishedKey]codebaseID
}

// Backup returns a copy of the database.
func (c *Collector) Backup() *Backup {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &Backup{c.tables.clone(), maps.Clone(c.rules.published)}
}

// Restore puts a backup in place of the database, under a running collector. The rows of
// api keys stay as they are.
func (c *Collector) Restore(b *Backup) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.replace(b.tables.clone(), maps.Clone(b.published))
}

// Wipe empties the database under a running collector, which still knows for a while how
// often it told each process to poll.
func (c *Collector) Wipe() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.replace(newTables(), make(map[publishedKey]codebaseID))
}

// Restart is what a restart leaves behind: nothing that was accepted and not imported,
// and nothing that the collector knew besides its database. With a database in memory,
// that is empty, too.
func (c *Collector) Restart(inMemory bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.cache)
	for _, q := range c.queues {
		q.imports = nil
	}
	if inMemory {
		c.replace(newTables(), make(map[publishedKey]codebaseID))
	}
	c.notify()
}

// replace changes the database. What is not in it was never published. The caller holds
// c.mu.
func (c *Collector) replace(t *tables, published map[publishedKey]codebaseID) {
	t.lastID = max(t.lastID, c.tables.lastID)
	c.tables, c.rules.published = t, published
	clear(c.rules.named)
	c.notify()
}

// forget notes that the codebases of an application are no longer published. The caller
// holds c.mu.
func (r *rules) forget(workspace, application string) {
	for key := range r.published {
		if key.workspace == workspace && key.application == application {
			delete(r.published, key)
		}
	}
	for key := range r.named {
		if key.workspace == workspace && key.application == application {
			delete(r.named, key)
		}
	}
}

func (t *tables) clone() *tables {
	return &tables{
		lastID:       t.lastID,
		applications: cloneRows(t.applications),
		environments: cloneRows(t.environments),
		jvms:         cloneRows(t.jvms),
		fingerprints: cloneRows(t.fingerprints),
		methods:      cloneRows(t.methods),
		invocations:  cloneRows(t.invocations),
		states:       cloneRows(t.states),
	}
}

func cloneRows[K comparable, V any](table map[K]*V) map[K]*V {
	clone := make(map[K]*V, len(table))
	for key, row := range table {
		copied := *row
		clone[key] = &copied
	}
	return clone
}
