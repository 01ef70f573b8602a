//go:build linux && (amd64 || arm64) && !nonetwork

package hitrt

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

func init() {
	childPrograms["saved"] = callUntilTold
}

// callUntilTold is a program in which no unsent file can be opened: the system does not
// answer. It calls functions until its standard input ends.
func callUntilTold() {
	if err := restrict(hangs, syscall.O_NOFOLLOW, syscall.SYS_OPENAT); err != nil {
		fmt.Println("no seccomp:", err)
		return
	}
	prog := newProgram(60)
	fmt.Println("started", Register(prog))
	told := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(told)
	}()
	for i := 0; ; i++ {
		prog.call(i % 60)
		select {
		case <-told:
			Exit()
			fmt.Println("ended")
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// A file system of HOME that stops to answer keeps a program neither from sending its
// calls nor from ending.
func TestUnsentNoAnswer(t *testing.T) {
	home, err := os.MkdirTemp(t.TempDir(), "home")
	if err != nil {
		t.Fatal(err)
	}
	fake := newFake()
	fake.intervals = [6]int64{1, 1, 1, 1, 1, 1}
	server := serve(t, fake)
	variables := []string{"HOME=" + home, "XDG_STATE_HOME=", "SCAVENGER_SERVER_URL=" + server.URL, "SCAVENGER_API_KEY=" + testKey,
		"SCAVENGER_SCHEDULER_INITIAL_DELAY_MILLIS=10", "SCAVENGER_SCHEDULER_INTERVAL_MILLIS=10", "SCAVENGER_EXIT_TIMEOUT=1s"}
	set := loadSettings(newProgram(60), environment(variables...))
	set.applyDefaults()
	place := &set.savePlaces[0]
	file := (&exporter{p: &publisher{set: set}}).unsentFile(place)
	if err := os.MkdirAll(filepath.Dir(file.Path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := file.Add([]datafile.UnsentCall{{At: time.Now().UnixMilli()}}); err != nil {
		t.Fatal(err)
	}
	cmd := child(t, "saved", variables...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := time.AfterFunc(hang, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	lines := bufio.NewScanner(out)
	if lines.Scan(); strings.HasPrefix(lines.Text(), "no seccomp") {
		t.Skip(lines.Text())
	}
	// Two publications come before the look, the others after it.
	for began := time.Now(); len(fake.got(methodInvocations)) < 5; time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > hang/2 {
			t.Errorf("%d publications, and no more come", len(fake.got(methodInvocations)))
			break
		}
	}
	_ = stdin.Close()
	if lines.Scan(); lines.Text() != "ended" {
		t.Errorf("it does not end, but says %q", lines.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
