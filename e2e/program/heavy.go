package program

import (
	"flag"
	"strings"
	"testing"
)

// Heavy skips a test unless -run names it, as -run Matrix names TestMatrix, or says
// Heavy, where that is how its name begins. It is for tests that compile a standard
// library of their own, and for those that do more of what others do a few times: each
// takes a minute or more, and together they take longer than go test allows a package.
func Heavy(t *testing.T) {
	t.Helper()
	name, run := strings.TrimPrefix(t.Name(), "Test"), flag.Lookup("test.run").Value.String()
	if strings.HasPrefix(name, "Heavy") {
		name = "Heavy"
	}
	if !strings.Contains(run, name) {
		t.Skipf("takes a minute or more; asked for by name, it runs: go test -timeout 1h -run %s", name)
	}
}
