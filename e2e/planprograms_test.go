package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// What is planned for small programs with every kind of reference agrees with what ran,
// with deadcode, with the source, and with what still compiles.
func TestPlanPrograms(t *testing.T) {
	deadcode := deadcodeFile(t)
	for _, test := range []struct {
		name, archive, dir, tags string
		mains                    []string
		pinned                   []string // by a directive, whatever deadcode says
	}{
		{"programs", "programs", ".", "", []string{
			"values", "embed", "asserts", "generic", "reflect", "initial", "lines", "tags", "tested", "aliases", "channels",
		}, []string{"pushed", "pushedBelow"}},
		{"tags", "programs", ".", "special", []string{"tags"}, nil},
		{"workspace", "workspace", "app", "", []string{"."}, nil},
		{"vendored", "vendored", ".", "", []string{"."}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			archive, err := txtar.ParseFile(filepath.Join("testdata", "plan", test.archive+".txtar"))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range archive.Files {
				writeFile(t, filepath.Join(root, "source", filepath.FromSlash(f.Name)), f.Data)
			}
			c := planCheck{dir: filepath.Join(root, "source", test.dir), data: filepath.Join(root, "data"), tags: test.tags, deadcode: deadcode, pinned: test.pinned, filter: `^example\.com/(small|app|lib)\b`, workspace: true}
			bin := filepath.Join(root, "bin") + string(os.PathSeparator)
			for _, m := range test.mains {
				c.patterns = append(c.patterns, "./"+m)
			}
			c.run(t, "go", append([]string{"build", "-toolexec=" + built.File(t), "-tags=" + test.tags, "-o", bin}, c.patterns...)...)
			binaries, err := os.ReadDir(bin)
			if err != nil || len(binaries) != len(test.mains) {
				t.Fatalf("%d binaries, %v", len(binaries), err)
			}
			for _, b := range binaries {
				cmd := exec.Command(filepath.Join(bin, b.Name()))
				cmd.Env = append(os.Environ(), "SCAVENGER_DATA_DIR="+c.data)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%s: %v\n%s", b.Name(), err, out)
				}
			}
			c.check(t)
		})
	}
}

func writeFile(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, text, 0o666); err != nil {
		t.Fatal(err)
	}
}

// isGenerator reports whether a file is one that only a //line directive names.
func isGenerator(file string) bool { return strings.HasSuffix(file, ".y") }
