//go:build linux && (386 || amd64 || arm || arm64 || loong64 || riscv64)

package hitrt

import (
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// A process that is killed before its first write leaves its own calls alone in its marks
// file: with those that are presumed, whoever recovers them would give them its own time.
func TestPresumedNotRecovered(t *testing.T) {
	dir := newDataDir(t)
	prog := newMappedProgram(&mappedArrays.known)
	prog.presume(time.Now().Add(-7*24*time.Hour), 3, 61)
	pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
	pub.prepare()
	pub.data.open()
	if pub.data.marks == nil {
		t.Fatalf("no marks file: %s", messages)
	}
	prog.call(5)
	path := pub.data.marks.path
	pub.die()
	if _, err := datafile.Recover(path, dir, 0); err != nil {
		t.Fatal(err)
	}
	at, _, err := stampsOf(hitsIn(dir)[0])
	if err != nil {
		t.Fatal(err)
	}
	for i, at := range at {
		if (at != 0) != (i == place(5)) {
			t.Errorf("function %d has the time %d", i, at)
		}
	}
}
