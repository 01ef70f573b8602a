// The rules that the real collector does not enforce but needs: it answers OK
// to a publication that breaks one and later fails, shows something wrong or
// forgets something.

package collector

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Violation is a rule that was broken.
type Violation struct {
	Request int // number of the first request that broke it; 0: none in particular
	Rule    string
	Text    string
}

func (v Violation) String() string {
	return fmt.Sprintf("request %d: %s: %s", v.Request, v.Rule, v.Text)
}

// maxPerRule bounds the list: a large codebase can break a rule in each entry.
const maxPerRule = 20

// maxSignature is how long a signature may be in bytes. Its column takes
// more, but MySQL groups by the first 1024 bytes.
const maxSignature = 1000

// clockTolerance is how far a publisher's clock may be ahead.
const clockTolerance = 10 * time.Minute

// rules remembers what the rules need.
type rules struct {
	violations []Violation
	count      map[string]int // by rule
	seen       map[Violation]bool
	polled     map[pair]bool               // workspace and uuid
	published  map[publishedKey]codebaseID // what a fingerprint stands for
	identity   map[pair]Common             // first common data of a uuid
	named      map[publishedKey]int        // fingerprints in invocations, and the first request that named one
	nodes      map[pair]nodeUse            // workspace and signature of a node of the page
}

type publishedKey struct {
	workspace, application, fingerprint string
}

type codebaseID struct {
	entries     [sha256.Size]byte
	environment string
}

func newRules() *rules {
	return &rules{
		count:     make(map[string]int),
		seen:      make(map[Violation]bool),
		polled:    make(map[pair]bool),
		published: make(map[publishedKey]codebaseID),
		identity:  make(map[pair]Common),
		named:     make(map[publishedKey]int),
		nodes:     make(map[pair]nodeUse),
	}
}

// violate notes a violation once, however often it is repeated. The caller
// holds c.mu.
func (c *Collector) violate(request int, rule, format string, args ...any) {
	v := Violation{Rule: rule, Text: fmt.Sprintf(format, args...)}
	if c.rules.seen[v] || c.rules.count[rule] > maxPerRule {
		return
	}
	c.rules.seen[v] = true
	c.rules.count[rule]++
	if c.rules.count[rule] > maxPerRule {
		v.Text = "and more of these"
	}
	v.Request = request
	c.rules.violations = append(c.rules.violations, v)
}

// Violations returns the rules that were broken so far, the failed imports,
// and the invocations that no snapshot will ever show because their hash is
// in no codebase. Before that last check can mean anything, everything must
// be imported: see [Collector.WaitImported].
func (c *Collector) Violations() []Violation {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := slices.Clone(c.rules.violations)
	for _, e := range c.errors {
		list = append(list, Violation{e.Request, "import", e.String()})
	}
	if c.pending() > 0 {
		return list
	}
	for key, request := range c.rules.named {
		if _, ok := c.rules.published[key]; !ok {
			list = append(list, Violation{request, "fingerprint",
				fmt.Sprintf("invocations name fingerprint %q, which application %q never published", key.fingerprint, key.application)})
		}
	}
	unknown := 0
	first := ""
	for key := range c.tables.invocations {
		if c.tables.methods[pair{key.workspace, key.hash}] == nil {
			unknown++
			if first == "" || key.hash < first {
				first = key.hash
			}
		}
	}
	if unknown > 0 {
		list = append(list, Violation{0, "unknown hash",
			fmt.Sprintf("%d invocations of hashes in no codebase, the first is %q", unknown, first)})
	}
	return list
}

// Check waits until everything that was accepted is imported, and returns an
// error if a rule was broken.
func (c *Collector) Check(ctx context.Context) error {
	if err := c.WaitImported(ctx); err != nil {
		return err
	}
	if v := c.Violations(); len(v) > 0 {
		return fmt.Errorf("the collector was sent what it cannot take: %d rules broken, the first: %v", len(v), v[0])
	}
	return nil
}

func (c *Collector) checkColumn(request int, col column, value string) {
	if err := col.check(value); err != nil {
		c.violate(request, "length", "%v", err)
	}
}

// checkPublication checks a valid publication. The caller holds c.mu.
func (c *Collector) checkPublication(r *Request) {
	c.checkCommon(r.Number, r.common())
	if p := r.Codebase; p != nil {
		c.checkCodebase(r.Number, p)
	} else {
		c.checkInvocations(r.Number, r.Invocations)
	}
}

func (c *Collector) checkCommon(request int, d *Common) {
	for _, field := range []struct {
		column column
		value  string
	}{
		{columnAppName, d.AppName}, {columnEnvironment, d.Environment}, {columnFingerprint, d.Fingerprint},
		{columnJvmVersion, d.AppVersion}, {columnJvmUUID, d.UUID}, {columnHostname, d.Hostname},
	} {
		c.checkColumn(request, field.column, field.value)
	}
	c.checkClock(request, "published_at_millis", d.PublishedAtMillis)
	c.checkClock(request, "jvm_started_at_millis", d.StartedAtMillis)
	key := pair{d.APIKey, d.UUID}
	if !c.rules.polled[key] {
		c.violate(request, "poll", "process %s publishes but never polled; the hourly job deletes it", d.UUID)
	}
	now := *d
	now.Fingerprint, now.PublishedAtMillis = "", 0
	first, ok := c.rules.identity[key]
	if !ok {
		c.rules.identity[key] = now
	} else if first != now {
		c.violate(request, "identity", "process %s was %+v at first sight, which the collector keeps, and is now %+v", d.UUID, first, now)
	}
}

