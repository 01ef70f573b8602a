//go:build !nonetwork

// The check of `scavenger-wrap doctor`. It is built into a program of its own, which
// asks the collector what every program asks it first. The linker drops this file
// from other programs.

package hitrt

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// A checkStep is one line of what [Check] writes.
type checkStep struct {
	Step    string // what was tried
	Outcome string // "ok" or "failed"
	Detail  string // the result
	Advice  string `json:",omitempty"` // what to do about it
}

// checkUUID is the process that Check asks as. A collector answers a poll only together
// with a row of agent_state. This one is the same each time; the web page lists processes
// that published, so it shows none; and the hourly job sweeps it 50 minutes after the last
// check. A UUID that the column cannot take would leave no row, but a stack trace in the
// collector's log.
const checkUUID = "scavenger-wrap-doctor"

// Check makes the first calls to the collector that a program with these baked-in
// settings would make in this environment, and publishes nothing. It writes a JSON
// object for each step, and stops at the first that fails.
func Check(out io.Writer, settings string) {
	enc := json.NewEncoder(out)
	step := func(name, outcome, detail, advice string) {
		_ = enc.Encode(checkStep{name, outcome, detail, advice})
	}
	set := loadSettings(&Program{Settings: settings}, os.LookupEnv)
	for _, p := range set.problems {
		step("settings", "failed", p, "correct the value")
	}
	if !set.collects() {
		step("collector", "failed", "serverUrl or apiKey is not set", "set both to report to a collector; dataDir needs neither")
		return
	}
	c := newClient(set, nil)
	defer c.closeIdle()
	ctx, cancel := context.WithTimeout(context.Background(), pollTimeout)
	defer cancel()
	target, err := c.initConfig(ctx)
	if err != nil {
		step("initConfig", "failed", fmt.Sprintf("GET %s: %v", set.serverURL, withoutKey(err.Error(), set.apiKey)), "serverUrl must be that of the collector (not of the web page), and reachable from here")
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
