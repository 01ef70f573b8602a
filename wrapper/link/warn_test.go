package link

import (
	"fmt"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/config"
	"github.com/naver/scavenger/scavenger-wrap/rewrite"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/registry"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
)

// A program without marks is warned about if it looks as if it should have some.
func TestWarnUnmarked(t *testing.T) {
	const none = "nothing is marked, as there is no main module: name what to mark: SCAVENGER_PACKAGES="
	for _, test := range []struct {
		name, main, modinfo string
		modules             []config.Module
		packages            []string
		want                string
	}{
		{name: "another main module", main: "example.com/ci/cmd", modinfo: "mod\texample.com/ci\t(devel)\t", modules: []config.Module{{Path: "example.com/app"}},
			want: "its module example.com/ci is not the one that scavenger-wrap finds (example.com/app): give -modfile and -overlay in GOFLAGS, build with scavenger-wrap go, or name what to mark: SCAVENGER_PACKAGES=example.com/ci\n"},
		{name: "another, of a tag", main: "example.com/ci", modinfo: "mod\texample.com/ci\tv1.0.0\t\nbuild\tvcs=git", modules: []config.Module{{Path: "example.com/app"}}, want: "finds (example.com/app): give"},
		{name: "a main module that we miss", main: "example.com/ci", modinfo: "mod\texample.com/ci\t(devel)\t", want: "finds: give"},
		{name: "the main module, left out", main: "example.com/app", modinfo: "mod\texample.com/app\t(devel)\t", modules: []config.Module{{Path: "example.com/app"}}},
		{name: "settings", main: "example.com/ci", modinfo: "mod\texample.com/ci\t(devel)\t", packages: []string{"example.com/x"}},
		{name: "a version", main: "example.com/tool/cmd", modinfo: "mod\texample.com/tool\tv1.0.0\th1:x=", want: none + "example.com/tool\n"},
		{name: "GOPATH", main: "tool/cmd", modules: []config.Module{{Path: "example.com/app"}}, want: none + "tool/cmd\n"},
		{name: "a dependency", main: "example.com/tool", modinfo: "mod\texample.com/tool\tv1.0.0\th1:x=", modules: []config.Module{{Path: "example.com/app"}}},
		{name: "a vendored one", main: "example.com/tool", modinfo: "mod\texample.com/tool\tv1.0.0\t", modules: []config.Module{{Path: "example.com/app"}}},
		{name: "a replaced one", main: "example.com/tool", modinfo: "mod\texample.com/tool\tv1.0.0\t\n=>\t./tool\t(devel)\t", modules: []config.Module{{Path: "example.com/app"}}},
		{name: "a test", main: "example.com/ci.test", modinfo: "mod\texample.com/ci\t(devel)\t"},
		{name: "a tool of Go", main: "cmd/gofmt"},
		{name: "no go command"},
	} {
		cfg := toolchain.ParseImportcfg("")
		if test.modinfo != "" {
			frame := strings.Repeat("x", 16)
			cfg = toolchain.ParseImportcfg(fmt.Sprintf("modinfo %q\n", frame+"path\t"+test.main+"\n"+test.modinfo+"\n"+frame))
		}
		var out strings.Builder
		if err := warnUnmarked(&out, test.main, &config.Config{Modules: test.modules, Packages: test.packages}, cfg); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if (test.want == "") != (out.Len() == 0) || !strings.Contains(out.String(), test.want) || strings.Count(out.String(), "\n") > 1 {
			t.Errorf("%s: %q, want %q", test.name, out.String(), test.want)
		}
	}
}

// A main package whose import path compile did not know has no functions.
func TestWarnUnknownMain(t *testing.T) {
	c := &config.Config{Packages: []string{"example.com/app"}}
	for _, test := range []struct {
		name      string
		functions []rewrite.Function
		warned    bool
	}{
		{"example.com/app/cmd/app", nil, true},
		{"example.com/app/cmd/app", []rewrite.Function{{Name: "main"}}, false},
		{"example.com/other", nil, false},
	} {
		var out strings.Builder
		warnUnknownMain(&out, test.name, c, &registry.Metadata{ImportPath: "main", Functions: test.functions})
		if got := strings.Contains(out.String(), test.name+": the functions of its main package are not listed"); got != test.warned {
			t.Errorf("%+v: %q", test, out.String())
		}
	}
}
