package html

import (
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

// What is kept has a status of its own, unless the keep has expired or somebody called the
// function.
func TestKept(t *testing.T) {
	valid, expired := &report.Keep{Reason: "for auditors", From: "keep.txt:1"}, &report.Keep{Reason: "winter", From: "a.go:3", Until: "2026-01-01", Expired: true}
	d, _ := collect(&report.Report{Functions: []report.Function{
		{Name: "A", Status: report.NeverCalled}, {Name: "B", Status: report.NeverCalled, Keep: valid, Generated: true},
		{Name: "C", Status: report.NeverCalled, Keep: expired, LinkedOut: true}, {Name: "D", Status: report.Called, Keep: valid},
	}}, nil)
	if f := &d.Functions; f.Status != "0401" || f.Generated != "0100" || f.LinkedOut != "0010" {
		t.Errorf("statuses %s, generated %s, linked out %s; want 0401, 0100, 0010", f.Status, f.Generated, f.LinkedOut)
	}
	var got []keep
	for _, n := range d.Functions.Keep {
		got = append(got, d.Keeps[n])
	}
	for i, want := range []keep{{}, {"for auditors", "", "keep.txt:1", false}, {"winter", "2026-01-01", "a.go:3", true}, {"for auditors", "", "keep.txt:1", false}} {
		if got[i] != want {
			t.Errorf("function %d is kept for %+v, want %+v", i, got[i], want)
		}
	}
}
