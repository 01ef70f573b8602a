package report_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/wrapper/output"
	"github.com/naver/scavenger/scavenger-wrap/wrapper/report"
)

var update = flag.Bool("update", false, "rewrite the files in ../output/testdata")

// ofFile is the part of a file's name that says nothing to people.
var ofFile = regexp.MustCompile(`[0-9a-f]{16}\.hits`)

// Data files give the reports that wrapper/output writes in its tests.
func TestGolden(t *testing.T) {
	for name, write := range report.GoldenCases {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			// It decides names, and so their order.
			if err := os.WriteFile(filepath.Join(dir, ".directory.id"), []byte("0000000000000000\n"), 0o666); err != nil {
				t.Fatal(err)
			}
			write(t, dir)
			r, err := report.Read(dir)
			if err != nil {
				t.Fatal(err)
			}
			keys := map[string]string{}
			for i, p := range r.Problems {
				r.Problems[i].File = ofFile.ReplaceAllStringFunc(filepath.Base(p.File), func(key string) string {
					if keys[key] == "" {
						keys[key] = fmt.Sprintf("KEY%d.hits", len(keys)+1)
					}
					return keys[key]
				})
			}
			for ext, write := range map[string]func(io.Writer, *report.Report) error{
				".json": output.JSON, ".txt": output.Text, ".all.txt": output.AllText,
			} {
				var out bytes.Buffer
				if err := write(&out, r); err != nil {
					t.Fatal(err)
				}
				compareGolden(t, name+ext, out.Bytes())
			}
		})
	}
}

func compareGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("..", "output", "testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (-update rewrites it); got\n%s\nwant\n%s", name, got, want)
	}
}
