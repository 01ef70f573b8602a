package toolchain

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Response files in both forms are read, whether they are written by hand or by us. The
// tools of each release read what we write for them.
func TestResponseFiles(t *testing.T) {
	odd := []string{"-o", `C:\new\x`, "two\nlines", "", `\\host\n`, "a b", "tab\there", `it's`, `say "x"`, "$HOME `x`", `end\`, "é", "last.go"}
	for _, quoted := range []bool{false, true} {
		want := odd
		if got := parseArgs(string(FormatArgs(odd, quoted)), quoted); !slices.Equal(got, want) {
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

	// These are files as the go command and rules_go write them, one inside the other.
	dir := t.TempDir()
	inner, outer := filepath.Join(dir, "inner"), filepath.Join(dir, "outer")
	if err := os.WriteFile(inner, []byte("-p\r\nmain\r\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, quoted := range []bool{false, true} {
		if err := os.WriteFile(outer, FormatArgs([]string{"-std", "@" + inner, "x.go"}, quoted), 0o666); err != nil {
			t.Fatal(err)
		}
		got, err := ExpandAs([]string{"-a", "@" + outer, "-b"}, quoted)
		if want := []string{"-a", "-std", "-p", "main", "x.go", "-b"}; err != nil || !slices.Equal(got, want) {
			t.Errorf("expandResponseFiles = %q, %v, want %q", got, err, want)
		}
	}
	if _, err := ExpandAs([]string{"@" + filepath.Join(dir, "none")}, true); err == nil || !strings.Contains(err.Error(), "reading response file") {
		t.Errorf("a file that does not exist: %v", err)
	}
}
