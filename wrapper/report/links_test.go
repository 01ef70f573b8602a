package report

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// A link to a data directory is as good as the directory. It may lead in a circle.
func TestReadLinks(t *testing.T) {
	root := t.TempDir()
	writeHosts(t, root)
	want := mustOpen(t, root)
	linked := t.TempDir()
	for i := range 3 {
		host := fmt.Sprint("h", i)
		if err := os.Symlink(filepath.Join(root, host, "deep", "data"), filepath.Join(linked, host)); err != nil {
			t.Skip(err)
		}
	}
	for link, to := range map[string]string{"again": filepath.Join(root, "h1", "deep", "data"), "circle": linked, "nowhere": filepath.Join(root, "none"), "empty": t.TempDir()} {
		if err := os.Symlink(to, filepath.Join(linked, link)); err != nil {
			t.Fatal(err)
		}
	}
	if got := mustOpen(t, linked); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant\n%+v", got, want)
	}
}
