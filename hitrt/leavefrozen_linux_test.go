//go:build linux && (amd64 || arm64)

package hitrt

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func init() {
	childPrograms["leave frozen"] = leaveFrozen
}

// A file system that stops to answer after the publisher's last write does not hold up the
// end of the program. What is in the marks file is known afterwards.
func TestLeaveNoAnswer(t *testing.T) {
	for _, mapping := range []string{"memory", "disk", "none"} {
		for _, call := range []string{"remove", "lock", "write"} {
			if call == "remove" && mapping == "none" {
				continue // there is nothing to remove
			}
			dir := newDataDir(t)
			if mapping == "disk" && (isMemory(dir) || !isSteady(dir)) {
				t.Logf("%s is not on a disk that keeps marks files", dir)
				continue
			}
			cmd := child(t, "leave frozen", "SCAVENGER_DATA_DIR="+dir, "SCAVENGER_MAPPING="+mapping, "HITRT_TEST_LACKS="+call, "SCAVENGER_EXIT_TIMEOUT=50ms")
			stop := time.AfterFunc(hang, func() { _ = cmd.Process.Kill() })
			out, err := cmd.Output()
			stop.Stop()
			if strings.HasPrefix(string(out), "no seccomp") {
				t.Skip(string(out))
			}
			if err != nil || string(out) != "ended\n" {
				t.Fatalf("mapping %s, no answer to %s: %v, the program says %q", mapping, call, err, out)
			}
			called := known(t, dir)
			if kept := call != "remove" && mapping != "none"; !called[place(1)] || called[place(2)] != kept {
				t.Errorf("mapping %s, no answer to %s: 1 known: %v, 2 known: %v", mapping, call, called[place(1)], called[place(2)])
			}
		}
	}
}

// leaveFrozen is a program that ends on a file system that answers to the publisher and to
// nobody after it.
func leaveFrozen() {
	prog := mapped(newProgram(60), mappedArrays.many[:])
	if !Register(prog) {
		fmt.Println("inert")
		return
	}
	prog.call(1)
	pub := registered.Load()
	pub.startExit()
	<-pub.done
	lacks := os.Getenv("HITRT_TEST_LACKS")
	if lacks != "remove" {
		prog.call(2)
	}
	number := map[string]uint32{"remove": syscall.SYS_UNLINKAT, "lock": syscall.SYS_FLOCK, "write": syscall.SYS_PWRITE64}[lacks]
	if err := restrict(hangs, 0, number); err != nil {
		fmt.Println("no seccomp:", err)
		return
	}
	Exit()
	fmt.Println("ended")
}
