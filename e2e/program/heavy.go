package program

import (
	"flag"
	"strings"
	"testing"
)

// Heavy skips a test unless it is asked for by name, as TestMatrix is by
// -run Matrix. It is for what compiles a standard library of its own: that takes
// minutes, and all of it together more than go test gives a package.
func Heavy(t *testing.T) {
	t.Helper()
	name := strings.TrimPrefix(t.Name(), "Test")
	if !strings.Contains(flag.Lookup("test.run").Value.String(), name) {
		t.Skipf("compiles a standard library of its own, which takes minutes; asked for by name, it runs: go test -timeout 1h -run %s", name)
	}
}
