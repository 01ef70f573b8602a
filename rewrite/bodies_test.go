package rewrite

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

func TestWithoutBodies(t *testing.T) {
	text := `package p

var f = func() int { return 1 }

func asm(x int)

func A(m map[string]struct{ x int }) interface{ M() } { if true { return nil }; return nil }

func (t *T[K]) B(
	x [2]int,
) func() struct{} {
	// }
	return nil /* { */
}; func C() {}

type T[K any] struct{ f func() }
`
	want := strings.NewReplacer(
		" if true { return nil }; return nil ", strings.Repeat(" ", len(" if true { return nil }; return nil ")),
		"\t// }", "     ", "\treturn nil /* { */", strings.Repeat(" ", len("\treturn nil /* { */")),
	).Replace(text)
	if got := string(WithoutBodies([]byte(text))); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	deep := "package p\n\nfunc Deep() int {\n\treturn " + strings.Repeat("(", 100001) + "1" + strings.Repeat(")", 100001) + "\n}\n"
	if _, err := parser.ParseFile(token.NewFileSet(), "", deep, 0); err == nil {
		t.Error("go/parser takes the depth that this is about")
	}
	if _, err := parser.ParseFile(token.NewFileSet(), "", WithoutBodies([]byte(deep)), 0); err != nil {
		t.Error(err)
	}
	for _, broken := range []string{"", "}", "func", "func {", "package p\nfunc f() {{", "package p\nfunc f() }}{"} {
		if got := WithoutBodies([]byte(broken)); len(got) != len(broken) {
			t.Errorf("%q became %q", broken, got)
		}
	}
}
