package registry

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/rewrite"
)

// The registry says that functions are in order only if the number of each line that
// hitrt reads is the index of its function.
func TestRegistryInOrder(t *testing.T) {
	for name, test := range map[string]struct {
		functions []rewrite.Function
		want      bool
	}{
		"one":            {[]rewrite.Function{{Index: 0, Name: "A"}}, true},
		"three":          {[]rewrite.Function{{Index: 0, Name: "A"}, {Index: 1, Name: "B"}, {Index: 2, Name: "C"}}, true},
		"swapped":        {[]rewrite.Function{{Index: 1, Name: "A"}, {Index: 0, Name: "B"}}, false},
		"not from 0 on":  {[]rewrite.Function{{Index: 1, Name: "A"}, {Index: 2, Name: "B"}}, false},
		"twice":          {[]rewrite.Function{{Index: 0, Name: "A"}, {Index: 0, Name: "B"}}, false},
		"not observable": {[]rewrite.Function{{Index: 0, Name: "A"}, {Index: -1, Reason: "nosplit", Name: "B"}}, false},
		"two lines":      {[]rewrite.Function{{Index: 0, Name: "A", File: "a\nb.go"}}, false},
	} {
		text, err := Source(Program{Main: "p", Settings: map[string]string{}}, []*Metadata{{ImportPath: "p", Symbol: "s", Marks: 8, Functions: test.functions}})
		if err != nil {
			t.Fatal(err)
		}
		field := fmt.Sprintf("InOrder: %d, ", len(test.functions))
		if got := bytes.Contains(text, []byte(field)); got != test.want || bytes.Contains(text, []byte("InOrder")) != test.want {
			t.Errorf("%s: %sis there: %v, want %v\n%s", name, field, got, test.want, text)
		}
	}
}
