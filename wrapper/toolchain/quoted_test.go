package toolchain

import (
	"slices"
	"testing"
)

func TestSplitQuoted(t *testing.T) {
	for s, want := range map[string][]string{
		"":                  nil,
		" a  b\tc ":         {"a", "b", "c"},
		`'/a b/c' d "e f"`:  {"/a b/c", "d", "e f"},
		`a'b "it's"`:        {"a'b", "it's"},
		`'-next=x y' 'a"b'`: {"-next=x y", `a"b`},
		`-next="it's" '' a`: {`-next="it's"`, "", "a"},
		`'"a"' "'b'"`:       {`"a"`, "'b'"},
	} {
		got, err := SplitQuoted(s)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("splitQuoted(%q) = %q, %v, want %q", s, got, err, want)
		}
		if again, err := SplitQuoted(JoinQuoted(got)); err != nil || !slices.Equal(again, want) {
			t.Errorf("after joinQuoted: %q, %v, want %q", again, err, want)
		}
	}
	if _, err := SplitQuoted(`a 'b`); err == nil {
		t.Error("no error for an open quote")
	}
}
