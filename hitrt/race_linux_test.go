package hitrt

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

func init() {
	childPrograms["time zone"] = func() {
		functions, _ := strconv.Atoi(os.Getenv("HITRT_TEST_FUNCTIONS"))
		Register(newProgram(functions))
		time.Local = time.UTC
		fmt.Println("listening")
		time.Sleep(checkpointInterval * 3 / 2)
		Exit()
	}
}

// A program that sets time.Local when it starts has no data race for it, whatever package
// time reads for us.
func TestTimeZoneIsNoRace(t *testing.T) {
	if !raceDetector {
		t.Skip("it needs -race")
	}
	for _, functions := range []int{10, fewFunctions + 10} {
		cmd := child(t, "time zone", "SCAVENGER_DATA_DIR="+newDataDir(t), "HITRT_TEST_FUNCTIONS="+strconv.Itoa(functions))
		if out, err := cmd.CombinedOutput(); err != nil || string(out) != "listening\n" {
			t.Errorf("the program of %d functions ended with %v and wrote\n%s", functions, err, out)
		}
	}
}
