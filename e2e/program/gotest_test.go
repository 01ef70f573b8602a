package program

import (
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
