package main

import (
	"slices"
	"strings"
	"testing"
)

// TestWeekly checks that the workflow runs each week what .ci/run runs by name, with the
// same flags: the gate is one machine's, and the workflow is what others see.
func TestWeekly(t *testing.T) {
	weekly := namedTests(t, workflow)
	gate := namedTests(t, ".ci/run")
	if len(gate) < 10 {
		t.Errorf("%d commands found in .ci/run: are they still where this test looks?", len(gate))
	}
	for _, c := range gate {
		for _, name := range testNames(t, "Test", c.packages) {
			if matches(t, c.pattern, name) && !slices.ContainsFunc(weekly, func(w namedTest) bool { return w.runs(t, c, name) }) {
				t.Errorf("%s does not run %s of `%s`", workflow, name, c.text)
			}
		}
	}
}

// A namedTest is a command that names the tests to run.
type namedTest struct {
	text, pattern   string
	packages, flags []string // flags of the tests, without values
}

// runs reports whether a command runs a test that another one runs, as that does.
func (c namedTest) runs(t *testing.T, other namedTest, name string) bool {
	t.Helper()
	words := slices.Concat(c.packages, c.flags)
	for _, word := range slices.Concat(other.packages, other.flags) {
		if !slices.Contains(words, word) {
			return false
		}
	}
	return matches(t, c.pattern, name)
}

// namedTests returns the commands of a file that run tests by name.
func namedTests(t *testing.T, file string) (list []namedTest) {
	t.Helper()
	for _, words := range goCommands(t, file) {
		c := namedTest{text: strings.Join(words, " ")}
		for i := 2; i < len(words); i++ {
			switch name, _, _ := strings.Cut(words[i], "="); {
			case name == "-run" && i+1 < len(words):
				i++
				c.pattern = words[i]
			case name == "-timeout":
				i++
			case name == "." || strings.HasPrefix(name, "./"):
				c.packages = append(c.packages, name)
			case name != "-v" && strings.HasPrefix(name, "-"):
				c.flags = append(c.flags, name)
			}
		}
		if words[1] == "test" && c.pattern != "" {
			list = append(list, c)
		}
	}
	return list
}
