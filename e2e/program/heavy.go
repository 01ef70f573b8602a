package program

import (
	"flag"
	"strings"
	"testing"
)

// Heavy skips a test unless -run names it, as -run Matrix names TestMatrix. It is
// for tests that compile a standard library of their own: each takes minutes, and
// together they take longer than go test allows a package.
func Heavy(t *testing.T) {
	t.Helper()
	name := strings.TrimPrefix(t.Name(), "Test")
	if !strings.Contains(flag.Lookup("test.run").Value.String(), name) {
		t.Skipf("compiles a standard library of its own, which takes minutes; asked for by name, it runs: go test -timeout 1h -run %s", name)
	}
}
