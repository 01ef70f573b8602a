package action

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchain"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/toolchaintest"
)

// The compiler of each release reads the response files that we write for it. A wrapper
// that is called compile reads those that the go command writes.
func TestToolchainResponseFiles(t *testing.T) {
	toolchaintest.Each(t, func(tc toolchaintest.Toolchain) {
		compiler := filepath.Join(tc.Run("env", "GOTOOLDIR"), "compile")
		if err := os.Mkdir(filepath.Join(tc.Dir, "with space"), 0o777); err != nil {
			tc.Fatal(err)
		}
		tc.Write("with space/x.go", "package x\n")
		out := filepath.Join(tc.Dir, "with space", "x.a")
		args := []string{"-o", out, "-p", "example.com/x", "-buildid", strings.Repeat("x", toolchain.MaxCommandLine), filepath.Join(tc.Dir, "with space", "x.go")}
		a := &Action{Tool: "compile", Path: compiler, Args: args, own: new(ownDir)}
		if got, err := a.shortened(args[:4]); err != nil || !slices.Equal(got, args[:4]) {
			tc.Errorf("of few arguments it makes %q, %v", got, err)
		}
		short, err := a.shortened(args)
		if err != nil || len(short) != 1 || !strings.HasPrefix(short[0], "@") {
			tc.Fatalf("of many arguments it makes %.100q, %v", short, err)
		}
		if text, err := exec.Command(compiler, short...).CombinedOutput(); err != nil {
			tc.Errorf("compile: %v\n%s", err, text)
		}
		if _, err := os.Stat(out); err != nil {
			tc.Error(err)
		}
		if got, err := toolchain.Expand(compiler, short); err != nil || !slices.Equal(got, args) {
			tc.Errorf("it is read as %.200q, %v", got, err)
		}
		quoted, err := toolchain.ReadsQuoted(compiler)
		if err != nil {
			tc.Fatal(err)
		}
		given := append([]string{"-config=with space.toml", compiler}, args...)
		file := tc.Write("given", string(toolchain.FormatArgs(given, quoted)))
		if got, err := expandWithTool([]string{"compile", "@" + file}); err != nil || !slices.Equal(got[1:], given) {
			tc.Errorf("with the tool in it, it is read as %.200q, %v", got, err)
		}
		a.RemoveDir()
		if _, err := os.Stat(out + ".scavenger"); err == nil {
			tc.Error("the directory is still there")
		}
	})
}
