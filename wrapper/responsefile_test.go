package wrapper

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestResponseFiles(t *testing.T) {
	dir := t.TempDir()
	short := []string{"-o", "x", "@not-read-below"}
	if got, err := shortenCommandLine(short, dir); err != nil || !slices.Equal(got, short) {
		t.Errorf("shortenCommandLine(%q) = %q, %v", short, got, err)
	}
	long := []string{"-o", `C:\new\x`, "two\nlines", "", `\\host\n`, "a b", strings.Repeat("x", maxCommandLine), "last.go"}
	args, err := shortenCommandLine(long, dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(args) != 1 || !strings.HasPrefix(args[0], "@") {
		t.Fatalf("shortenCommandLine gives %d arguments", len(args))
	}
	got, err := expandResponseFiles(args)
	if err != nil || !slices.Equal(got, long) {
		t.Errorf("expandResponseFiles gives %.100q, %v", got, err)
	}

	// As the go command and rules_go write them, one inside the other.
	inner := filepath.Join(dir, "inner")
	if err := os.WriteFile(inner, []byte("-p\r\nmain\r\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	outer := filepath.Join(dir, "outer")
	if err := os.WriteFile(outer, []byte("-std\n@"+inner+"\nx.go\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	got, err = expandResponseFiles([]string{"-a", "@" + outer, "-b"})
	if want := []string{"-a", "-std", "-p", "main", "x.go", "-b"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("expandResponseFiles = %q, %v, want %q", got, err, want)
	}
	if _, err := expandResponseFiles([]string{"@" + filepath.Join(dir, "none")}); err == nil || !strings.Contains(err.Error(), "reading response file") {
		t.Errorf("a file that does not exist: %v", err)
	}
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
