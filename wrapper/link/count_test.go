package link

import (
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/rewrite"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/registry"
)

func TestCheckCount(t *testing.T) {
	packages := []*registry.Metadata{{ImportPath: "a"}, {ImportPath: "b"}}
	packages[0].Functions = make([]rewrite.Function, 3)
	packages[1].Functions = make([]rewrite.Function, 5)
	if total, err := checkCount(&config.Config{MaxMethodsCount: 8}, packages); err != nil || total != 8 {
		t.Errorf("%d functions, %v", total, err)
	}
	_, err := checkCount(&config.Config{MaxMethodsCount: 7}, packages)
	if want := "the program has 8 functions to mark, more than maxMethodsCount (7); the largest packages are b (5), a (3): "; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %s…", err, want)
	}
}
