package main

import (
	"strings"
	"testing"
)

func TestPeersRejects(t *testing.T) {
	for _, tc := range []struct{ flag, want string }{
		{"-binary=plain=/usr/bin/go", "another tool's mode"},
		{"-binary=garble", "as in garble=/usr"},
		{"-binary=garbel=/usr/bin/garble", `unknown mode "garbel"`},
		{"-modes=plain,naive", `unknown mode "naive"`},
	} {
		if err := peersBench(t.Context(), []string{tc.flag}); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want … %s …", tc.flag, err, tc.want)
		}
	}
}

// One tool that is not to be had must not keep the others from being measured.
func TestInstallToolsGoesOn(t *testing.T) {
	b := &bench{
		dir:   t.TempDir(),
		tools: map[string]string{"given": "/given"},
		modes: []mode{{name: "plain"}, {name: "missing", tool: "example.invalid/tool@v1.0.0"}, {name: "given", tool: "example.invalid/given@v1.0.0"}},
	}
	t.Setenv("GOPROXY", "off")
	if err := b.installTools(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(names(b.modes, modeName), " "); got != "plain given" {
		t.Errorf("modes that are left: %s", got)
	}
	if len(b.unavailable) != 1 || !strings.HasPrefix(b.unavailable[0], "missing: ") || !strings.Contains(b.unavailable[0], "GOPROXY=off") {
		t.Errorf("reasons: %q", b.unavailable)
	}
}
