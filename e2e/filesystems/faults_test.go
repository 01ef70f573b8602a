//go:build linux

package filesystems

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// Each process calls functions in three steps: before the fault, during it, and at its
// end. In between it waits for settled: a second, one until hits are written at the
// latest, and half a one for a busy machine.
const (
	perProcess = 40
	settled    = 2500 * time.Millisecond
)

var steps = []struct{ from, to int }{{0, 10}, {10, 30}, {30, 40}}

// A fault is what goes wrong, where, and when. The promises are the steps whose hits
// are known afterwards.
type fault struct {
	name   string
	make   func(*place)  // makes the place, and what is wrong with it from the start
	strike func(*place)  // between the first step and the second; may be nil
	atEnd  func(*place)  // just before the end; may be nil
	lasts  time.Duration // of the second step; 0: 2 s
	exit   string        // the promise to a process that exits
	kill   string        // the promise to one that is killed
	waits  time.Duration // how long the file system may hold up start and exit
	says   bool          // hitrt has to say something on standard error
}

var faults = []fault{
	{name: "none, ext4", make: func(p *place) { p.ext4("") }, exit: "123", kill: "123"},
	{name: "none, XFS", make: func(p *place) { p.xfs() }, exit: "123", kill: "123"},
	{name: "none, btrfs", make: func(p *place) { p.btrfs() }, exit: "123", kill: "123"},
	{name: "none, overlay", make: func(p *place) { p.overlay(p.ext4("")) }, exit: "123", kill: "123"},
	{name: "none, FUSE", make: (*place).fuse, exit: "123", kill: "123"},
	{name: "none, tmpfs", make: func(p *place) { p.tmpfs("1m") }, exit: "123", kill: "123"},

	{name: "XFS, reflink copy, then full", make: func(p *place) { p.xfs() }, strike: (*place).copyAndFill, exit: "123", kill: "123"},
	{name: "overlay on XFS, reflink copy, then full", make: func(p *place) { p.overlay(p.xfs()) }, strike: (*place).copyAndFill, exit: "123", kill: "123"},
	{name: "overlay on btrfs, then full", make: func(p *place) { p.overlay(p.btrfs()) }, strike: func(p *place) { p.fill(p.path("btrfs")) }, exit: "123", kill: "123"},
	{name: "btrfs, then full", make: func(p *place) { p.btrfs() }, strike: func(p *place) { p.fill(p.root) }, exit: "123", kill: "123"},
	{name: "ext4, then full", make: func(p *place) { p.ext4("") }, strike: func(p *place) { p.fill(p.root) }, exit: "123", kill: "123"},
	{name: "ext4, full from the start", make: func(p *place) { p.ext4(""); p.fill(p.root) }, says: true},
	{name: "ext4, holes dug into live files, then full", make: func(p *place) { p.ext4("") }, strike: digAndFill, exit: "123", kill: "123"},
	{name: "tmpfs, then full", make: func(p *place) { p.tmpfs("1m") }, strike: func(p *place) { p.fill(p.root) }, exit: "123", kill: "123"},
	{name: "tmpfs, full from the start", make: func(p *place) { p.tmpfs("1m"); p.fill(p.root) }, says: true},

	{name: "ext4 on a sparse device, host full", make: func(p *place) { p.nested(p.ext4("")) }, strike: func(p *place) { p.fill(p.path("ext4")) }},
	{name: "ext4, device gone", make: func(p *place) { p.nested(p.ext4("")) }, strike: func(p *place) { p.shutDown(p.path("ext4")) }},
	{name: "ext4 shut down", make: func(p *place) { p.ext4("") }, strike: func(p *place) { p.shutDown(p.root) }},
	{name: "XFS shut down", make: func(p *place) { p.xfs() }, strike: func(p *place) { p.shutDown(p.root) }},
	{name: "ext4, data=journal, aborted", make: func(p *place) { p.ext4(",data=journal") }, strike: func(p *place) { p.do("mount", "-o", "remount,abort", p.root) }},
	{name: "ext4, read-only after an error", make: func(p *place) { p.ext4(",errors=remount-ro") }, strike: (*place).fail, exit: "123", kill: "123"},
	{name: "ext4, read-only from the start", make: func(p *place) { p.ext4(""); p.check(os.Mkdir(p.dir, 0o755)); p.do("mount", "-o", "remount,ro", p.root) }, says: true},

	{name: "frozen for 10 s", make: func(p *place) { p.ext4("") }, strike: (*place).freeze, lasts: 11 * time.Second, exit: "123", kill: "123"},
	{name: "frozen for 10 s from the start", make: func(p *place) { p.ext4(""); p.check(os.Mkdir(p.dir, 0o755)); p.freeze() }, lasts: 11 * time.Second, exit: "123", kill: "123", waits: exitTimeout},
	{name: "frozen for 10 s at the end", make: func(p *place) { p.ext4("") }, atEnd: (*place).freeze, exit: "123", kill: "123", waits: 10 * time.Second},

	{name: "quota of btrfs used up", make: (*place).subvolume, strike: func(p *place) { p.do("btrfs", "qgroup", "limit", "16k", p.root) }, exit: "123", kill: "123"},
	{name: "no inode left", make: func(p *place) { p.ext4("", "-N", "64") }, strike: (*place).useInodes, exit: "123", kill: "123"},
	{name: "no inode left from the start", make: func(p *place) { p.ext4("", "-N", "64"); p.check(os.Mkdir(p.dir, 0o755)); p.useInodes() }, says: true},
	{name: "live files immutable (chattr +i)", make: func(p *place) { p.ext4("") }, strike: func(p *place) { p.do(append([]string{"chattr", "+i"}, p.files()...)...) }, exit: "123", kill: "123"},

	{name: "/dev/shm full from the start", make: func(p *place) {
		p.own("mount -t tmpfs -o size=64k none /dev/shm; ! cat /dev/zero 2>/dev/null >/dev/shm/filler")
	}, exit: "123", kill: "12"},
	{name: "/dev/shm full later", make: func(p *place) { p.own("mount -t tmpfs -o size=1m none /dev/shm") }, strike: fillShared, exit: "123", kill: "12"},
	{name: "/dev/shm not a tmpfs", make: func(p *place) { p.own("mount --bind " + p.mkdir("empty") + " /dev/shm") }, exit: "123", kill: "12"},
	{name: "/dev/shm read-only", make: func(p *place) { p.own("mount -t tmpfs -o ro none /dev/shm") }, exit: "123", kill: "12"},
	{name: "no /dev/shm", make: func(p *place) { p.own("mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3") }, exit: "123", kill: "12"},

	{name: "memory cgroup at its limit", make: func(p *place) { p.memory(48 << 20) }, exit: "123", kill: "123"},
	{name: "7 descriptors", make: func(p *place) { p.wrap = []string{"prlimit", "--nofile=7"} }, exit: "123", kill: "12"},
	{name: "4 descriptors", make: func(p *place) { p.wrap = []string{"prlimit", "--nofile=4"} }, exit: "123", kill: "12"},

	{name: "log file is a FIFO", make: fifoLog, exit: "123", kill: "123"},
	{name: "FIFOs named as files of an earlier process", make: func(p *place) { p.earlier(80); p.fifos() }, exit: "123", kill: "123"},
	{name: "FIFOs in the place of live files", make: func(p *place) {}, strike: (*place).fifos},
	{name: "hits file of 1 TB", make: func(p *place) { p.ext4(""); p.large(".hits", "1T") }, exit: "123", kill: "123"},
	{name: "codebase file of 64 GB", make: func(p *place) { p.ext4(""); p.large(".json", "64G") }, exit: "123", kill: "123"},
	{name: "directory of another user (0700)", make: othersDirectory, says: true},
	{name: "directory of all (1777), files of another user (0600)", make: sharedDirectory, exit: "123", kill: "123"},

	{name: "FUSE, server killed", make: (*place).fuse, strike: func(p *place) { p.check(p.server.Kill()) }},
	{name: "FUSE, server stopped for 10 s", make: (*place).fuse, strike: (*place).stopServer, lasts: 11 * time.Second, exit: "123", kill: "123"},
}

