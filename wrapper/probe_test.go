package wrapper

import (
	"strings"
	"testing"
)

// What -gcflags=-m=2 prints of marked packages, and what is left of it: each line
// that a plain build prints too.
func TestWithoutMarks(t *testing.T) {
	for line, want := range map[string]string{
		"a.go:7:6: can inline f with cost 4 as: func(int) int { _scavenger_f1_counters[0] = _scavenger_f1_hit(_scavenger_f1[4096], &_scavenger_f1[4096]); return a + 1 }": "a.go:7:6: can inline f with cost 4 as: func(int) int { return a + 1 }",
		"a.go:7:6: can inline f with cost 0 as: func() { _scavenger_f1_counters[0] = _scavenger_f1_hit(&_scavenger_f1[4103]) }":                                           "a.go:7:6: can inline f with cost 0 as: func() {  }",
		"a.go:7:6: can inline f with cost 5 as: func() { x := 0; _scavenger_f1_generic(4099); x++ }":                                                                      "a.go:7:6: can inline f with cost 5 as: func() { x := 0; x++ }",
		"a.go:7:6: can inline f with cost 5 as: func() { x := 0; lib._scavenger_f1_generic(4099) }":                                                                       "a.go:7:6: can inline f with cost 5 as: func() { x := 0 }",
		"a.go:7:6: can inline f with cost 5 as: func() { if _scavenger_f1[4096] == uint8(0) { _scavenger_f1[4096] = uint8(1) }; g() }":                                    "a.go:7:6: can inline f with cost 5 as: func() { g() }",
		"a.go:7:6: can inline f with cost 5 as: func() { goCover_f1__scavenger_f1_counters[0] = _scavenger_f1_hit(_scavenger_f1[4096], &_scavenger_f1[4096]); g() }":      "a.go:7:6: can inline f with cost 5 as: func() { g() }",
		"a.go:7:6: can inline g with cost 5 as: func() { _scavenger_f1_hit(&_scavenger_f1[4096]); if x { _scavenger_f1_hit(&_scavenger_f1[4097]) } }":                     "a.go:7:6: can inline g with cost 5 as: func() { if x {  } }",
		"a.go:7:90: inlining call to _scavenger_f1_hit":        "",
		"_scavenger_marks.go:16: can inline _scavenger_f1_hit": "",
		"_scavenger_marks.go:16: p does not escape":            "",
		"a.go:7:90: inlining call to f":                        "a.go:7:90: inlining call to f",
		"a.go:7:6: cannot inline f: marked go:noinline":        "a.go:7:6: cannot inline f: marked go:noinline",
	} {
		if want != "" {
			want += "\n"
		}
		got := string(withoutMarks([]byte("first\n" + line + "\nlast\n")))
		if got != "first\n"+want+"last\n" {
			t.Errorf("of %s\nis left %s", line, strings.TrimSuffix(strings.TrimPrefix(got, "first\n"), "last\n"))
		}
	}
}
