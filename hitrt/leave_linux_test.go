//go:build linux && (386 || amd64 || arm || arm64 || loong64 || riscv64)

package hitrt

import (
	"fmt"
	"os"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

func init() {
	childPrograms["leave"] = callWhileLeaving
}

// A timer, a finalizer or a thread of C runs without a goroutine that could be counted. What
// it calls after the publisher's last look is known all the same, at whatever moment.
func TestCalledWhileLeaving(t *testing.T) {
	for _, mapping := range []string{"", "none"} {
		for _, moment := range []string{"never", "before", "after"} {
			dir := newDataDir(t)
			cmd := child(t, "leave", "SCAVENGER_DATA_DIR="+dir, "SCAVENGER_MAPPING="+mapping, "HITRT_TEST_MOMENT="+moment)
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Fatalf("%s, mapping %q: %v, it says %q", moment, mapping, err, out)
			}
			left := len(marksUnder(t, os.Geteuid(), dir))
			if stays := moment == "before" && mapping == ""; (left > 0) != stays {
				t.Errorf("%s, mapping %q: %d marks files are left", moment, mapping, left)
			}
			if at, _, err := stampsOf(hitsIn(dir)[0]); err != nil || (at[place(2)] != 0) != (moment != "never") {
				t.Errorf("%s, mapping %q: 2 is in the hits file at %d (%v)", moment, mapping, at[place(2)], err)
			}
			called := known(t, dir)
			if !called[place(1)] || called[place(2)] != (moment != "never") {
				t.Errorf("%s, mapping %q: 1 known: %v, 2 known: %v", moment, mapping, called[place(1)], called[place(2)])
			}
		}
	}
}

// Cells that cannot be read any more, as somebody cut off the marks file, end our work and not
// the program.
func TestLeaveCutOff(t *testing.T) {
	dir := newDataDir(t)
	cmd := child(t, "leave", "SCAVENGER_DATA_DIR="+dir, "HITRT_TEST_MOMENT=cut off")
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("it ends with %v and says %s", err, out)
	}
	// Nobody knows whose it was, and a directory of another test may get the number of this one.
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, prefix := datafile.MarksName(info, "")
	for _, path := range datafile.MarksIn(datafile.MarksDir(os.Geteuid(), 0), prefix) {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}

// callWhileLeaving ends as Exit does, and calls a function at one moment of that.
func callWhileLeaving() {
	prog := mapped(newProgram(60), mappedArrays.many[:])
	if !Register(prog) {
		fmt.Println("inert")
	}
	prog.call(1)
	pub := registered.Load()
	pub.startExit()
	<-pub.done
	switch os.Getenv("HITRT_TEST_MOMENT") {
	case "before":
		prog.call(2)
		pub.data.leave()
	case "after":
		pub.data.marks.remove()
		prog.call(2)
		pub.data.lookAgain()
	case "cut off":
		if err := os.Truncate(pub.data.marks.path, 0); err != nil {
			fmt.Println(err)
		}
		pub.data.leave()
	default:
		pub.data.leave()
	}
}
