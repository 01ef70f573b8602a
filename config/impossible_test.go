package config

import (
	"path/filepath"
	"strings"
	"testing"
)

// A pattern is only called wrong if no directory and no module fits it.
func TestCannotMatch(t *testing.T) {
	dir := tree(t, map[string]string{
		"go.mod":          "module example.com/shop\n\ngo 1.24\n\nrequire (\n\tgithub.com/acme/lib v1.0.0\n\texample.com/shop/other/v2 v2.0.0 // indirect\n)\n",
		"cart/api/x.go":   "package api\n",
		"cart.v2/x/x.go":  "package x\n",
		"internal/x/x.go": "package x\n",
	})
	for pattern, want := range map[string]bool{
		"example.com/shop":            true,
		"example.com/shop/...":        true,
		"example.com/...":             true,
		"example.com":                 true,
		"example.com/shop/cart":       true,
		"example.com/shop/cart/...":   true,
		"example.com/shop/ca...":      true,
		"example.com/shop/basket/...": false,
		"example.com/shop/basket":     false,
		"example.com/shop/cart/x...":  true,
		"example.com/shop/x/ca...":    false,
		"example.com/shopping":        false,
		"example.com.shop":            true,
		"example.com.shop.cart.api":   true,
		"example.com.shop.cart.v2.x":  true,
		"example.com.shop.cart.v2.y":  false,
		"com.acme.shop":               false,
		"example":                     false,
		"github.com/acme":             true,
		"github.com/acme/lib/x":       true,
		"github.com.acme.lib.x":       true,
		"github.com.acme":             true,
		"github.com/acme/library":     false,
		"github.com/acme/...":         true,
		"example.com/shop/other/v2/x": true,
		".../internal/...":            true,
		"...":                         true,
		"command-line-arguments":      true,
		"net/http":                    false,
	} {
		c, err := load(dir, "SCAVENGER_PACKAGES", pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(c.CannotMatch(nil)) == 0; got != want {
			t.Errorf("%q may match: %v", pattern, got)
		}
	}
	c, err := load(dir, "SCAVENGER_PACKAGES", "net/http")
	if err != nil || len(c.CannotMatch([]string{"net/http"})) != 0 {
		t.Errorf("a pattern that matches cannot match: %v", err)
	}
}

// If go.mod does not list all modules, no pattern is called wrong.
func TestCannotMatchUnknown(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"no module":     {},
		"old go.mod":    {"go.mod": "module m\n\ngo 1.16\n"},
		"no go version": {"go.mod": "module m\n"},
	} {
		inner := map[string]string{"x/empty": ""}
		for file, text := range files {
			inner[filepath.ToSlash(filepath.Join("x", file))] = text
		}
		root := filepath.Join(tree(t, inner), "x")
		c, err := load(root, "SCAVENGER_PACKAGES", "com.acme")
		if err != nil {
			t.Fatal(err)
		}
		if got := c.CannotMatch(nil); len(got) != 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
	dir := tree(t, map[string]string{"go.work": "go 1.24\nuse (\n\t./a\n\t./b\n)\n", "a/go.mod": "module example.com/a\n\ngo 1.24\n", "b/go.mod": "module example.com/b\n\ngo 1.24\n", "b/x/x.go": "package x\n",
		"a/scavenger.toml": "packages = [\n\t'example.com/b/x',\n\t'example.com/a/x',\n]\n"})
	c, err := load(filepath.Join(dir, "a"))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.CannotMatch(nil); len(got) != 1 || got[0].List[0] != "example.com/a/x" || !strings.HasSuffix(got[0].From, "scavenger.toml:3:3") {
		t.Errorf("in a workspace: %v", got)
	}
}
