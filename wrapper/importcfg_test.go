package wrapper

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestImportcfg(t *testing.T) {
	long := strings.Repeat("x", 100_000) // modinfo of a large program
	text := "# import config\npackagefile fmt=/cache/fmt.a\nimportmap a=vendor/a\nmodinfo \"" + long + "\"\nwhat-is-to-come a=b\n"
	c := parseImportcfg(text)
	c.add("fmt", "/ours/fmt.a")
	c.add("net/http", "/ours/http.a")
	file := filepath.Join(t.TempDir(), "importcfg")
	if err := c.write(file); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := text + "packagefile net/http=/ours/http.a\n"; string(got) != want {
		t.Errorf("written importcfg:\n%s\nwant:\n%s", got, want)
	}
	if info, err := c.modinfo(); err != nil || info != long[32:] {
		t.Errorf("modinfo has %d bytes, error %v", len(info), err)
	}
	if err := c.writePackages(file, []string{"fmt", "net/http", "unsafe"}); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(file); string(got) != "packagefile fmt=/cache/fmt.a\npackagefile net/http=/ours/http.a\n" {
		t.Errorf("importcfg for compile:\n%s", got)
	}
	for _, bad := range []string{"modinfo short\n", "modinfo \"short\"\n", "modinfo \"\n"} {
		if _, err := parseImportcfg(bad).modinfo(); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
	if _, err := readImportcfg(filepath.Join(t.TempDir(), "none")); err == nil || !strings.HasPrefix(err.Error(), "reading importcfg: open ") {
		t.Errorf("missing file: %v", err)
	}
}

func FuzzImportcfg(f *testing.F) {
	f.Add("packagefile a=b\nmodinfo \"x\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		c := parseImportcfg(text)
		file := filepath.Join(t.TempDir(), "importcfg")
		if err := c.write(file); err != nil {
			t.Fatal(err)
		}
		again, err := readImportcfg(file)
		if err != nil || len(again.packages) != len(c.packages) {
			t.Errorf("%d packages of %d after a round trip, error %v", len(again.packages), len(c.packages), err)
		}
	})
}
