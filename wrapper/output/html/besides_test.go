package html

import (
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// The page says of a function that was never called why it stays, and of no other.
func TestBesides(t *testing.T) {
	for want, f := range map[string]report.Function{
		"": {Status: report.NeverCalled},
		"Kept, as keep.txt:1 says: for auditors.": {Status: report.NeverCalled, Keep: &report.Keep{Reason: "for auditors", From: "keep.txt:1"}},
		"No longer kept: a.go:3 had as its reason: winter (until 2026-01-01). Not in the binary.": {
			Status: report.NeverCalled, LinkedOut: true, Keep: &report.Keep{Reason: "winter", Until: "2026-01-01", From: "a.go:3", Expired: true},
		},
	} {
		if got := reasonOf(&f); got != want {
			t.Errorf("reasonOf(%+v) = %q, want %q", f, got, want)
		}
		f.Status = report.Called
		if got := reasonOf(&f); got != "" {
			t.Errorf("reasonOf(%+v) = %q, want none", f, got)
		}
	}
}
