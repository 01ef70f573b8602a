package hitrt

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// giveUpVariable is the dataDir of a child that gives up root.
const giveUpVariable = "HITRT_TEST_GIVE_UP"

func init() { childPrograms["give up"] = giveUp }

// A daemon that starts as root and goes on as another user leaves root's list of functions as
// it is, also where he could take it away: the calls of all earlier processes count by it.
func TestListOfRootStays(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root becomes another user")
	}
	for name, mode := range map[string]os.FileMode{"of the user": 0o700, "of both": os.ModeSetgid | os.ModeSticky | 0o770} {
		t.Run(name, func(t *testing.T) {
			dir := newDataDir(t)
			letIn(t, dir)
			owner := nobody
			if mode&os.ModeSticky != 0 {
				owner = 0
			}
			if err := os.Chown(dir, owner, nobody); err != nil {
				t.Skip(err)
			}
			if err := os.Chmod(dir, mode); err != nil {
				t.Fatal(err)
			}
			out, err := child(t, "give up", giveUpVariable+"="+dir).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			lists, _ := filepath.Glob(filepath.Join(dir, "codebase-*"))
			if len(lists) != 1 {
				t.Fatalf("lists %q, want one", lists)
			}
			info, err := os.Stat(lists[0])
			if err != nil {
				t.Fatal(err)
			}
			if at := time.Unix(0, 0); info.Sys().(*syscall.Stat_t).Uid != 0 || !info.ModTime().Equal(at) {
				t.Errorf("the list belongs to user %d and was written at %v, want root's of %v", info.Sys().(*syscall.Stat_t).Uid, info.ModTime(), at)
			}
			if strings.Contains(string(out), "listing the functions") {
				t.Errorf("messages %s", out)
			}
		})
	}
}

// giveUp gives root up after it has begun, and does then what a process does in three minutes,
// and one that lists its functions that late.
func giveUp() {
	prog := newProgram(60)
	pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+os.Getenv(giveUpVariable), "SCAVENGER_DATA_MODE=0600", "SCAVENGER_MAPPING=none")
	pass := withClock(pub)
	pub.begin()
	must := func(err error) {
		if err != nil {
			fmt.Println(err, messages)
			os.Exit(1)
		}
	}
	must(os.Chtimes(pub.codebasePath(), time.Unix(0, 0), time.Unix(0, 0)))
	must(syscall.Setgroups([]int{nobody}))
	must(syscall.Setgid(nobody))
	must(syscall.Setuid(nobody))
	for i := range 3 {
		prog.call(i)
		pass(refreshInterval)
		pub.checkpoint()
	}
	pub.data.listed, pub.data.verified = false, false
	for range 3 {
		pass(dataRetry)
		pub.checkpoint()
		pub.data.verify()
	}
	fmt.Println(messages)
}
