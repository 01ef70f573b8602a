package registry

import (
	"fmt"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/rewrite"
)

// Each function says how many lines follow its first, in as few bytes as there can be. What
// hardly any function has costs the others nothing.
func TestEntries(t *testing.T) {
	got := entries([]rewrite.Function{
		{Index: 0, Name: "main", File: "a.go", Line: 3, Lines: 1},
		{Index: 1, Receiver: "*T", Name: "Add", Params: "int", File: "a.go", Line: 5, Lines: 7},
		{Index: -1, Reason: "no body", Name: "add", File: "b.go", Line: 1, Lines: 1},
		{Index: 2, Name: "close", Params: "int", File: "b.go", Line: 2, Lines: 1, Generated: true, Directive: "keep for years"},
	})
	want := "0\ta.go\t3\t\tmain\t\n1\t\t5+6\t*T\tAdd\tint\n-no body\tb.go\t1\t\tadd\t\n2\t\t2g\t\tclose\tint\tkeep for years\n"
	if got != want {
		t.Errorf("entries = %q, want %q", got, want)
	}
	text := fmt.Appendf(nil, "%d example.com/p\n%srest", len(got), got)
	p, ok := readEntries(text)
	if names := "main (*T).Add add  (not observable: no body) close"; !ok || strings.Join(p.Functions, " ") != names {
		t.Errorf("readEntries = %q, %v, want %s", p.Functions, ok, names)
	}
}

// Any bytes may follow the words that begin a list of functions.
func FuzzReadEntries(f *testing.F) {
	f.Add([]byte("12 p\n0\ta.go\t1\t\tF\t\nrest"))
	f.Add([]byte("0 p\n"))
	f.Add([]byte("20 p\n0\ta.go\t1+2g\t\tF\t\tkeep\nrest"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, ok := readEntries(data); ok && p.Unseen > len(p.Functions) {
			t.Fatalf("%q: %+v", data, p)
		}
	})
}
