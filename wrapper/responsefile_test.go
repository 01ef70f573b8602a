package wrapper

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What a response file says, written by hand and by us, in both forms. Each
// release's own tools read what we write for them.
func TestResponseFiles(t *testing.T) {
	odd := []string{"-o", `C:\new\x`, "two\nlines", "", `\\host\n`, "a b", "tab\there", `it's`, `say "x"`, "$HOME `x`", `end\`, "é", "last.go"}
	for _, quoted := range []bool{false, true} {
		want := odd
		if got := parseArgs(string(formatArgs(odd, quoted)), quoted); !slices.Equal(got, want) {
			t.Errorf("quoted %v: after formatArgs, parseArgs gives %q, want %q", quoted, got, want)
		}
	}
	for text, want := range map[string][]string{
		"a b\n'c d'\r\n\"e f\"\tg":          {"a", "b", "c d", "e f", "g"},
		`C:\\x "C:\\y z" 'C:\w' "\n\$\""`:   {`C:\x`, `C:\y z`, `C:\w`, `\n$"`},
		"a\\\nb c\\ d \"e\\\r\nf\" '' \"\"": {"ab", "c d", "ef", "", ""},
		"a\\":                               {"a"},
		" \n ":                              nil,
		"x'y z":                             {"xy z"},
	} {
		if got := parseArgs(text, true); !slices.Equal(got, want) {
			t.Errorf("%q is read as %q, want %q", text, got, want)
		}
	}

	// As the go command and rules_go write them, one inside the other.
	dir := t.TempDir()
	inner, outer := filepath.Join(dir, "inner"), filepath.Join(dir, "outer")
	if err := os.WriteFile(inner, []byte("-p\r\nmain\r\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, quoted := range []bool{false, true} {
		if err := os.WriteFile(outer, formatArgs([]string{"-std", "@" + inner, "x.go"}, quoted), 0o666); err != nil {
			t.Fatal(err)
		}
		got, err := expandResponseFiles([]string{"-a", "@" + outer, "-b"}, quoted)
		if want := []string{"-a", "-std", "-p", "main", "x.go", "-b"}; err != nil || !slices.Equal(got, want) {
			t.Errorf("expandResponseFiles = %q, %v, want %q", got, err, want)
		}
	}
	if _, err := expandResponseFiles([]string{"@" + filepath.Join(dir, "none")}, true); err == nil || !strings.Contains(err.Error(), "reading response file") {
		t.Errorf("a file that does not exist: %v", err)
	}
}

// Each release's compiler reads what is written for it, and a wrapper that is
// called compile reads what the go command writes.
func TestToolchainResponseFiles(t *testing.T) {
	eachToolchain(t, func(tc toolchain) {
		compiler := filepath.Join(tc.run("env", "GOTOOLDIR"), "compile")
		if err := os.Mkdir(filepath.Join(tc.dir, "with space"), 0o777); err != nil {
			tc.Fatal(err)
		}
		tc.write("with space/x.go", "package x\n")
		out := filepath.Join(tc.dir, "with space", "x.a")
		args := []string{"-o", out, "-p", "example.com/x", "-buildid", strings.Repeat("x", maxCommandLine), filepath.Join(tc.dir, "with space", "x.go")}
		a := &action{tool: "compile", path: compiler, args: args, own: new(ownDir)}
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
		if got, err := expanded(compiler, short); err != nil || !slices.Equal(got, args) {
			tc.Errorf("it is read as %.200q, %v", got, err)
		}
		quoted, err := readsQuoted(compiler)
		if err != nil {
			tc.Fatal(err)
		}
		given := append([]string{"-config=with space.toml", compiler}, args...)
		file := tc.write("given", string(formatArgs(given, quoted)))
		if got, err := expandWithTool([]string{"compile", "@" + file}); err != nil || !slices.Equal(got[1:], given) {
			tc.Errorf("with the tool in it, it is read as %.200q, %v", got, err)
		}
		a.removeDir()
		if _, err := os.Stat(out + ".scavenger"); err == nil {
			tc.Error("the directory is still there")
		}
	})
}

func TestSplitQuoted(t *testing.T) {
	for s, want := range map[string][]string{
		"":                  nil,
		" a  b\tc ":         {"a", "b", "c"},
		`'/a b/c' d "e f"`:  {"/a b/c", "d", "e f"},
		`a'b "it's"`:        {"a'b", "it's"},
		`'-next=x y' 'a"b'`: {"-next=x y", `a"b`},
	} {
		got, err := splitQuoted(s)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("splitQuoted(%q) = %q, %v, want %q", s, got, err, want)
		}
		if again, err := splitQuoted(joinQuoted(got)); err != nil || !slices.Equal(again, want) {
			t.Errorf("after joinQuoted: %q, %v, want %q", again, err, want)
		}
	}
	if _, err := splitQuoted(`a 'b`); err == nil {
		t.Error("no error for an open quote")
	}
}
