package hitrt

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// leave leaves the file of a process in dir that called some functions and is no
// more. It returns the file's path.
func leave(t *testing.T, dir string, prog *Program, calls []int, variables ...string) string {
	t.Helper()
	pub, messages := newTestPublisher(prog, nil, append(variables, "SCAVENGER_DATA_DIR="+dir)...)
	pub.begin()
	for _, i := range calls {
		prog.call(i)
	}
	pub.checkpoint()
	path := pub.data.path()
	pub.data.release() // and with it the lock
	if messages.String() != "" {
		t.Fatalf("messages %q", messages)
	}
	return path
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// What a process left is sent, once, with its times, and removed; everything
// else in the directory stays.
func TestOrphan(t *testing.T) {
	if !canLock {
		t.Skip("no file locks")
	}
	dir := filepath.Join(t.TempDir(), "a[b]*")
	began := time.Now().Add(-time.Millisecond).UnixMilli()
	first := leave(t, dir, newProgram(60), []int{3, 59})
	second := leave(t, dir, newProgram(90), []int{4, 80}) // another build
	ended := time.Now().UnixMilli()
	stay := []string{
		leave(t, dir, newProgram(60), []int{5}, "SCAVENGER_APP_NAME=other"),
		leave(t, dir, newProgram(60), []int{6}, "SCAVENGER_ENVIRONMENT=other"),
	}
	live, _ := newTestPublisher(newProgram(60), nil, "SCAVENGER_DATA_DIR="+dir)
	live.begin()
	defer live.data.release() // not before: a file that nobody refers to is closed
	damaged := leave(t, dir, newProgram(60), []int{7})
	if err := os.Truncate(damaged, 4100); err != nil {
		t.Fatal(err)
	}
	newer := filepath.Join(dir, "process-newer.hits")
	if err := os.WriteFile(newer, []byte("SCAVHIT2 and what else it has"), 0o644); err != nil {
		t.Fatal(err)
	}
	stay = append(stay, live.data.path(), damaged, newer)

	fake, prog := newFake(), newProgram(60)
	pub, messages := newTestPublisher(prog, fake, toCollector("SCAVENGER_DATA_DIR="+dir,
		"SCAVENGER_SCHEDULER_INITIAL_DELAY_MILLIS=0", "SCAVENGER_SCHEDULER_INTERVAL_MILLIS=20", "SCAVENGER_FORCE_INTERVAL_SECONDS=1")...)
	go pub.run()
	waitFor(t, func() bool { return !exists(first) && !exists(second) })
	for _, i := range []int{3, 59, 4} {
		waitFor(t, func() bool { return fake.invokedAt(prog.hashOf(i)) > 0 })
		if at := fake.invokedAt(prog.hashOf(i)); at < began || at > ended {
			t.Errorf("function %d was invoked at %d, want %d to %d", i, at, began, ended)
		}
	}
	for _, i := range []int{5, 6, 7} {
		if at := fake.invokedAt(prog.hashOf(i)); at > 0 {
			t.Errorf("function %d was invoked, by a process that is none of ours", i)
		}
	}
	// Function 80 is in no codebase that was sent, and known nevertheless.
	fake.mu.Lock()
	if fake.rows[newProgram(90).hashOf(80)] == 0 {
		t.Errorf("function 80 of another build was not sent")
	}
	fake.mu.Unlock()
	pub.exit()
	for _, path := range stay {
		if !exists(path) {
			t.Errorf("%s was removed", path)
		}
	}
	for _, path := range []string{damaged, newer} {
		if strings.Count(messages.String(), filepath.Base(path)) != 1 {
			t.Errorf("messages %q, want %s to be named once", messages, path)
		}
	}
	if strings.Count(messages.String(), "\n") != 2 {
		t.Errorf("messages %q, want two", messages)
	}
}

// A process that ends before its first tick sends it at its end, and so does the
// next one, since the collector may lose what it accepts. What it does not take
// stays.
func TestOrphanAtExit(t *testing.T) {
	if !canLock {
		t.Skip("no file locks")
	}
	dir := t.TempDir()
	paths := []string{leave(t, dir, newProgram(60), []int{3}), leave(t, dir, newProgram(60), []int{4})}
	left := func() (n int) {
		for _, path := range paths {
			names, _ := filepath.Glob(strings.TrimSuffix(path, ".hits") + "*")
			n += len(names)
		}
		return n
	}
	run := func(server string) {
		pub, _ := newTestPublisher(newProgram(60), nil, "SCAVENGER_DATA_DIR="+dir, "SCAVENGER_SERVER_URL="+server, "SCAVENGER_API_KEY="+testKey)
		go pub.run()
		<-pub.ready
		pub.exit()
		<-pub.done
	}
	run("http://127.0.0.1:1")
	if !exists(paths[0]) || !exists(paths[1]) {
		t.Fatalf("files were removed that nobody took")
	}
	fake := newFake()
	losing := true
	fake.crashed = func(call fakeCall) bool { return losing && call.method == methodInvocations }
	server := serve(t, fake)
	run(server.URL)
	if n := left(); n != 2 {
		t.Fatalf("%d files are left after they were sent once, want both", n)
	}
	losing = false
	run(server.URL)
	if n := left(); n != 0 {
		t.Errorf("%d files are left after they were sent twice", n)
	}
	for _, i := range []int{3, 4} {
		waitFor(t, func() bool { return fake.invokedAt(newProgram(60).hashOf(i)) > 0 })
	}
}

// What the collector accepts and does not store is sent again before the file is
// removed.
func TestOrphanLost(t *testing.T) {
	if !canLock {
		t.Skip("no file locks")
	}
	dir := t.TempDir()
	path := leave(t, dir, newProgram(60), []int{3})
	fake, prog := newFake(), newProgram(60)
	lost := false
	fake.crashed = func(call fakeCall) bool { // calls come one after the other
		if !lost && call.method == methodInvocations && len(call.message.all(2)) == 1 {
			lost = true
			return true
		}
		return false
	}
	pub, _ := newTestPublisher(prog, fake, toCollector("SCAVENGER_DATA_DIR="+dir,
		"SCAVENGER_SCHEDULER_INITIAL_DELAY_MILLIS=0", "SCAVENGER_SCHEDULER_INTERVAL_MILLIS=20", "SCAVENGER_FORCE_INTERVAL_SECONDS=1")...)
	go pub.run()
	waitFor(t, func() bool { return !exists(path) })
	waitFor(t, func() bool { return fake.invokedAt(prog.hashOf(3)) > 0 })
	pub.exit()
	<-pub.done
	if !lost {
		t.Error("nothing was lost")
	}
}

// No process's file can be claimed while it lives, not even as it appears.
func TestOrphanNotOfLiving(t *testing.T) {
	if !canLock {
		t.Skip("no file locks")
	}
	dir := t.TempDir()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			for _, path := range processFiles(dir) {
				if o, err := claimOrphan(path, func(*processHeader) bool { return true }); err == nil {
					t.Errorf("%s was claimed, whose process lives", path)
					o.held.release()
				}
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	for range 300 {
		pub, messages := newTestPublisher(newProgram(9), nil, "SCAVENGER_DATA_DIR="+dir)
		pub.begin()
		path := pub.data.path()
		if messages.String() != "" {
			t.Errorf("messages %q", messages)
		}
		if path != "" {
			_ = os.Remove(path)
		}
		pub.data.release()
	}
	close(stop)
	<-stopped
}
