//go:build !nonetwork && !program

// The check of `scavenger-wrap doctor`, which imports this package: it asks the collector
// what every program asks it first.

package hitrt

import (
	"context"
	"fmt"
	"os"
)

// A StepFunc is told what was tried, whether it went well ("ok", "note" or "failed"), with
// which result, and what to do about it ("" for nothing).
type StepFunc func(step, outcome, detail, advice string)

// checkUUID is the process that Check asks as. A collector answers a poll only together
// with a row of agent_state. This one is the same each time; the web page lists processes
// that published, so it shows none; and the hourly job sweeps it 50 minutes after the last
// check. A UUID that the column cannot take would leave no row, but a stack trace in the
// collector's log.
const checkUUID = "scavenger-wrap-doctor"

// Check makes the first calls to the collector that a program with these baked-in
// settings would make in this environment, and publishes nothing. It tells each step, and
// stops at the first that fails.
func Check(step StepFunc, settings string) {
	set := loadSettings(&Program{Settings: settings}, os.LookupEnv)
	for _, p := range set.problems {
		step("settings", "failed", p, "")
	}
	if !set.collects() {
		if !set.hasWrongURL() {
			step("collector", "failed", "serverUrl or apiKey is not set", "set both to report to a collector; dataDir needs neither")
		}
		return
	}
	c := newClient(set, newSending())
	defer c.closeIdle()
	ctx, cancel := context.WithTimeout(context.Background(), pollTimeout)
	defer cancel()
	target, err := c.initConfig(ctx)
	if err != nil {
		advice := adviceAbout(err, set.serverURL)
		if ctx.Err() != nil {
			err = fmt.Errorf("no answer in %v: %w", pollTimeout, err)
		}
		step("initConfig", "failed", fmt.Sprintf("GET %s: %v", set.serverURL, withoutKey(err.Error(), set.apiKey)), advice)
		return
	}
	step("initConfig", "ok", fmt.Sprintf("%s says that gRPC is at %s", set.serverURL, target), "")
	body, err := c.call(ctx, target, methodPoll, encodeConfigRequest(set.apiKey, checkUUID))
	var answer intervals
	if err == nil {
		answer, err = decodeIntervals(body)
	}
	switch {
	case unauthenticated(err):
		step("PollConfig", "ok", target+" answers", "")
		step("apiKey", "failed", "the collector does not know the key", "copy it from the dashboard of the workspace in Scavenger's web page")
	case err != nil:
		step("PollConfig", "failed", fmt.Sprintf("%s: %v", target, withoutKey(err.Error(), set.apiKey)), "gRPC (HTTP/2) must get through to the collector; behind a proxy that ends TLS see grpcTls")
	default:
		step("PollConfig", "ok", fmt.Sprintf("%s answers; polls every %v s", target, answer.poll), "")
		step("apiKey", "ok", "the collector knows the key", "")
	}
}
