//go:build linux

package filesystems

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var copies = flag.Int("copies", 7, "how often TestCopies copies a live directory")

// A copier copies a directory, or a part of what it costs a slow one.
type copier struct {
	name string
	copy func(from, to string) error
}

var copiers = []copier{
	{"cp", func(from, to string) error { return command("cp", "-r", from, to) }},
	{"cp --reflink=always", func(from, to string) error { return command("cp", "-r", "--reflink=always", from, to) }},
	{"tar", func(from, to string) error { return copyByTar(from, to, 0) }},
	{"rsync", func(from, to string) error { return command("rsync", "-a", from+"/", to+"/") }},
	{"tar, 1 MB/s", func(from, to string) error { return copyByTar(from, to, 1<<20) }},
	{"tar, 0.1 MB/s", func(from, to string) error { return copyByTar(from, to, 100<<10) }},
	{"rsync, 1 MB/s", func(from, to string) error { return command("rsync", "-a", "--bwlimit=1m", from+"/", to+"/") }},
}

func command(args ...string) error {
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%q: %w\n%s", args, err, out)
	}
	return nil
}

// copyByTar copies by tar. A reader that takes that many bytes a second makes it slow;
// 0: one that does not. Nothing is between the two but a page, so that tar reads its
// files as slowly.
func copyByTar(from, to string, rate int) error {
	if err := os.Mkdir(to, 0o755); err != nil {
		return err
	}
	read, write := exec.Command("tar", "-C", from, "-b", "8", "-cf", "-", "."), exec.Command("tar", "-C", to, "-xf", "-")
	out, err := read.StdoutPipe()
	if err != nil {
		return err
	}
	const setPipeSize, page = 1031, 4096
	if _, _, errno := syscall.Syscall(syscall.SYS_FCNTL, out.(*os.File).Fd(), setPipeSize, page); errno != 0 && rate > 0 {
		return errno
	}
	in, err := write.StdinPipe()
	if err != nil {
		return err
	}
	if err := write.Start(); err != nil {
		return err
	}
	if err := read.Start(); err != nil {
		return err
	}
	block := make([]byte, page)
	for began, n := time.Now(), 0; err == nil; {
		var m int
		m, err = io.ReadFull(out, block)
		_, _ = in.Write(block[:m]) // an error is that of Wait, too
		if n += m; rate > 0 {
			time.Sleep(time.Duration(n)*time.Second/time.Duration(rate) - time.Since(began))
		}
	}
	in.Close()
	// tar ends with status 1 if a file was there when it began and is gone.
	if err := read.Wait(); err != nil && read.ProcessState.ExitCode() != 1 {
		return fmt.Errorf("tar: %w", err)
	}
	return write.Wait()
}

// TestCopies copies a directory while processes write to it, start, are killed, and
// are joined, and looks whether the copy knows what was called before.
func TestCopies(t *testing.T) {
	marked, _ := buildPrograms(t, manyFunctions)
	p := newPlace(t, marked)
	defer p.leave()
	usable := usableCopiers(p)
	calls := newCalls()
	live := startLive(t, p, calls)
	time.Sleep(settled + time.Second) // so that there is something to know

	done := map[string]copied{}
	var mu sync.Mutex
	turns := make(chan int)
	copyAll := func() {
		for i := range turns {
			c := usable[i%len(usable)]
			r := c.try(t, p.dir, filepath.Join(p.root, fmt.Sprint("copy", i)), calls)
			mu.Lock()
			n := done[c.name]
			done[c.name] = copied{n.copies + r.copies, n.losses + r.losses, n.known + r.known}
			mu.Unlock()
		}
	}
	wait := together(copyAll, copyAll, copyAll, copyAll)
	for i := range *copies {
		turns <- i
	}
	close(turns)
	wait()
	live.stop()
	for _, c := range usable {
		n := done[c.name]
		t.Logf("%-20s %4d copies, %d with losses; %d calls known", c.name, n.copies, n.losses, n.known)
	}
}

// usableCopiers returns those that can be used here. The data directory is on XFS
// from now on if that is possible.
func usableCopiers(p *place) []copier {
	p.t.Helper()
	_, noXFS := exec.LookPath("mkfs.xfs")
	_, noRsync := exec.LookPath("rsync")
	if noXFS == nil && os.Getenv(ownMounts) == "" {
		noXFS = errors.New("only root mounts file systems")
	}
	if noXFS == nil {
		p.device(p.scratch, "xfs", "2G", "", "mkfs.xfs", "-q")
	}
	return slices.DeleteFunc(slices.Clone(copiers), func(c copier) bool {
		var lacking error
		if strings.Contains(c.name, "reflink") {
			lacking = noXFS
		} else if strings.HasPrefix(c.name, "rsync") {
			lacking = noRsync
		}
		if lacking != nil {
			p.t.Logf("without %s: %v", c.name, lacking)
		}
		return lacking != nil
	})
}

