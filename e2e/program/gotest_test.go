package program

import (
	"fmt"
	"slices"
	"testing"
)

// TestDifferences has a test that fails now and then, one that has gone, and one that is new.
func TestDifferences(t *testing.T) {
	run := func(results map[string]string) *TestRun { return &TestRun{Results: results} }
	stable := run(map[string]string{"p A": "pass", "p B": "pass", "p Gone": "skip"})
	flaky := run(map[string]string{"p A": "pass", "p B": "fail", "p Gone": "skip"})
	marked := run(map[string]string{"p A": "fail", "p B": "fail", "p New": "pass"})
	for _, test := range []struct {
		name   string
		marked *TestRun
		plains []*TestRun
		want   []string
	}{
		{"one run", marked, []*TestRun{stable}, []string{
			"p A: fail, want pass", "p B: fail, want pass", "p Gone: not run, want skip", "p New: pass, want not run"}},
		{"plain fails too", marked, []*TestRun{stable, flaky}, []string{
			"p A: fail, want pass", "p Gone: not run, want skip", "p New: pass, want not run"}},
		{"two results", run(map[string]string{"p A": "pass", "p B": "skip", "p Gone": "skip"}), []*TestRun{stable, flaky}, []string{
			"p B: skip, want pass or fail"}},
		{"same", flaky, []*TestRun{stable, flaky}, nil},
	} {
		if got := test.marked.Differences(test.plains...); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// A build with such a warning succeeds, so somebody has to look for it.
func TestNoBug(t *testing.T) {
	const (
		warning = "scavenger-wrap: example.com/app: not marked: %s; its functions are not observable\n"
		logged  = `{"outcome":"not marked","action":"compile","package":"example.com/app","reason":"%s","functions":0}` + "\n"
	)
	for why, bug := range map[string]bool{
		"internal error: runtime error: index out of range [1] with length 1 (static.go:12)": true,
		"parsing a.go: 1:1: expected 'package', found 'EOF'":                                 false,
	} {
		for _, format := range []string{warning, logged} {
			if err := NoBug(fmt.Appendf(nil, "# example.com/app\n"+format, why)); (err != nil) != bug {
				t.Errorf("%s: %v", why, err)
			}
		}
	}
}
