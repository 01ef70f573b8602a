package registry

import (
	"bytes"
	"fmt"
	"runtime/debug"
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
		text, err := Source(Program{Main: "p", Settings: map[string]string{}, Build: &debug.BuildInfo{}}, []*Metadata{{ImportPath: "p", Symbol: "s", Marks: 8, Functions: test.functions}})
		if err != nil {
			t.Fatal(err)
		}
		field := fmt.Sprintf("InOrder: %d, ", len(test.functions))
		if got := bytes.Contains(text, []byte(field)); got != test.want || bytes.Contains(text, []byte("InOrder")) != test.want {
			t.Errorf("%s: %sis there: %v, want %v\n%s", name, field, got, test.want, text)
		}
	}
}

// The registry says what the build information says: which version, or else which revision,
// and whether the program is one.
func TestRegistryBuild(t *testing.T) {
	type settings = []debug.BuildSetting
	const revision = "0123456789abcdef0123"
	for name, test := range map[string]struct {
		build debug.BuildInfo
		want  string
	}{
		"nothing":  {debug.BuildInfo{}, `Module: "", Version: "", Executable: false,`},
		"version":  {debug.BuildInfo{Main: debug.Module{Path: "example.com/m", Version: "v1.2.3"}, Settings: settings{{Key: "vcs.revision", Value: revision}}}, `Module: "example.com/m", Version: "v1.2.3", Executable: false,`},
		"revision": {debug.BuildInfo{Main: debug.Module{Path: "example.com/m", Version: "(devel)"}, Settings: settings{{Key: "vcs.revision", Value: revision}}}, `Version: "0123456789ab",`},
		"short":    {debug.BuildInfo{Settings: settings{{Key: "vcs.revision", Value: "0123"}}}, `Version: "0123",`},
		"devel":    {debug.BuildInfo{Main: debug.Module{Path: "m", Version: "(devel)"}}, `Module: "m", Version: "",`},
		"exe":      {debug.BuildInfo{Settings: settings{{Key: "-buildmode", Value: "exe"}}}, `Executable: true,`},
		"pie":      {debug.BuildInfo{Settings: settings{{Key: "-buildmode", Value: "pie"}}}, `Executable: true,`},
		"library":  {debug.BuildInfo{Settings: settings{{Key: "-buildmode", Value: "c-shared"}}}, `Executable: false,`},
	} {
		text, err := Source(Program{Main: "p", Settings: map[string]string{}, Build: &test.build}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(text, []byte(test.want)) {
			t.Errorf("%s: %s is not in\n%s", name, test.want, text)
		}
	}
}
