package toolid

import (
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchaintest"
)

func TestExtendVersion(t *testing.T) {
	for line, want := range map[string]string{
		"compile version go1.26.8":                                "compile version go1.26.8 scavenger/ID",
		"compile version go1.26.8 X:nodwarf5":                     "compile version go1.26.8 X:nodwarf5 scavenger/ID",
		"compile version devel go1.28-3c1a9b4 buildID=a/b/c/hash": "compile version devel go1.28-3c1a9b4 buildID=a/b/c/hash+scavenger-ID",
		"link version go1.28-devel_3c1a9b4 X:none buildID=a/hash": "link version go1.28-devel_3c1a9b4 X:none buildID=a/hash+scavenger-ID",
	} {
		if got := extendVersion(line, "ID"); got != want {
			t.Errorf("extendVersion(%q) = %q, want %q", line, got, want)
		}
	}
}

func TestToolchainToolVersion(t *testing.T) {
	toolchaintest.Each(t, func(tc toolchaintest.Toolchain) {
		line := tc.Run("tool", "compile", "-V=full")
		if !strings.HasPrefix(line, "compile version "+tc.Run("env", "GOVERSION")) || strings.Contains(line, "buildID=") {
			tc.Errorf("compile -V=full prints %q, not the form of a release", line)
		}
	})
}
