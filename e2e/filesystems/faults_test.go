//go:build linux

// Which faults there are, and what is promised of each.

package filesystems

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// exitTimeout is what a file system that does not answer may hold up a start or an exit.
const exitTimeout = 2 * time.Second

// A fault is what goes wrong, where, and when. The promises are the steps whose hits
// are known afterwards.
type fault struct {
	name   string
	usual  bool          // is tried without -all, for its kind
	make   func(*place)  // makes the place, and what is wrong with it from the start
	strike func(*place)  // during the second step; may be nil
	atEnd  func(*place)  // just before the end; may be nil
	lasts  time.Duration // of the second step; 0: 2 s
	exit   string        // the promise to a process that exits
	kill   string        // the promise to one that is killed
	waits  time.Duration // how long the file system may hold up start and exit
	says   bool          // hitrt has to say something on standard error
}

var faults = []fault{
	{name: "none, ext4", usual: true, make: func(p *place) { p.ext4("") }, exit: "123", kill: "123"},
	{name: "none, XFS", make: func(p *place) { p.xfs() }, exit: "123", kill: "123"},
	{name: "none, btrfs", make: func(p *place) { p.btrfs() }, exit: "123", kill: "123"},
	{name: "none, overlay", make: func(p *place) { p.overlay(p.ext4("")) }, exit: "123", kill: "123"},
	{name: "none, FUSE", make: (*place).fuse, exit: "123", kill: "123"},
	{name: "none, tmpfs", make: func(p *place) { p.tmpfs("1m") }, exit: "123", kill: "123"},

	{name: "XFS, reflink copy, then full", usual: true, make: func(p *place) { p.xfs() }, strike: (*place).copyAndFill, exit: "123", kill: "123"},
	{name: "overlay on XFS, reflink copy, then full", make: func(p *place) { p.overlay(p.xfs()) }, strike: (*place).copyAndFill, exit: "123", kill: "123"},
	{name: "overlay on btrfs, then full", make: func(p *place) { p.overlay(p.btrfs()) }, strike: func(p *place) { p.fill(p.path("btrfs")) }, exit: "123", kill: "123"},
	{name: "btrfs, then full", make: func(p *place) { p.btrfs() }, strike: func(p *place) { p.fill(p.root) }, exit: "123", kill: "123"},
	{name: "ext4, then full", make: func(p *place) { p.ext4("") }, strike: func(p *place) { p.fill(p.root) }, exit: "123", kill: "123"},
	{name: "ext4, full from the start", usual: true, make: func(p *place) { p.ext4(""); p.fill(p.root) }, says: true},
	{name: "ext4, holes dug into live files, then full", make: func(p *place) { p.ext4("") }, strike: digAndFill, exit: "123", kill: "123"},
	{name: "tmpfs, then full", make: func(p *place) { p.tmpfs("1m") }, strike: func(p *place) { p.fill(p.root) }, exit: "123", kill: "123"},
	{name: "tmpfs, full from the start", make: func(p *place) { p.tmpfs("1m"); p.fill(p.root) }, says: true},

	{name: "ext4 on a sparse device, host full", make: func(p *place) { p.nested(p.ext4("")) }, strike: func(p *place) { p.fill(p.path("ext4")) }},
	{name: "ext4, device gone", make: func(p *place) { p.nested(p.ext4("")) }, strike: func(p *place) { p.shutDown(p.path("ext4")) }},
	{name: "ext4 shut down", usual: true, make: func(p *place) { p.ext4("") }, strike: func(p *place) { p.shutDown(p.root) }},
	{name: "XFS shut down", make: func(p *place) { p.xfs() }, strike: func(p *place) { p.shutDown(p.root) }},
	{name: "ext4, data=journal, aborted", make: func(p *place) { p.ext4(",data=journal") }, strike: func(p *place) { p.do("mount", "-o", "remount,abort", p.root) }},
	{name: "ext4, read-only after an error", usual: true, make: func(p *place) { p.ext4(",errors=remount-ro") }, strike: (*place).fail, exit: "123", kill: "123"},
	{name: "ext4, read-only from the start", make: func(p *place) { p.ext4(""); p.check(os.Mkdir(p.dir, 0o755)); p.do("mount", "-o", "remount,ro", p.root) }, says: true},

	{name: "frozen for 10 s", make: func(p *place) { p.ext4("") }, strike: (*place).freeze, lasts: 11 * time.Second, exit: "123", kill: "123"},
	{name: "frozen for 10 s from the start", usual: true, make: func(p *place) { p.ext4(""); p.check(os.Mkdir(p.dir, 0o755)); p.freeze() }, lasts: 11 * time.Second, exit: "123", kill: "123", waits: exitTimeout},
	{name: "frozen for 10 s at the end", make: func(p *place) { p.ext4("") }, atEnd: (*place).freeze, exit: "123", kill: "123", waits: 10 * time.Second},

	{name: "quota of btrfs used up", usual: true, make: (*place).subvolume, strike: func(p *place) { p.do("btrfs", "qgroup", "limit", "16k", p.root) }, exit: "123", kill: "123"},
	{name: "no inode left", make: func(p *place) { p.ext4("", "-N", "64") }, strike: (*place).useInodes, exit: "123", kill: "123"},
	{name: "no inode left from the start", make: func(p *place) { p.ext4("", "-N", "64"); p.check(os.Mkdir(p.dir, 0o755)); p.useInodes() }, says: true},
	{name: "live files immutable (chattr +i)", make: func(p *place) { p.ext4("") }, strike: func(p *place) { p.do(append([]string{"chattr", "+i"}, p.files()...)...) }, exit: "123", kill: "123"},

	{name: "shared memory full from the start", usual: true, make: func(p *place) {
		p.own("mount -t tmpfs -o size=64k none /dev/shm; ! cat /dev/zero 2>/dev/null >/dev/shm/filler")
	}, exit: "123", kill: "12"},
	{name: "shared memory full later", make: func(p *place) { p.own("mount -t tmpfs -o size=1m none /dev/shm") }, strike: fillShared, exit: "123", kill: "12"},
	{name: "shared memory is no tmpfs", make: func(p *place) { p.own("mount --bind " + p.mkdir("empty") + " /dev/shm") }, exit: "123", kill: "12"},
	{name: "shared memory read-only", make: func(p *place) { p.own("mount -t tmpfs -o ro none /dev/shm") }, exit: "123", kill: "12"},
	{name: "no shared memory", make: func(p *place) { p.own("mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3") }, exit: "123", kill: "12"},
	{name: "shared memory emptied later", usual: true, make: func(p *place) { p.own("mount -t tmpfs none /dev/shm") }, strike: emptyShared, exit: "123", kill: "12"},
	{name: "FIFOs in shared memory", make: func(p *place) { p.usedShared(`rm -rf "$f" && mkfifo "$f"`) }, exit: "123", kill: "12"},
	{name: "shared memory has another user's directory", make: func(p *place) { p.usedShared(fmt.Sprintf(`chmod -R 0777 "$f" && chown -R %d "$f"`, firstUser)) }, exit: "123", kill: "12"},

	{name: "memory cgroup at its limit", make: func(p *place) { p.memory(48 << 20) }, exit: "123", kill: "123"},
	{name: "7 descriptors", make: func(p *place) { p.wrap = []string{"prlimit", "--nofile=7"} }, exit: "123", kill: "12"},
	{name: "6 descriptors", usual: true, make: func(p *place) { p.wrap = []string{"prlimit", "--nofile=6"} }, exit: "123", kill: "12"},
	{name: "5 descriptors, all in use", make: func(p *place) { p.wrap = []string{"prlimit", "--nofile=5"} }, exit: "123", kill: "12"},

	{name: "log file is a FIFO", make: fifoLog, exit: "123", kill: "123"},
	{name: "FIFOs named as files of an earlier process", make: func(p *place) { p.earlier(2 * perProcess); p.fifos() }, exit: "123", kill: "123"},
	{name: "FIFOs in the place of live files", make: func(p *place) {}, strike: (*place).fifos},
	{name: "hits file of 1 TB", usual: true, make: func(p *place) { p.ext4(""); p.large(".hits", "1T") }, exit: "123", kill: "123"},
	{name: "codebase file of 64 GB", make: func(p *place) { p.ext4(""); p.large(".json", "64G") }, exit: "123", kill: "123"},
	{name: "directory of another user (0700)", make: othersDirectory, says: true},
	{name: "directory of all (1777), files of another user (0600)", usual: true, make: sharedDirectory, exit: "123", kill: "123"},

	{name: "FUSE, server killed", usual: true, make: (*place).fuse, strike: func(p *place) { p.check(p.server.Kill()) }},
	{name: "FUSE, server stopped for 10 s", make: (*place).fuse, strike: (*place).stopServer, lasts: 11 * time.Second, exit: "123", kill: "123"},
}

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

// emptyShared removes all that processes have in shared memory, as systemd does when a
// user logs out (RemoveIPC).
func emptyShared(p *place) {
	p.t.Helper()
	for _, q := range p.running {
		left, err := filepath.Glob(fmt.Sprintf("/proc/%d/root/dev/shm/*", q.cmd.Process.Pid))
		p.check(err)
		for _, name := range left {
			p.check(os.RemoveAll(name))
		}
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
	p.must = append(p.must, 2*perProcess)
	if suffix == ".hits" {
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
