//go:build !nonetwork

package hitrt

import (
	"fmt"
	"slices"
	"testing"
	"time"

	fake "github.com/naver/scavenger/scavenger-wrap/e2e/collector"
)

// However often somebody asks, the check leaves one row of agent_state, which the page does
// not list and the collector's next job takes away.
func TestCheckLeavesNothing(t *testing.T) {
	clearVariables(t)
	now := time.Now()
	server, err := fake.Start(fake.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	for range 3 {
		var steps []string
		Check(func(step, outcome, _, _ string) {
			steps = append(steps, step+" "+outcome)
		}, fmt.Sprintf(`{"serverUrl":%q,"apiKey":%q}`, server.URL(), fake.DemoKey))
		if !slices.Contains(steps, "apiKey ok") {
			t.Fatalf("steps %q", steps)
		}
	}
	if err := server.Check(within(t, hang)); err != nil {
		t.Error(err)
	}
	if got := server.Agents(fake.DemoKey); len(got) != 0 {
		t.Errorf("the page lists %+v", got)
	}
	tables := server.Tables()
	if len(tables.AgentStates) != 1 || tables.AgentStates[0].UUID != checkUUID || len(tables.Jvms)+len(tables.Applications)+len(tables.Environments) != 0 {
		t.Errorf("rows %+v", tables)
	}
	server.CollectHourly(now.Add(51 * time.Minute))
	if got := server.Tables().AgentStates; len(got) != 0 {
		t.Errorf("left after 51 minutes: %+v", got)
	}
}
