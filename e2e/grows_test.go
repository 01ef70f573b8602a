package e2e

import (
	"os"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// growsCommand: grows FILE OTHER KIB checks that OTHER is larger than FILE by at most so
// many KiB, and ! grows by more.
func growsCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: grows file other kib")
	}
	var sizes [2]int64
	for i := range sizes {
		info, err := os.Stat(ts.MkAbs(args[i]))
		ts.Check(err)
		sizes[i] = info.Size()
	}
	most, err := strconv.ParseInt(args[2], 10, 64)
	ts.Check(err)
	grown := (sizes[1] - sizes[0]) / 1024
	ts.Logf("%s is %d KiB larger than %s", args[1], grown, args[0])
	switch {
	case neg && grown <= most:
		ts.Fatalf("%s is %d KiB larger than %s, want more than %d", args[1], grown, args[0], most)
	case !neg && grown > most:
		ts.Fatalf("%s is %d KiB larger than %s, want at most %d", args[1], grown, args[0], most)
	}
}