// exitTimeout is what a file system that does not answer may hold up a start or an exit.
const exitTimeout = 2 * time.Second

// TestFilesystems makes each fault happen to three processes at once: one that exits,
// one that is killed, and the plain program, which both have to be like.
func TestFilesystems(t *testing.T) {
	marked, plain := buildPrograms(t, 2*perProcess+10)
	var table results
	t.Cleanup(func() { t.Logf("\n%s", &table) })
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			t.Cleanup(func() {
				if t.Skipped() {
					table.add(f.name + "\tskipped")
				}
			})
			// Other processes of the machine slow calls down, too. What is slow
			// because of the fault is slow each time.
			const tries = 3
			for i := 1; ; i++ {
				r := f.try(t, marked, plain)
				if len(r.slow) > 0 && i < tries && !t.Failed() {
					t.Logf("again: %s", strings.Join(r.slow, "; "))
					continue
				}
				table.add(r.row(f))
				r.judge(t, f)
				return
			}
		})
	}
}

// A result is what a fault did.
type result struct {
	exits, killed, plain *process
	known                knowledge
	must                 []int
	slow                 []string // what took longer than in the plain program
	harm                 []string // what else is not as there
}

// try makes a fault happen.
func (f fault) try(t *testing.T, marked, plain string) result {
	t.Helper()
	p := newPlace(t, marked)
	defer p.leave()
	f.make(p)
	var r result
	together(
		func() { r.exits = start(p.dir, marked, p.wrap, p.env) },
		func() { r.killed = start(p.dir, marked, p.wrap, p.env) },
		func() { r.plain = start(p.dir, plain, p.wrap, p.env) })
	p.running = []*process{r.exits, r.killed, r.plain}
	for _, q := range p.running {
		p.undo = append(p.undo, func() { _ = q.cmd.Process.Kill() })
	}
	for i, step := range steps {
		over := 200 * time.Millisecond
		if i == 1 {
			over = max(f.lasts, 2*time.Second)
		}
		tell := func(q *process, offset int) func() {
			return func() { q.tell("run %d %d %d", step.from+offset, step.to+offset, over.Milliseconds()) }
		}
		together(tell(r.exits, 0), tell(r.killed, perProcess), tell(r.plain, 0))
		if i < 2 {
			time.Sleep(settled)
		}
		if i == 0 && f.strike != nil {
			f.strike(p)
		}
	}
	together(func() { r.exits.tell("latency") }, func() { r.killed.tell("latency") }, func() { r.plain.tell("latency") })
	if f.atEnd != nil {
		f.atEnd(p)
	}
	together(func() { r.exits.finish("exit 3") }, func() { r.killed.finish("kill") }, func() { r.plain.finish("exit 3") })
	r.compare(f)
	r.must = p.must
	r.known = report(t, p.report, p.dir)
	return r
}

