//go:build !nonetwork

package hitrt

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// The codebase file says what the program does not list, and a program that does not list
// something else has a file of its own, in the same directory. Both are published.
func TestUnlistedInFile(t *testing.T) {
	clearVariables(t)
	dir := newDataDir(t)
	seen := map[string]bool{}
	prog := newProgram(70)
	for i, unlisted := range []string{"func() example.com/b:New,Cart.Add fmt", "func() fmt", ""} {
		prog.Unlisted = unlisted
		pub, _ := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
		prog.call(5 + i)
		pub.begin()
		pub.die()
		fingerprint := pub.data.store.Identity.Fingerprint
		file, err := os.Open(filepath.Join(dir, datafile.CodebaseName(fingerprint, -1)))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		n := 0
		h, err := datafile.ReadCodebase(file, fingerprint, func(*datafile.Function) error { n++; return nil })
		if err != nil || h.Unlisted != unlisted || n < 70 {
			t.Errorf("%+v, %d functions, %v, want unlisted %q", h, n, err, unlisted)
		}
		if seen[fingerprint] {
			t.Errorf("another list has fingerprint %s too", fingerprint)
		}
		seen[fingerprint] = true
	}
	fake := newFake()
	before := time.Now().Add(-time.Minute).UnixMilli()
	text := publishDir(t, serve(t, fake).URL, directory{path: dir})
	for i := 5; i < 8; i++ {
		if got := fake.invokedAt(prog.hashOf(i)); got < before {
			t.Errorf("function %d was invoked at %d\n%s", i, got, text)
		}
	}
}
