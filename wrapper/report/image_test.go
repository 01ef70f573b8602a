package report

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// Machines that began as one image have hits files of one name, each with processes of its
// own. What is missing of one of them is missing.
func TestFilesOfOneImage(t *testing.T) {
	functions := []testFunc{fn("store.Open", "store.go", 1), fn("store.Shut", "store.go", 2)}
	image := t.TempDir()
	leave(t, image, "a", functions, testProcess{id: "1", app: "shop", started: at(1), calls: calls{"Open": at(2)}})
	a, b := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	copyDir(t, image, a)
	copyDir(t, image, b)
	for i := range 12 {
		leave(t, a, "a", functions, testProcess{id: fmt.Sprint("a", i), app: "shop", started: at(3), calls: calls{"Open": at(4)}})
	}
	leave(t, b, "a", functions, testProcess{id: "b", app: "shop", started: at(3), calls: calls{"Open": at(4)}, state: datafile.Lossy})
	for _, args := range [][]string{{a, b}, {b, a}, {a, image, b}, {image, b, a}} {
		in, err := Open(args, nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := in.Read(Filter{})
		if err != nil {
			t.Fatal(err)
		}
		if got := kinds(r); got != "lossy" || r.Processes.Lossy != 1 {
			t.Errorf("%v: %+v, problems %v, want a process that was killed on b", args, r.Processes, r.Problems)
		}
	}
}
