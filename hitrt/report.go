package hitrt

// What is said on standard error. Nothing else in this package writes there.

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
)

// A reporter writes single lines that begin with "scavenger: ". It belongs to
// the publisher's goroutine.
type reporter struct {
	out   io.Writer
	key   string // the api key, which must not appear in any line
	debug bool
	said  map[string]time.Time // when a kind of line was last written
}

func newReporter(out io.Writer, set *settings) *reporter {
	return &reporter{out: out, key: set.apiKey, debug: set.debugMode, said: map[string]time.Time{}}
}

// say writes one line, unless one of the same kind was written within the last
// hour: a collector that is down for a week must not fill anybody's log.
func (r *reporter) say(kind, format string, args ...any) {
	now := time.Now()
	if last, ok := r.said[kind]; ok && now.Sub(last) < time.Hour {
		return
	}
	r.said[kind] = now
	r.write(format, args...)
}

// trace writes one line under debugMode.
func (r *reporter) trace(format string, args ...any) {
	if r.debug {
		r.write(format, args...)
	}
}

func (r *reporter) write(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if len(r.key) >= shortestKey {
		line = strings.ReplaceAll(line, r.key, "***")
		line = strings.ReplaceAll(line, url.QueryEscape(r.key), "***")
	}
	// Parts of it may come from a server: one line, no control characters.
	line = clamp(printable(line), 600)
	_, _ = io.WriteString(r.out, "scavenger: "+line+"\n")
}

// shortestKey is how long an api key must be to be looked for in lines: a shorter
// one, which no collector gives out, would be found in the middle of words.
const shortestKey = 6

// keyStart is as much of an api key as may be shown.
func keyStart(key string) string {
	if len(key) < 12 {
		return "…"
	}
	return clamp(key, 4) + "…"
}
