//go:build linux

// File systems of their own, and what goes wrong with them.

package filesystems

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// A place is where programs run and something goes wrong.
type place struct {
	t       *testing.T
	scratch string   // a directory that everybody may enter
	dir     string   // the data directory
	root    string   // where its file system is mounted
	wrap    []string // what starts the programs
	env     []string
	report  []string // what starts the report
	must    []int    // functions that are to be known besides those of the row's processes
	marked  string   // the program
	running []*process
	server  *os.Process // of FUSE
	skipped string      // why nothing can be tried here
	undo    []func()
}

func newPlace(t *testing.T, marked string) *place {
	t.Helper()
	scratch, err := os.MkdirTemp("", "scavenger-place-")
	if err == nil {
		err = os.Chmod(scratch, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, scratch: scratch, marked: marked}
	p.undo = append(p.undo, func() { _ = os.RemoveAll(scratch) })
	p.dir, p.root = p.path("data"), scratch
	return p
}

// leave undoes what was done to make the place, the last thing first.
func (p *place) leave() {
	for _, undo := range slices.Backward(p.undo) {
		undo()
	}
	p.undo = nil
}

func (p *place) path(elements ...string) string {
	return filepath.Join(append([]string{p.scratch}, elements...)...)
}

// mkdir makes a directory in the scratch directory.
func (p *place) mkdir(name string) string {
	p.t.Helper()
	dir := p.path(name)
	p.check(os.MkdirAll(dir, 0o755))
	return dir
}

func (p *place) check(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// skip skips the test.
func (p *place) skip(why any) {
	p.t.Helper()
	p.skipped = strings.TrimSpace(fmt.Sprint(why))
	p.t.Skip(p.skipped)
}

// do runs a program that has to succeed. Where the machine or its kernel lacks what
// is needed, the test is skipped.
func (p *place) do(args ...string) string {
	p.t.Helper()
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	text := fmt.Sprintf("%s: %v %s", strings.Join(args, " "), err, out)
	switch {
	case errors.Is(err, exec.ErrNotFound):
		p.skip(err)
	case err != nil && args[0] == "mount" && (strings.Contains(text, "unknown filesystem type") || strings.Contains(text, "permission denied")):
		p.skip(text)
	case err != nil:
		p.t.Fatal(text)
	}
	return string(out)
}

// needRoot skips the test where nothing can be mounted.
func (p *place) needRoot() {
	p.t.Helper()
	if os.Getenv(ownMounts) == "" {
		p.skip("only root mounts file systems")
	}
}

// device makes a file system in a sparse file in dir, mounts it and returns where. The
// data directory is on it from now on.
func (p *place) device(dir, name, size, options string, mkfs ...string) string {
	p.t.Helper()
	p.needRoot()
	image := filepath.Join(dir, name+".img")
	p.do("truncate", "-s", size, image)
	p.do(append(mkfs, image)...)
	root := p.mkdir(name)
	p.do("mount", "-o", "loop"+options, image, root)
	return p.mounted(root)
}

// mounted takes a mounted file system for the data directory.
func (p *place) mounted(root string) string {
	p.undo = append(p.undo, func() {
		if exec.Command("umount", root).Run() != nil {
			_ = exec.Command("umount", "-l", root).Run()
		}
	})
	p.root, p.dir = root, filepath.Join(root, "data")
	return root
}

func (p *place) xfs() string {
	p.t.Helper()
	return p.device(p.scratch, "xfs", "320M", "", "mkfs.xfs", "-q") // no less is allowed
}

func (p *place) btrfs() string {
	p.t.Helper()
	return p.device(p.scratch, "btrfs", "160M", "", "mkfs.btrfs", "-q", "--mixed")
}

func (p *place) ext4(options string, mkfs ...string) string {
	p.t.Helper()
	return p.device(p.scratch, "ext4", "64M", options, append([]string{"mkfs.ext4", "-q"}, mkfs...)...)
}

func (p *place) tmpfs(size string) string {
	p.t.Helper()
	p.needRoot()
	root := p.mkdir("tmpfs")
	p.do("mount", "-t", "tmpfs", "-o", "size="+size, "none", root)
	return p.mounted(root)
}

// overlay puts an overlay over a file system, as a container has it.
func (p *place) overlay(under string) string {
	p.t.Helper()
	for _, name := range []string{"lower", "upper", "work"} {
		p.check(os.Mkdir(filepath.Join(under, name), 0o755))
	}
	root := p.mkdir("overlay")
	p.do("mount", "-t", "overlay", "-o", fmt.Sprintf("lowerdir=%[1]s/lower,upperdir=%[1]s/upper,workdir=%[1]s/work", under), "overlay", root)
	return p.mounted(root)
}

// fuse mounts a file system that a process serves.
func (p *place) fuse() {
	p.t.Helper()
	p.needRoot()
	image, root := p.path("fuse.img"), p.mkdir("fuse")
	if _, err := os.Stat("/dev/fuse"); err != nil {
		p.skip(err)
	}
	p.do("truncate", "-s", "64M", image)
	p.do("mkfs.ext4", "-q", image)
	p.server = p.background("fuse2fs", image, root, "-f", "-o", "fakeroot")
	for began := time.Now(); exec.Command("mountpoint", "-q", root).Run() != nil; time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > hang {
			p.t.Fatal("fuse2fs does not mount")
		}
	}
	p.mounted(root)
}

// stopServer stops the server of FUSE for ten seconds.
func (p *place) stopServer() {
	p.t.Helper()
	p.check(p.server.Signal(syscall.SIGSTOP))
	p.later(10*time.Second, func() { _ = p.server.Signal(syscall.SIGCONT) })
}

// background starts a program that runs until the place is left.
func (p *place) background(args ...string) *os.Process {
	p.t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := cmd.Start(); errors.Is(err, exec.ErrNotFound) {
		p.skip(err)
	} else {
		p.check(err)
	}
	p.undo = append(p.undo, func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
	return cmd.Process
}

// later does something after a while, but not after the place is left.
func (p *place) later(after time.Duration, do func()) {
	done := make(chan bool)
	timer := time.AfterFunc(after, func() { do(); close(done) })
	p.undo = append(p.undo, func() {
		if timer.Stop() {
			do()
		} else {
			<-done
		}
	})
}

// fill leaves no room in a file system.
func (p *place) fill(root string) {
	p.t.Helper()
	file, err := os.OpenFile(filepath.Join(root, "filler"), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	p.check(err)
	defer file.Close()
	end := int64(0)
	for size := int64(1 << 30); size >= 4096; size /= 2 {
		for {
			err := syscall.Fallocate(int(file.Fd()), 0, end, size)
			if err == nil {
				end += size
			} else if err != syscall.EINTR {
				break
			}
		}
	}
	// What cannot be allocated may be there all the same, in pieces or on systems
	// that only write.
	data := make([]byte, 4096)
	for _, err = file.Write(data); err == nil; {
		_, err = file.Write(data)
	}
	if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) && !errors.Is(err, syscall.EIO) {
		p.t.Fatal(err)
	}
	_ = file.Sync()
}

// freeze stops all writes to the file system for ten seconds, with somebody waiting
// to write all the time.
func (p *place) freeze() {
	p.t.Helper()
	p.background("sh", "-c", fmt.Sprintf("while :; do dd if=/dev/zero of=%s/load bs=64k count=64 conv=fsync 2>/dev/null; sleep 0.1; done", p.root))
	p.do("fsfreeze", "-f", p.root)
	root := p.root
	p.later(10*time.Second, func() { _ = exec.Command("fsfreeze", "-u", root).Run() })
}

// shutDown makes a file system fail all that reaches its device, as a device does that
// is gone.
func (p *place) shutDown(root string) {
	p.t.Helper()
	dir, err := os.Open(root)
	p.check(err)
	defer dir.Close()
	const goingDown, noLogFlush = 0x8004587d, 2
	how := uint32(noLogFlush)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, dir.Fd(), goingDown, uintptr(unsafe.Pointer(&how))); errno != 0 {
		p.t.Fatal(errno)
	}
}

// fail makes the kernel find a fault in ext4, which is read-only from then on.
func (p *place) fail() {
	p.t.Helper()
	device := strings.TrimSpace(p.do("findmnt", "-n", "-o", "SOURCE", p.root))
	p.check(os.WriteFile(filepath.Join("/sys/fs/ext4", filepath.Base(device), "trigger_fs_error"), []byte("1"), 0o200))
}

// useInodes makes files until there can be no more.
func (p *place) useInodes() {
	p.t.Helper()
	for i := 0; ; i++ {
		err := os.WriteFile(filepath.Join(p.root, fmt.Sprint("inode", i)), nil, 0o600)
		if errors.Is(err, syscall.ENOSPC) {
			return
		}
		p.check(err)
	}
}

// files returns the files of the data directory.
func (p *place) files() []string {
	p.t.Helper()
	var files []string
	p.check(filepath.WalkDir(p.dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path != p.dir {
			return nil
		}
		if err == nil && d.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	}))
	if len(files) == 0 {
		p.t.Fatal("nothing is in the data directory")
	}
	return files
}

