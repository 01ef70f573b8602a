package toolchain

import (
	"os"
	"path/filepath"
	"testing"
)

func TestBuilderImportPath(t *testing.T) {
	params := filepath.Join(t.TempDir(), "app.a-0.params")
	text := "-sdk\nexternal/go_sdk\n-src\n'it'\\''s.go'\n-importpath\nexample.com/app/cmd/app\n-p\nmain\n"
	if err := os.WriteFile(params, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	whole := filepath.Join(t.TempDir(), "whole.params")
	if err := os.WriteFile(whole, []byte("compilepkg\n"+text), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		want string
		args []string
	}{
		{"example.com/app", []string{"builder", "compilepkg", "-sdk", "s", "-importpath", "example.com/app", "-p", "main"}},
		{"example.com/app/cmd/app", []string{"builder", "compilepkg", "-param=" + params, "-lo", "out.a"}},
		{"example.com/app/cmd/app", []string{"builder", "-param=" + whole}},
		{"", []string{"builder", "compilepkg", "-param=" + params + ".lost"}},
		{"", []string{"builder", "link", "-importpath", "example.com/app"}},
		{"", []string{"make", "-importpath", "example.com/app"}},
		{"", []string{"sh"}},
		{"", nil},
	} {
		if got := builderImportPath(test.args); got != test.want {
			t.Errorf("%q: %q, want %q", test.args, got, test.want)
		}
	}
}

// One argument a line, as Bazel writes them.
func TestParamsFile(t *testing.T) {
	for text, want := range map[string][]string{
		"a\nb c\n":           {"a", "b c"},
		"a":                  {"a"},
		"'it'\\''s'\n":       {"it's"},
		"'two\nlines'\nnext": {"two\nlines", "next"},
		"\n":                 {""},
	} {
		got := paramsFile(text)
		if len(got) != len(want) {
			t.Errorf("%q: %q, want %q", text, got, want)
			continue
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%q: %q, want %q", text, got, want)
			}
		}
	}
}