func (c *Collector) checkClock(request int, name string, millis int64) {
	if limit := c.now().Add(clockTolerance); millis > limit.UnixMilli() {
		c.violate(request, "clock", "%s is %d, in the future", name, millis)
	}
}

func (c *Collector) checkInvocations(request int, p *InvocationPublication) {
	if minute(p.IntervalStartedMillis) <= 0 {
		c.violate(request, "interval", "recording interval starts at %d: the hits count as unused", p.IntervalStartedMillis)
	}
	c.checkClock(request, "recording_interval_started_at_millis", p.IntervalStartedMillis)
	for _, hash := range p.Hashes {
		c.checkColumn(request, columnInvokedHash, hash)
	}
	d := p.Common
	// The codebase may follow: stored first, invocations cannot be lost to it.
	if key := (publishedKey{d.APIKey, d.AppName, d.Fingerprint}); c.rules.named[key] == 0 {
		c.rules.named[key] = request
	}
}

func (c *Collector) checkCodebase(request int, p *CodebasePublication) {
	if len(p.Entries) == 0 {
		c.violate(request, "empty", "codebase without entries")
	}
	byHash := make(map[string]string, len(p.Entries))
	lines := make([]string, 0, len(p.Entries))
	for i := range p.Entries {
		e := &p.Entries[i]
		c.checkEntry(request, e)
		c.checkNodes(request, p.Common.APIKey, e)
		if other, ok := byHash[e.Hash]; ok && other != e.Signature {
			c.violate(request, "hash", "%q and %q have the same hash", other, e.Signature)
		}
		byHash[e.Hash] = e.Signature
		lines = append(lines, fmt.Sprintf("%q", *e))
	}
	// A known fingerprint is skipped, so it must stand for one codebase.
	slices.Sort(lines)
	d := p.Common
	id := codebaseID{sha256.Sum256([]byte(strings.Join(lines, "\n"))), d.Environment}
	key := publishedKey{d.APIKey, d.AppName, d.Fingerprint}
	known, ok := c.rules.published[key]
	switch {
	case !ok:
		c.rules.published[key] = id
	case known.entries != id.entries:
		c.violate(request, "fingerprint", "fingerprint %q stands for two codebases; the second is skipped", d.Fingerprint)
	case known.environment != id.environment:
		c.violate(request, "fingerprint", "fingerprint %q comes from environments %q and %q; the second gets no rows of new functions",
			d.Fingerprint, known.environment, id.environment)
	}
}

func (c *Collector) checkEntry(request int, e *Entry) {
	for _, field := range []struct {
		column column
		value  string
	}{
		{columnVisibility, e.Visibility}, {columnSignature, e.Signature}, {columnHash, e.Hash},
		{columnDeclaringType, e.DeclaringType}, {columnMethodName, e.MethodName}, {columnModifiers, e.Modifiers},
	} {
		c.checkColumn(request, field.column, field.value)
	}
	if len(e.Signature) >= maxSignature {
		c.violate(request, "length", "signature has %d bytes: %.60q", len(e.Signature), e.Signature)
	}
	if hiddenModifiers(e.Modifiers) {
		c.violate(request, "modifiers", "%q hides %q from snapshots", e.Modifiers, e.Signature)
	}
	if e.MethodName == "<init>" {
		c.violate(request, "signature", "method name <init> of %q doubles its last part", e.Signature)
	}
	if err := checkSignature(e.Signature); err != nil {
		c.violate(request, "signature", "%q: %v", e.Signature, err)
	}
	if strings.Contains(e.DeclaringType, "..") || strings.ContainsAny(e.DeclaringType, forbidden) {
		c.violate(request, "signature", "declaring type %q has a forbidden character", e.DeclaringType)
	}
}

// forbidden are the characters that no package and no class may have: the
// real frontend does not escape them in its requests.
const forbidden = " $#&+%[]{}|\\^<>\"`"

// checkSignature returns an error if the tree or the frontend cannot cope
// with a signature.
func checkSignature(signature string) error {
	if _, err := splitSignature(signature, ""); err != nil {
		return fmt.Errorf("every snapshot fails: %w", err)
	}
	name, arguments, _ := strings.Cut(signature, "(")
	if i := strings.IndexAny(name, forbidden); i >= 0 {
		return fmt.Errorf("forbidden character %q", name[i])
	}
	if i := strings.IndexFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }); i >= 0 {
		return fmt.Errorf("control character %q", name[i])
	}
	if strings.Contains(arguments, "$") {
		return fmt.Errorf("a dollar in the parameters glues the method to its class")
	}
	if err := checkLabel(signature); err != nil {
		return err
	}
	segments := strings.Split(name, ".")
	for i, segment := range segments {
		if segment == "" {
			return fmt.Errorf("empty segment")
		}
		if i < len(segments)-1 && !isWord(segment[len(segment)-1]) {
			return fmt.Errorf("segment %q does not end in an ASCII word character: the next dot is swallowed", segment)
		}
	}
	return nil
}
