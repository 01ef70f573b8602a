package main

import (
	"bytes"
	"errors"
	"go/format"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// Each server with a text of ours has one, it is formatted, and none is left over.
func TestServerTexts(t *testing.T) {
	unused := map[string]bool{}
	entries, err := serverTexts.ReadDir("testdata/servers")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		unused[strings.TrimSuffix(e.Name(), ".txt")] = true
	}
	for _, s := range servers {
		dir := t.TempDir()
		if err := s.prepare(dir); err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, s.pkg, "main.go"))
		if !s.text {
			if !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s has a main package of its own, and got one: %v", s.name, err)
			}
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		delete(unused, s.name)
		if formatted, err := format.Source(text); err != nil || !bytes.Equal(formatted, text) {
			t.Errorf("%s is not formatted: %v", s.name, err)
		}
	}
	if len(unused) > 0 {
		t.Errorf("no server has %v", unused)
	}
}

func TestChooseTrials(t *testing.T) {
	all, err := chooseTrials("", []int{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, tr := range all {
		if names[tr.name()] {
			t.Errorf("two are called %s", tr.name())
		}
		names[tr.name()] = true
	}
	if !names["caddy TLS on 2"] {
		t.Errorf("trials = %v, want caddy TLS on 2 among them", names)
	}
	if _, err := chooseTrials("caddy TLS,nginx", []int{1}); err == nil || !strings.Contains(err.Error(), "caddy files") {
		t.Errorf("err = %v, want one that names those that there are", err)
	}
}

// More rounds are run until the marked variants are known, whatever is known of the others.
func TestTrialWithin(t *testing.T) {
	tr := &trial{collected: make([][]observation, len(deployments))}
	for i, d := range deployments {
		for _, round := range []float64{1, 1.1} {
			cpu := 1.0
			if d.build > 1 || d.name == "collector" {
				cpu = round
			}
			o := observation{}
			o.loops[0].cpu, o.loops[1].cpu = 1, cpu
			tr.collected[i] = append(tr.collected[i], o)
		}
	}
	marked := tr.within()
	if marked < 0.5 {
		t.Errorf("within = %v, want that of the collector's open loop", marked)
	}
	for i, d := range deployments {
		if d.name == "collector" {
			tr.collected[i] = tr.collected[0]
		}
	}
	if got := tr.within(); got != 0 {
		t.Errorf("within = %v, want 0: cover does not count", got)
	}
}

func TestParseSizes(t *testing.T) {
	for text, want := range map[string][]int{"": nil, "5": {5}, "10,100": {10, 100}} {
		if got, err := parseSizes(text, 5); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("parseSizes(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"a", "0", "4", "10,10", "100,10", "-1", "10,x"} {
		if got, err := parseSizes(text, 5); err == nil {
			t.Errorf("parseSizes(%q) = %v, want an error", text, got)
		}
	}
}