// together does everything at the same time.
func together(all ...func()) {
	var wg sync.WaitGroup
	for _, f := range all {
		wg.Add(1)
		go func() {
			defer wg.Done()
			f()
		}()
	}
	wg.Wait()
}

// ratio is how many times longer something may take than in the plain program, which
// does the same at the same time. What takes less than the floor there is as quick as
// that: on a machine of two processors a thread waits as long for one now and then.
const ratio = 20

func (r *result) compare(f fault) {
	slower := func(what string, got, want, floor, extra time.Duration) {
		if got > ratio*max(want, floor)+extra {
			r.slow = append(r.slow, fmt.Sprintf("%s took %v, in the plain program %v", what, got, want))
		}
	}
	for _, q := range []*process{r.exits, r.killed} {
		who := "the process that exits"
		if q == r.killed {
			who = "the process that is killed"
		}
		slower("the start of "+who, q.start, r.plain.start, 50*time.Millisecond, f.waits)
		slower("the worst call of "+who, q.worst, r.plain.worst, 10*time.Millisecond, 0)
		slower("the worst but one of 1,000 calls of "+who, q.slow, r.plain.slow, time.Millisecond, 0)
		slower("the end of "+who, q.exit, r.plain.exit, 50*time.Millisecond, f.waits)
		if q.err != nil {
			r.harm = append(r.harm, fmt.Sprintf("%s: %v (%s)\n%.200s", who, q.err, q.end, q.stderr.String()))
		} else if want := map[bool]string{true: r.plain.end, false: "signal: killed"}[q == r.exits]; q.end != want {
			r.harm = append(r.harm, fmt.Sprintf("%s: %s, want %s", who, q.end, want))
		} else if len(q.called) != len(r.plain.called) || q.others() != r.plain.others() {
			r.harm = append(r.harm, fmt.Sprintf("%s printed %d names, want %d; on standard error %q", who, len(q.called), len(r.plain.called), q.others()))
		}
		if f.says && !q.said() {
			r.harm = append(r.harm, who+" cannot write its file, and does not say so")
		}
	}
	if r.plain.err != nil || r.plain.end != "exit status 3" || len(r.plain.called) != perProcess {
		r.harm = []string{fmt.Sprintf("the fault harms the plain program, so it tests nothing: %v, %s", r.plain.err, r.plain.end)}
	}
}