// fifos puts a FIFO in the place of each file of the data directory.
func (p *place) fifos() {
	p.t.Helper()
	for _, file := range p.files() {
		p.check(os.Remove(file))
		p.check(syscall.Mkfifo(file, 0o666))
	}
}

// memory lets programs run in a memory cgroup that something else fills.
func (p *place) memory(limit int) {
	p.t.Helper()
	p.needRoot()
	group, file := "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		group, file = "/sys/fs/cgroup", "memory.max"
		_ = os.WriteFile("/sys/fs/cgroup/cgroup.subtree_control", []byte("+memory"), 0o644)
	}
	group = filepath.Join(group, filepath.Base(p.scratch))
	if err := os.Mkdir(group, 0o755); err != nil {
		p.skip(err)
	}
	p.undo = append(p.undo, func() {
		for i := 0; i < 100 && os.Remove(group) != nil; i++ {
			time.Sleep(50 * time.Millisecond)
		}
	})
	if err := os.WriteFile(filepath.Join(group, file), fmt.Append(nil, limit), 0o644); err != nil {
		p.skip(err)
	}
	enter := fmt.Sprintf("echo $$ > %s/cgroup.procs && ", group)
	p.wrap = []string{"sh", "-c", enter + `exec "$@"`, "sh"}
	p.background("sh", "-c", enter+fmt.Sprintf("while :; do dd if=/dev/zero of=%s bs=1M count=%d 2>/dev/null; sleep 0.1; done", p.path("big"), 2*limit>>20))
}

