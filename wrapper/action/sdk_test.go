package action

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Only a tool that has the real one beside it is one of an SDK.
func TestParseFlagsOfSDK(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, file := range []string{"sdk/real/compile", "sdk/scavenger.conf", "other/compile"} {
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	sdk := filepath.Join(dir, "sdk")
	for _, test := range []struct {
		args, rest  []string
		sdk, config string
	}{
		{[]string{"sdk/compile", "-p", "main"}, []string{"sdk/compile", filepath.Join(sdk, "real", "compile"), "-p", "main"}, sdk, filepath.Join(sdk, "scavenger.conf")},
		{[]string{filepath.Join(sdk, "compile"), "@args"}, []string{filepath.Join(sdk, "compile"), filepath.Join(sdk, "real", "compile"), "@args"}, sdk, filepath.Join(sdk, "scavenger.conf")},
		{[]string{"sdk/asm", "-V=full"}, []string{"sdk/asm", "-V=full"}, "", ""},
		{[]string{"other/compile", "scan"}, []string{"other/compile", "scan"}, "", ""},
		// from PATH, not from here
		{[]string{"compile", "scan"}, []string{"compile", "scan"}, "", ""},
	} {
		rest, flags, err := ParseFlags(test.args)
		if err != nil || !slices.Equal(rest, test.rest) || flags.SDK != test.sdk || flags.Config != test.config {
			t.Errorf("%q: %q %+v %v", test.args, rest, flags, err)
		}
	}
}
