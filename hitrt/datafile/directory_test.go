package datafile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Processes that are alike but for their dataDir have files of other names, so that the
// files of several directories may be collected in one. A directory keeps its ID when it
// is copied, and the users who share it share that.
func TestDirectoryID(t *testing.T) {
	a, b := newStore(t, 1), newStore(t, 1)
	update(t, a, &Update{})
	update(t, b, &Update{})
	if filepath.Base(a.Path()) == filepath.Base(b.Path()) {
		t.Error("two directories have files of one name")
	}
	again := &Store{Dir: a.Dir, Identity: a.Identity}
	again.makeDirectoryID()
	if again.Path() != a.Path() {
		t.Errorf("path %s, and then %s", a.Path(), again.Path())
	}
	if info, err := os.Stat(filepath.Join(a.Dir, directoryFile)); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	for _, text := range []string{"", "0123456789abcdef", "0123456789ABCDEF\n", "../../../../etc/\n", strings.Repeat("0", 1<<20)} {
		if err := os.WriteFile(filepath.Join(b.Dir, directoryFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if id := directoryID(b.Dir); id != "" {
			t.Errorf("ID %q", id)
		}
	}
}
