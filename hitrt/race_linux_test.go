package hitrt

import (
	"fmt"
	"testing"
	"time"
)

func init() {
	childPrograms["time zone"] = func() {
		cells := make([]uint8, 8)
		Register(&Program{Main: "example.com/zone", Packages: []Package{{Path: "example.com/zone", Marks: cells, Entries: "0\tzone.go\t1\t\tF\t\n"}}})
		time.Local = time.UTC
		fmt.Println("listening")
		time.Sleep(checkpointInterval * 3)
		Exit()
	}
}

// A program that sets time.Local when it starts has no data race for it, whatever package
// time reads for us. Without -race nobody looks.
func TestTimeZoneIsNoRace(t *testing.T) {
	for range 3 {
		out, err := child(t, "time zone", "SCAVENGER_DATA_DIR="+newDataDir(t)).CombinedOutput()
		if err != nil || string(out) != "listening\n" {
			t.Fatalf("the program ended with %v and wrote\n%s", err, out)
		}
	}
}
