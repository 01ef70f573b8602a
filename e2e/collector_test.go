// The collector in scripts.

package e2e

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/naver/scavenger/scavenger-wrap/e2e/collector"
)

// A scriptCollector is the collector of one script, which keeps it under
// collectorKey.
type (
	scriptCollector struct{ *collector.Collector }
	collectorKey    struct{}
)

// collectorCommand is the script command
//
//	collector start
//	collector rows FILE APPLICATION ENVIRONMENT
//
// The first starts a collector and points SCAVENGER_SERVER_URL and
// SCAVENGER_API_KEY at it. The second waits until it has stored what it
// received, fails if anything was wrong with that, and writes the functions as
// lines of "used" or "unused", visibility and signature.
func collectorCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: collector start|rows")
	}
	switch {
	case args[0] == "start" && len(args) == 1:
		c, err := collector.Start(collector.Options{NoJitter: true})
		ts.Check(err)
		ts.Defer(c.Close)
		ts.Setenv("SCAVENGER_SERVER_URL", c.URL())
		ts.Setenv("SCAVENGER_API_KEY", collector.DemoKey)
		ts.Setenv("SCAVENGER_EXIT_TIMEOUT", "1m") // the collector answers, once it has a processor
		ts.Value(collectorKey{}).(*scriptCollector).Collector = c
	case args[0] == "rows" && len(args) == 4:
		c := ts.Value(collectorKey{}).(*scriptCollector).Collector
		if c == nil {
			ts.Fatalf("no collector was started")
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		ts.Check(c.Check(ctx))
		var b strings.Builder
		for _, f := range c.Functions(collector.Query{Application: args[2], Environment: args[3]}) {
			used := "unused"
			if f.Used {
				used = "used"
			}
			fmt.Fprintf(&b, "%s %s %s\n", used, f.Visibility, f.Signature)
		}
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(b.String()), 0o666))
	default:
		ts.Fatalf("usage: collector start | collector rows file application environment")
	}
}
