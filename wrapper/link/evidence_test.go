package link

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/rewrite"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/evidence"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/registry"
)

const shop = "example.com/app/cmd/shop"

// digest returns a digest in which Cart.Add of package cart is presumed.
func digest(t *testing.T, main string) *evidence.Digest {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module example.com/app\n", "scavenger.toml": "evidence = \"report.json\"\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	c, err := config.Load(config.Source{Dir: dir, Lookup: func(string) (string, bool) { return "", false }})
	if err != nil {
		t.Fatal(err)
	}
	end := time.UnixMilli(1_796_000_000_123)
	d, err := evidence.Read(c, evidence.Places{}, func(string) (*evidence.Calls, error) {
		return &evidence.Calls{Main: main, To: end, List: []evidence.Call{{Package: "example.com/app/cart", Receiver: "Cart", Name: "Add", At: end}}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// A function without a mark has the time of its evidence, or is not observable.
func TestPresume(t *testing.T) {
	for name, test := range map[string]struct {
		main   string
		digest *evidence.Digest
		reason string // of Add
		warns  string
	}{
		"its own evidence": {shop, digest(t, shop), "", "it changed while packages were compiled: 1 functions without a mark"},
		"another program":  {"example.com/app/cmd/other", digest(t, shop), "no mark, by evidence of another program", "cmd/other: evidence: report.json is of " + shop},
		"evidence is gone": {shop, nil, "no mark, by evidence that is gone", "it changed while packages were compiled: 2 functions without a mark"},
		"of no use":        {shop, digest(t, "example.com/foreign"), "no mark, by evidence that is gone", "report.json counts for nothing: it is of another program, example.com/foreign"},
	} {
		packages := []*registry.Metadata{
			{ImportPath: "example.com/app", Functions: []rewrite.Function{{Index: 0, Receiver: "Cart", Name: "Add"}}},
			{ImportPath: "example.com/app/cart", Functions: []rewrite.Function{
				{Index: 0, Name: "Add"},
				{Index: 1, Receiver: "*Cart", Name: "Add", Presumed: true},
				{Index: 2, Receiver: "*Cart", Name: "Changed", Presumed: true},
				{Index: -1, Reason: "not compilable with marks", Receiver: "*Cart", Name: "Add", Presumed: true},
			}},
		}
		want := []registry.Presumed{{Package: 1, Index: 1, At: 1_796_000_000_123}}
		if test.reason != "" {
			want = nil
		}
		got, hidden := presume(test.main, test.digest, packages)
		if !slices.Equal(got, want) || hidden != 2-len(want) {
			t.Errorf("%s: %v and %d hidden, want %v", name, got, hidden, want)
		}
		list := packages[1].Functions
		if f := list[1]; f.Reason != test.reason || f.Presumed != (test.reason == "") || (f.Index < 0) != (test.reason != "") {
			t.Errorf("%s: %+v", name, f)
		}
		if f := list[2]; f.Index >= 0 || f.Presumed || f.Reason == "" {
			t.Errorf("%s: of a function that the evidence does not know: %+v", name, f)
		}
		if list[0].Index != 0 || list[3].Reason != "not compilable with marks" || packages[0].Functions[0].Index != 0 {
			t.Errorf("%s: functions with marks: %+v, %+v", name, list[0], packages[0].Functions[0])
		}
		var out bytes.Buffer
		warnEvidence(&out, test.main, test.digest, hidden)
		if text := out.String(); !strings.Contains(text, test.warns) {
			t.Errorf("%s: warns %q, want %q", name, text, test.warns)
		}
		out.Reset()
		warnEvidence(&out, test.main, test.digest, 0)
		if text := out.String(); (text != "") != (name == "of no use") {
			t.Errorf("%s: warns %q though it hides nothing", name, text)
		}
	}
}
