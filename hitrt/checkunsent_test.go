//go:build go1.25 && unix && !nonetwork

package hitrt

import (
	"os"
	"path/filepath"
	"testing"
)

// What doctor says of a place is what a program finds there.
func TestMayBeUsed(t *testing.T) {
	for name, spoil := range map[string]func(home string) error{
		"nothing is there":            func(string) error { return nil },
		"part is there":               func(home string) error { return makeAll(home, 0o700, ".local") },
		"all is there":                func(home string) error { return makeAll(home, 0o700, ".local", "state", "scavenger-wrap") },
		"no HOME":                     os.Remove,
		"HOME is a file":              func(home string) error { _ = os.Remove(home); return os.WriteFile(home, nil, 0o600) },
		"HOME of everybody":           func(home string) error { return os.Chmod(home, 0o777) },
		"a file above the place":      func(home string) error { return os.WriteFile(filepath.Join(home, ".local"), nil, 0o600) },
		"a directory of all above it": func(home string) error { return makeAll(home, 0o777, ".local", "state") },
		"everybody may read it":       func(home string) error { return makeAll(home, 0o755, ".local", "state", "scavenger-wrap") },
		"a link to nothing":           func(home string) error { return os.Symlink("none", filepath.Join(home, ".local")) },
	} {
		home := newHome(t)
		if err := spoil(home); err != nil {
			t.Fatal(err)
		}
		for _, place := range []savePlace{
			{above: home, below: []string{".local", "state", "scavenger-wrap"}},
			{above: home, below: []string{"scavenger-wrap"}, shared: true},
		} {
			got := place.mayBeUsed(func(string) bool { return true })
			if err := place.check(true); got != (err == nil) {
				t.Errorf("%s: %s may be used: %v, and %v", name, place.dir(), got, err)
			}
			if place.mayBeUsed(func(string) bool { return false }) {
				t.Errorf("%s: it may be used although nobody can write there", name)
			}
		}
	}
}
