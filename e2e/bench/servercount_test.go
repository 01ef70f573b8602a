package main

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

func TestAddedTo(t *testing.T) {
	plain, ratios := addedTo([][]tally{
		{{all: 900, module: 100}, {all: 5000, module: 110}},
		{{all: 1100, module: 102}, {all: 1, module: 112}},
	})
	if plain != (tally{1000, 101}) || len(ratios) != 1 || math.Abs(ratios[0].value-1.01) > 1e-9 || ratios[0].within > 1e-9 {
		t.Errorf("plain %v, ratios %v: want 10 more of 1,000 in each round", plain, ratios)
	}
}

// The runtime's own thread does not count, and no other run does.
func TestCountThreads(t *testing.T) {
	profile := filepath.Join(t.TempDir(), "callgrind1")
	for name, text := range map[string]string{
		".1-01":  "fn=(1) example.com/m.F\n5 10\nfn=(2) runtime.mallocgc\n1 30\ntotals: 40\n",
		".1-02":  "fn=(1) runtime.sysmon\n5 1000\ntotals: 1000\n",
		".1-03":  "fn=(1) example.com/m.F\n5 7\ntotals: 7\n",
		"2.1-01": "fn=(1) example.com/m.F\n5 10000\ntotals: 10000\n",
	} {
		if err := os.WriteFile(profile+name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := countThreads(profile, "example.com/m"); err != nil || got != (tally{47, 17}) {
		t.Errorf("countThreads() = %v, %v; want 47, of which 17 are the module's", got, err)
	}
	if _, err := countThreads(profile+"0", "example.com/m"); err == nil {
		t.Error("no error about a run that has left nothing")
	}
}