// lost returns the functions that were called in these steps and are not known.
func (r *result) lost(q *process, promised string) []int {
	var lost []int
	for _, c := range q.called {
		i := slices.IndexFunc(steps, func(s struct{ from, to int }) bool { return c.function%perProcess < s.to })
		if strings.Contains(promised, strconv.Itoa(i+1)) && !r.known.called[c.function] {
			lost = append(lost, c.function)
		}
	}
	return lost
}

// judge fails the test for what is not as promised.
func (r *result) judge(t *testing.T, f fault) {
	t.Helper()
	for _, harm := range slices.Concat(r.harm, r.slow) {
		t.Error(harm)
	}
	if lost := r.lost(r.exits, f.exit); len(lost) > 0 {
		t.Errorf("the process that exits called %v, and that is not known", lost)
	}
	if lost := r.lost(r.killed, f.kill); len(lost) > 0 {
		t.Errorf("the process that is killed called %v, and that is not known", lost)
	}
	for _, i := range r.must {
		if !r.known.called[i] {
			t.Errorf("an earlier process called %d, and that is not known", i)
		}
	}
	if n := len(r.lost(r.exits, "123")) + len(r.lost(r.killed, "123")); n > 0 && r.known.silent() {
		t.Errorf("%d calls are not known, and the report does not say that anything is missing", n)
	}
	for i := range r.known.called {
		if !called(r.exits, i) && !called(r.killed, i) && !slices.Contains(r.must, i) {
			t.Errorf("%d is reported as called, and was not", i)
		}
	}
	if r.known.err != nil {
		t.Error(r.known.err)
	}
}

func called(p *process, function int) bool {
	return slices.ContainsFunc(p.called, func(c call) bool { return c.function == function })
}

// row is the line of the table.
func (r *result) row(f fault) string {
	unharmed := "yes"
	if len(r.harm) > 0 {
		unharmed = "no"
	} else if len(r.slow) > 0 {
		unharmed = "slow"
	}
	lostExit, lostKill := len(r.lost(r.exits, "123")), len(r.lost(r.killed, "123"))
	calls := len(r.exits.called) + len(r.killed.called)
	millis := func(marked, plain time.Duration) string {
		return fmt.Sprintf("%.2f/%.2f", marked.Seconds()*1000, plain.Seconds()*1000)
	}
	return strings.Join([]string{
		f.name, unharmed,
		millis(max(r.exits.slow, r.killed.slow), r.plain.slow), millis(max(r.exits.worst, r.killed.worst), r.plain.worst),
		millis(max(r.exits.start, r.killed.start), r.plain.start), millis(r.exits.exit, r.plain.exit), millis(r.killed.exit, r.plain.exit),
		fmt.Sprint(calls), fmt.Sprint(calls - lostExit - lostKill), fmt.Sprintf("%d+%d", lostExit, lostKill),
		fmt.Sprintf("%s+%s", orNone(f.exit), orNone(f.kill)), r.known.status,
	}, "\t")
}

func orNone(steps string) string {
	if steps == "" {
		return "none"
	}
	return steps
}

// results are the rows of the table.
type results struct {
	mu   sync.Mutex
	rows []string
}

func (r *results) add(row string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rows = append(r.rows, row)
}

func (r *results) String() string {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "milliseconds: marked/plain; steps of calls: 1 before the fault, 2 during it, 3 at the end; +: of the process that exits, and of the killed one")
	fmt.Fprintln(w, "FAULT\tUNHARMED\tCALL 99.9 %\tWORST CALL\tSTART\tEXIT\tKILL\tHITS SET\tKNOWN\tLOST\tPROMISED\tREPORT")
	order := func(row string) int {
		return slices.IndexFunc(faults, func(f fault) bool { return strings.HasPrefix(row, f.name+"\t") })
	}
	slices.SortFunc(r.rows, func(a, b string) int { return order(a) - order(b) })
	for _, row := range r.rows {
		fmt.Fprintln(w, row)
	}
	_ = w.Flush()
	return b.String()
}

// What a report says.
type knowledge struct {
	called map[int]bool
	status string // how it ended
	stderr string
	err    error // it is no report
}

// silent reports whether it says that all is well.
func (k knowledge) silent() bool { return k.status == "exit status 0" && k.stderr == "" }

