// The garbage jobs of the real collector, run by the test instead of a clock.

package collector

import "time"

// CollectHourly does what the hourly job does at the given time: sweep
// processes that have not polled for long, then fingerprints that no process
// has, then declare methods garbage that were last seen before all remaining
// codebases. Garbage is not in snapshots; only the import of a new fingerprint
// revives it.
func (c *Collector) CollectHourly(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, workspace := range c.allWorkspaces() {
		c.sweepAgents(workspace, now.Add(-c.sweepMargin()).UnixMilli())
		c.sweepFingerprints(workspace)
		c.findGarbage(workspace)
	}
	c.notify()
}

// CollectDaily does what the daily job does at the given time: delete garbage
// methods last seen more than a week before, with their invocations.
func (c *Collector) CollectDaily(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	margin := 7 * 24 * time.Hour
	if c.options.TestProfile {
		margin = time.Hour
	}
	before := now.Add(-margin).UnixMilli()
	for _, workspace := range c.allWorkspaces() {
		if len(c.jvmsOf(workspace)) == 0 {
			continue
		}
		for key, m := range c.tables.methods {
			if key.workspace == workspace && m.Garbage && m.LastSeenAtMillis < before {
				delete(c.tables.methods, key)
				c.deleteInvocations(workspace, key.name)
			}
		}
	}
	c.notify()
}

// allWorkspaces lists the workspaces that have rows or a key.
func (c *Collector) allWorkspaces() []string {
	names := make(map[string]bool)
	for name := range c.workspaces {
		names[name] = true
	}
	for key := range c.tables.applications {
		names[key.workspace] = true
	}
	for key := range c.tables.states {
		names[key.workspace] = true
	}
	var list []string
	for name := range names {
		list = append(list, name)
	}
	return list
}

// sweepMargin returns how long a process may be silent: 50 minutes by default.
func (c *Collector) sweepMargin() time.Duration {
	publish := time.Duration(c.seconds.publish) * time.Second
	if c.options.TestProfile {
		return publish + 2*time.Minute
	}
	return publish*10 + 30*time.Minute
}

func (c *Collector) jvmsOf(workspace string) []*Jvm {
	var list []*Jvm
	for key, jvm := range c.tables.jvms {
		if key.workspace == workspace {
			list = append(list, jvm)
		}
	}
	return list
}

// sweepAgents deletes the processes that polled last before the given time,
// and those that never polled.
func (c *Collector) sweepAgents(workspace string, before int64) {
	polling := make(map[string]bool)
	for key, state := range c.tables.states {
		if key.workspace == workspace && state.LastPolledAtMillis < before {
			delete(c.tables.states, key)
			delete(c.tables.jvms, key)
			continue
		}
		polling[key.name] = true // of any workspace, as the real statement has it
	}
	for key := range c.tables.jvms {
		if key.workspace == workspace && !polling[key.name] {
			delete(c.tables.jvms, key)
		}
	}
}

// sweepFingerprints deletes the fingerprints that no process names.
func (c *Collector) sweepFingerprints(workspace string) {
	used := make(map[string]bool)
	for _, jvm := range c.jvmsOf(workspace) {
		used[jvm.Fingerprint] = true
	}
	for key := range c.tables.fingerprints {
		if key.workspace == workspace && !used[key.fingerprint] {
			delete(c.tables.fingerprints, key)
		}
	}
}

// findGarbage declares garbage the methods last seen before the oldest fingerprint came,
// whichever application that belongs to.
func (c *Collector) findGarbage(workspace string) {
	if len(c.jvmsOf(workspace)) == 0 {
		return
	}
	oldest := int64(-1)
	for key, f := range c.tables.fingerprints {
		if key.workspace == workspace && (oldest < 0 || f.CreatedAtMillis < oldest) {
			oldest = f.CreatedAtMillis
		}
	}
	if oldest < 0 {
		return
	}
	for key, m := range c.tables.methods {
		if key.workspace == workspace && m.LastSeenAtMillis < oldest-1 {
			m.Garbage = true
		}
	}
}

func (c *Collector) deleteInvocations(workspace, hash string) {
	for key := range c.tables.invocations {
		if key.workspace == workspace && key.hash == hash {
			delete(c.tables.invocations, key)
		}
	}
}
