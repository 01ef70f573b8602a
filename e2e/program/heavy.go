package program

import (
	"flag"
	"strings"
	"testing"
)

// Named reports whether -run names a test, as -run Matrix names TestMatrix. A test that
// has a cheap part and a thorough one does the latter then.
func Named(t *testing.T) bool {
	return strings.Contains(flag.Lookup("test.run").Value.String(), strings.TrimPrefix(t.Name(), "Test"))
}

// Heavy skips a test unless -run names it, or says Heavy, where that is how its name
// begins. It is for tests that compile a standard library of their own, and for those
// that do more of what others do a few times: each takes a minute or more, and together
// they take longer than go test allows a package.
func Heavy(t *testing.T) {
	t.Helper()
	run := flag.Lookup("test.run").Value.String()
	if Named(t) || strings.HasPrefix(t.Name(), "TestHeavy") && strings.Contains(run, "Heavy") {
		return
	}
	t.Skipf("takes a minute or more; asked for by name, it runs: go test -timeout 1h -run %s", strings.TrimPrefix(t.Name(), "Test"))
}