// report reads what is known in a data directory.
func report(t *testing.T, wrap []string, dir string) knowledge {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), hang)
	defer cancel()
	args := append(wrap[:len(wrap):len(wrap)], wrapperFile(t), "report", "--format=json", dir)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.WaitDelay = time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	k := knowledge{called: map[int]bool{}, status: "exit status 0", stderr: stderr.String()}
	if err != nil {
		k.status = err.Error()
	}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		k.err = fmt.Errorf("the report hangs: %s", k.stderr)
	case err != nil && (!errors.As(err, &exit) || exit.ExitCode() < 0 || strings.Contains(k.stderr, "goroutine ")):
		k.err = fmt.Errorf("the report: %w\n%.2000s", err, k.stderr)
	}
	var read struct{ Functions []program.ReportedFunction }
	if stdout.Len() > 0 && k.err == nil {
		k.err = json.Unmarshal(stdout.Bytes(), &read)
	}
	for _, f := range read.Functions {
		if i, err := strconv.Atoi(strings.TrimPrefix(f.Name, "f")); err == nil && f.Status == "called" {
			k.called[i] = true
		}
	}
	return k
}

// What is special to one row or two.

// nested makes a device out of a sparse file on another file system, larger than that.
func (p *place) nested(host string) {
	p.t.Helper()
	p.device(host, "nested", "256M", "", "mkfs.ext4", "-q")
}

// copyAndFill lets the live files share their blocks with a copy, as cp does by
// itself, and leaves no room for blocks of their own.
func (p *place) copyAndFill() {
	p.t.Helper()
	under := p.root
	if under == p.path("overlay") {
		under = p.path("xfs")
		p.do("cp", "-r", "--reflink=always", filepath.Join(under, "upper", "data"), filepath.Join(under, "copy"))
	} else {
		p.do("cp", "-r", "--reflink=always", p.dir, filepath.Join(under, "copy"))
	}
	p.fill(under)
}

func digAndFill(p *place) {
	p.t.Helper()
	p.do("sync")
	for _, file := range p.files() {
		p.do("fallocate", "-d", file)
	}
	p.fill(p.root)
}

// subvolume makes a subvolume of btrfs, whose size can be limited.
func (p *place) subvolume() {
	p.t.Helper()
	p.btrfs()
	p.do("btrfs", "quota", "enable", p.root)
	p.root = filepath.Join(p.root, "sub")
	p.do("btrfs", "subvolume", "create", p.root)
	p.dir = filepath.Join(p.root, "data")
}

// fillShared fills the tmpfs of each process.
func fillShared(p *place) {
	p.t.Helper()
	for _, q := range p.running {
		p.fill(fmt.Sprintf("/proc/%d/root/dev/shm", q.cmd.Process.Pid))
	}
}

func fifoLog(p *place) {
	p.t.Helper()
	name := p.path("log")
	p.check(syscall.Mkfifo(name, 0o666))
	p.env = []string{"SCAVENGER_LOG_FILE=" + name, "SCAVENGER_LOG_LEVEL=debug"}
}

// large puts a sparse file beside the files of an earlier process, or in the place of
// its codebase file. Nobody may take memory for what such a file claims to hold.
func (p *place) large(suffix, size string) {
	p.t.Helper()
	p.earlier(2 * perProcess)
	i := slices.IndexFunc(p.files(), func(name string) bool { return strings.HasSuffix(name, suffix) })
	if i < 0 {
		p.t.Fatalf("no file of %q ends with %s", p.files(), suffix)
	}
	file := p.files()[i]
	if suffix == ".hits" {
		p.must = append(p.must, 2*perProcess)
		other := strings.TrimSuffix(file, suffix) + "0" + suffix
		p.do("cp", file, other)
		file = other
	} else {
		p.check(os.Truncate(file, 0))
	}
	p.do("truncate", "-s", size, file)
	p.wrap = []string{"prlimit", fmt.Sprint("--as=", 3<<30)}
	p.report = p.wrap
}

const firstUser, secondUser = 64001, 64002

// othersDirectory is a directory that only another user may enter.
func othersDirectory(p *place) {
	p.t.Helper()
	p.needRoot()
	p.check(os.Chmod(p.mkdir("data"), 0o700))
	p.check(os.Chown(p.dir, firstUser, firstUser))
	p.earlier(2*perProcess, user(firstUser)...)
	p.must = append(p.must, 2*perProcess)
	p.wrap = user(secondUser)
}

// sharedDirectory is a directory like /tmp, where another user has files.
func sharedDirectory(p *place) {
	p.t.Helper()
	p.needRoot()
	p.check(os.Chmod(p.mkdir("data"), 0o777|os.ModeSticky))
	p.earlier(2*perProcess, user(firstUser)...)
	p.must = append(p.must, 2*perProcess)
	p.wrap = user(secondUser)
}
