package link

import (
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
	"github.com/naver/scavenger/scavenger-wrap/rewrite"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/registry"
)

// What is not listed is named in the order of import paths, and in a list that is too long
// for a line at least its package is.
func TestUnlisted(t *testing.T) {
	listed := []rewrite.Function{{Name: "F"}}
	whole := &registry.Metadata{ImportPath: "example.com/a", Functions: listed}
	some := &registry.Metadata{ImportPath: "example.com/b", Functions: listed, LeftOut: []string{"New", "Cart.Add"}}
	none := &registry.Metadata{ImportPath: "example.com/c", NotMarked: "not readable"}
	empty := &registry.Metadata{ImportPath: "example.com/empty"}
	main := &registry.Metadata{ImportPath: "example.com/main", Main: &registry.MainMetadata{}}
	all := &registry.Metadata{ImportPath: "example.com/main", LeftOut: []string{"main"}, Main: &registry.MainMetadata{}}
	long := &registry.Metadata{ImportPath: "example.com/d", Functions: listed, LeftOut: make([]string, maxUnlisted)}
	for _, test := range []struct {
		plain    []string
		packages []*registry.Metadata
		closures bool
		want     string
	}{
		{nil, []*registry.Metadata{whole}, false, "func()"},
		{nil, []*registry.Metadata{whole}, true, ""},
		{nil, []*registry.Metadata{main, empty}, true, "example.com/main"},
		{nil, []*registry.Metadata{all, empty}, true, "example.com/main:main"},
		{[]string{"fmt", "errors"}, []*registry.Metadata{whole, some, none}, true, "errors example.com/b:New,Cart.Add example.com/c fmt"},
		{[]string{"fmt", "errors"}, []*registry.Metadata{some}, false, "func() errors example.com/b:New,Cart.Add fmt"},
		{[]string{"fmt"}, []*registry.Metadata{some, none, long}, false, "func() example.com/b example.com/c example.com/d fmt"},
		{[]string{strings.Repeat("p", maxUnlisted), "fmt"}, []*registry.Metadata{some}, false, "..."},
	} {
		if got := unlisted(test.plain, test.packages, test.closures); got != test.want {
			t.Errorf("unlisted(%.80q, …, %v) = %.80q, want %q", test.plain, test.closures, got, test.want)
		}
	}
}

// The report reads the words that link writes.
func TestUnlistedWords(t *testing.T) {
	if anyLiteral != datafile.AnyLiteral || anyFunction != datafile.AnyFunction {
		t.Errorf("words %q and %q, and the report reads %q and %q", anyLiteral, anyFunction, datafile.AnyLiteral, datafile.AnyFunction)
	}
}