// copied counts copies, those that lack something, and calls that are known to them.
type copied struct{ copies, losses, known int }

// try copies a directory and looks for what was called.
func (c copier) try(t *testing.T, from, to string, calls *calls) copied {
	t.Helper()
	defer os.RemoveAll(to)
	want := calls.before(time.Now().Add(-settled))
	if len(want) == 0 {
		t.Error("nothing was called before the copy began")
	}
	if err := c.copy(from, to); err != nil && !vanished(err) {
		t.Error(err)
		return copied{}
	}
	k := reportOfCopy(t, to)
	var lost []int
	for _, i := range want {
		if !k.called[i] {
			lost = append(lost, i)
		}
	}
	if len(lost) > 0 || k.err != nil {
		t.Errorf("a copy by %s: %d of %d calls are not known: %.100s; the report: %s, %v %.300s", c.name, len(lost), len(want), fmt.Sprint(lost), k.status, k.err, k.stderr)
	}
	return copied{1, min(1, len(lost)), len(want) - len(lost)}
}

// vanished reports whether a copier only complains that a file was removed meanwhile.
func vanished(err error) bool {
	for line := range strings.Lines(err.Error()) {
		if strings.Contains(line, "exit status") || strings.TrimSpace(line) == "" {
			continue
		}
		if !strings.Contains(line, "No such file or directory") && !strings.Contains(line, "vanished") && !strings.Contains(line, "some files") {
			return false
		}
	}
	return true
}

// reportOfCopy reads a copy as another machine does: where nothing is but the copy.
func reportOfCopy(t *testing.T, dir string) knowledge {
	t.Helper()
	var elsewhere []string
	if os.Getenv(ownMounts) != "" {
		elsewhere = []string{"unshare", "-m", "sh", "-c", `mount -t tmpfs none /dev/shm && exec "$@"`, "sh"}
	}
	return report(t, elsewhere, dir)
}

// calls are what was called, and since when that is known to somebody else.
type calls struct {
	mu    sync.Mutex
	since map[int]time.Time
}

func newCalls() *calls { return &calls{since: map[int]time.Time{}} }

func (c *calls) add(called []call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, call := range called {
		if _, ok := c.since[call.function]; !ok {
			c.since[call.function] = call.printed
		}
	}
}

// before returns the functions that were called before a time.
func (c *calls) before(when time.Time) []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	var before []int
	for i, since := range c.since {
		if since.Before(when) {
			before = append(before, i)
		}
	}
	return before
}

// live are processes that write to the directory all the time.
type live struct {
	ended chan bool
	all   sync.WaitGroup
}

func (l *live) stop() {
	close(l.ended)
	l.all.Wait()
}

// startLive starts a process that goes through most functions, and others that come
// and go: each second one ends by itself, and is killed. What the killed ones called
// is in memory until the next process comes, so no copy has to know it.
func startLive(t *testing.T, p *place, known *calls) *live {
	t.Helper()
	l := &live{ended: make(chan bool)}
	const reserved = 2000 // for those that come and go
	loop := func(body func(i int) bool) {
		l.all.Add(1)
		go func() {
			defer l.all.Done()
			for i := 0; ; i++ {
				select {
				case <-l.ended:
					return
				default:
				}
				if !body(i) {
					return
				}
			}
		}()
	}
	long := start(p.dir, p.marked, nil, nil)
	const step = 20
	loop(func(i int) bool {
		n, from := len(long.called), i*step%(manyFunctions-reserved)
		long.tell("run %d %d 200", from, from+step)
		known.add(long.called[n:])
		if long.err != nil {
			t.Errorf("the process: %v\n%s", long.err, long.stderr.String())
		}
		return long.err == nil
	})
	p.undo = append(p.undo, func() { long.finish("kill") })
	loop(func(i int) bool {
		from := manyFunctions - reserved + i%reserved
		q := start(p.dir, p.marked, nil, nil)
		q.tell("run %d %d 300", from, from+1)
		q.finish([]string{"exit 0", "kill"}[i%2])
		if q.err != nil {
			t.Errorf("a process that comes and goes: %v\n%s", q.err, q.stderr.String())
		} else if i%2 == 0 {
			known.add([]call{{from, time.Now()}})
		}
		time.Sleep(500 * time.Millisecond)
		return q.err == nil
	})
	return l
}