// own lets programs run in a mount namespace of their own in which commands ran.
func (p *place) own(commands string) {
	p.needRoot()
	p.wrap = []string{"unshare", "-m", "sh", "-c", commands + ` && exec "$@"`, "sh"}
}

// usedShared lets programs run where shared memory has what an earlier process left
// there, and commands were done to each of that, $f.
func (p *place) usedShared(commands string) {
	p.own(fmt.Sprintf(`mount -t tmpfs none /dev/shm && %s "run %d %d 0" "exit 0" >/dev/null && for f in /dev/shm/*; do test ! -e "$f" || { %s; }; done`,
		p.marked, 2*perProcess, 2*perProcess+1, commands))
	p.must = append(p.must, 2*perProcess)
}

// earlier runs the program once, as somebody.
func (p *place) earlier(function int, wrap ...string) {
	p.t.Helper()
	runOnce(p.t, p.dir, p.marked, wrap, fmt.Sprintf("run %d %d 0", function, function+1), "exit 0")
}

// user starts a program as another user, who keeps his files for himself.
func user(id int) []string {
	return []string{"setpriv", fmt.Sprint("--reuid=", id), fmt.Sprint("--regid=", id), "--clear-groups", "sh", "-c", `umask 077 && exec "$@"`, "sh"}
}
