//go:build linux && (amd64 || arm64)

package hitrt

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

func init() {
	childPrograms["lacking"] = callWithout
	childPrograms["keeps"] = sayKept
}

// System calls by the architecture's numbers, as package syscall does not have them all.
var callNumbers = map[string]struct {
	seccomp uintptr
	link    []uint32
}{
	"amd64": {317, []uint32{86, 265}},
	"arm64": {277, []uint32{37}},
}

// What becomes of a system call, to seccomp(2).
const (
	fails = 0x00050000 | uint32(syscall.EPERM)
	hangs = 0x7fc00000 // until somebody answers, and nobody does
)

// restrict makes system calls of this process fail or hang from now on. flags, if it is
// not 0, restricts only those whose third argument has one of these bits.
func restrict(action uint32, flags uint32, calls ...uint32) error {
	const load, jumpIfEqual, jumpIfSet, ret, allow = 0x20, 0x15, 0x45, 0x06, 0x7fff0000
	program := []syscall.SockFilter{{Code: load, K: 0}}
	for i, n := range calls {
		program = append(program, syscall.SockFilter{Code: jumpIfEqual, K: n, Jt: uint8(len(calls) - i)})
	}
	program = append(program, syscall.SockFilter{Code: ret, K: allow})
	if flags != 0 {
		program = append(program, syscall.SockFilter{Code: load, K: 16 + 2*8}, syscall.SockFilter{Code: jumpIfSet, K: flags, Jt: 1},
			syscall.SockFilter{Code: ret, K: allow})
	}
	program = append(program, syscall.SockFilter{Code: ret, K: action})
	filter := syscall.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	const noNewPrivs, setFilter, allThreads, newListener, otherErrors = 38, 1, 1, 8, 16
	how := uintptr(allThreads)
	if action == hangs {
		how |= newListener | otherErrors
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, noNewPrivs, 1, 0, 0, 0, 0); errno != 0 {
		return errno
	}
	if _, _, errno := syscall.RawSyscall(callNumbers[runtime.GOARCH].seccomp, setFilter, how, uintptr(unsafe.Pointer(&filter))); errno != 0 {
		return errno
	}
	return nil
}

// callWithout is a program on a file system that lacks something, or does not answer.
func callWithout() {
	var err error
	number := callNumbers[runtime.GOARCH]
	switch os.Getenv("HITRT_TEST_LACKS") {
	case "links":
		err = restrict(fails, 0, number.link...)
	case "locks":
		err = restrict(fails, 0, syscall.SYS_FLOCK)
	case "answer to open":
		err = restrict(hangs, syscall.O_NOFOLLOW, syscall.SYS_OPENAT)
	case "answer to lock":
		err = restrict(hangs, 0, syscall.SYS_FLOCK)
	case "answer to write":
		err = restrict(hangs, 0, syscall.SYS_PWRITE64)
	case "answer to link":
		err = restrict(hangs, 0, number.link...)
	}
	if err != nil {
		fmt.Println("no seccomp:", err)
		return
	}
	prog := newMappedProgram(&mappedArrays.ended)
	prog.call(1)
	if !Register(prog) {
		fmt.Println("inert")
		return
	}
	prog.call(2)
	fmt.Println("started")
	if os.Getenv("HITRT_TEST_WAITS") != "" {
		<-registered.Load().ready
		prog.call(3)
		fmt.Println("called")
		select {}
	}
	Exit()
	fmt.Println("ended")
}

// Where the file system has no hard links or no locks, a process writes a file of its
// own. When it has ended, or nobody can tell whether it lives for an hour, its calls move
// to the shared file if another process can write that.
func TestNoLinksNoLocks(t *testing.T) {
	for _, lacks := range []string{"links", "locks"} {
		dir := newDataDir(t)
		out, err := child(t, "lacking", "SCAVENGER_DATA_DIR="+dir, "HITRT_TEST_LACKS="+lacks).CombinedOutput()
		if strings.HasPrefix(string(out), "no seccomp") {
			t.Skip(string(out))
		}
		if err != nil || string(out) != "started\nended\n" {
			t.Errorf("without %s: %v, it says %q", lacks, err, out)
		}
		paths := hitsIn(dir)
		if len(paths) != 1 || strings.Count(filepath.Base(paths[0]), "-") != 6 {
			t.Fatalf("without %s: hits files %q, want one of the process alone", lacks, paths)
		}
		at, _, err := stampsOf(paths[0])
		if err != nil || at[1] == 0 || at[2] == 0 {
			t.Errorf("without %s: stamps %v, %v", lacks, at, err)
		}
		processes, _ := processesIn(t, paths[0])
		want := datafile.InMemory
		if lacks == "locks" {
			want = datafile.OnceASecond
		}
		if len(processes) != 1 || processes[0].Kept != want || processes[0].State != datafile.Ended {
			t.Errorf("without %s: records %+v", lacks, processes)
		}
		settle(t, dir, func() *Program { return newMappedProgram(&mappedArrays.ended) })
		if r, err := datafile.OpenHits(paths[0]); err != nil || !r.Joined {
			t.Errorf("without %s: the file is not joined by a process that has them (%v)", lacks, err)
		}
	}
}

// Without hard links a process that is killed leaves its marks file to the next one.
func TestNoLinksKilled(t *testing.T) {
	dir := newDataDir(t)
	cmd := child(t, "lacking", "SCAVENGER_DATA_DIR="+dir, "HITRT_TEST_LACKS=links", "HITRT_TEST_WAITS=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "called" {
		if strings.HasPrefix(lines.Text(), "no seccomp") {
			t.Skip(lines.Text())
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	check := func(when string) {
		t.Helper()
		if called := known(t, dir); !called[1] || !called[2] || !called[3] || called[4] {
			t.Errorf("%s: called %v, want 1, 2 and 3", when, called[:5])
		}
	}
	check("killed")
	settle(t, dir, func() *Program { return newMappedProgram(&mappedArrays.ended) })
	check("recovered")
}

// A directory that does not answer holds up neither the start nor the end of a program.
func TestFrozen(t *testing.T) {
	for _, call := range []string{"open", "lock", "write", "link"} {
		cmd := child(t, "lacking", "SCAVENGER_DATA_DIR="+newDataDir(t), "HITRT_TEST_LACKS=answer to "+call, "SCAVENGER_EXIT_TIMEOUT=50ms")
		stop := time.AfterFunc(hang, func() { _ = cmd.Process.Kill() })
		out, err := cmd.Output()
		stop.Stop()
		if strings.HasPrefix(string(out), "no seccomp") {
			t.Skip(string(out))
		}
		if err != nil || string(out) != "started\nended\n" {
			t.Errorf("no answer to %s: %v, the program says %q", call, err, out)
		}
	}
}

// A named pipe in place of a file holds up nothing, and its name is left to it.
func TestPipeInPlaceOfFile(t *testing.T) {
	for _, name := range []string{"hits", "codebase", "dataDir"} {
		dir := filepath.Join(newDataDir(t), "data")
		prog := newProgram(60)
		pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
		probe, _ := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
		probe.prepare()
		path := map[string]string{"hits": probe.data.store.Path(), "codebase": probe.codebasePath(), "dataDir": dir}[name]
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), syscall.Mkfifo(path, 0o600)); err != nil {
			t.Fatal(err)
		}
		prog.call(1)
		go pub.run()
		select {
		case <-pub.ready:
		case <-time.After(hang):
			t.Fatalf("%s: it waits for the pipe", name)
		}
		pub.exit()
		<-pub.done
		if info, err := os.Lstat(path); err != nil || info.Mode().Type() != os.ModeNamedPipe {
			t.Errorf("%s: the pipe is gone", name)
		}
		if name == "dataDir" {
			if !strings.Contains(messages.String(), "dataDir") {
				t.Errorf("messages %q, want one about dataDir", messages)
			}
			continue
		}
		at, _, err := stampsOf(pub.data.store.Path())
		if err != nil || at[1] == 0 {
			t.Errorf("%s: stamps %v, %v", name, at, err)
		}
		id := &pub.data.store.Identity
		file, err := datafile.OpenCodebase(dir, id.Fingerprint, id.UID)
		if err != nil {
			t.Errorf("%s: the functions are not listed: %v", name, err)
			continue
		}
		if !datafile.IsSound(file) {
			t.Errorf("%s: the codebase file is not sound", name)
		}
		_ = file.Close()
		if messages.String() != "" {
			t.Errorf("%s: messages %q", name, messages)
		}
	}
}

// Where the codebase file belongs to another user, who may have given functions other
// names, the process writes one of its own beside it.
func TestCodebaseOfAnother(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give a file away")
	}
	dir := newDataDir(t)
	first, _ := newTestPublisher(newProgram(60), nil, "SCAVENGER_DATA_DIR="+dir)
	first.begin()
	path := first.codebasePath()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const other = 12345
	if err := os.Chown(path, other, other); err != nil {
		t.Fatal(err)
	}
	info, _ := os.Stat(path)
	second, messages := newTestPublisher(newProgram(60), nil, "SCAVENGER_DATA_DIR="+dir)
	second.begin()
	id := &second.data.store.Identity
	if own, err := os.ReadFile(filepath.Join(dir, datafile.CodebaseName(id.Fingerprint, id.UID))); err != nil || string(own) != string(whole) {
		t.Errorf("no codebase file of its own: %v", err)
	}
	if now, err := os.Stat(path); err != nil || !os.SameFile(now, info) {
		t.Error("the other user's file was replaced")
	}
	if messages.String() != "" {
		t.Errorf("messages %q", messages)
	}
}

// Somebody else who took the name of the directory for marks files does not get any, and
// a user whose names are all taken has his calls written once a second.
func TestMarksDirTaken(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can be several users")
	}
	user := 1<<24 + os.Getpid() // who has no files of other tests
	program := copySelf(t, 0o755)
	dir := newDataDir(t)
	for _, err := range []error{os.Chmod(filepath.Dir(filepath.Dir(program)), 0o711), os.Chmod(filepath.Dir(program), 0o755),
		os.Chmod(filepath.Dir(dir), 0o711), os.Chown(dir, user, user)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for n := range datafile.MarksNames {
		defer os.RemoveAll(datafile.MarksDir(user, n))
	}
	keeps := func() string {
		cmd := child(t, "keeps", "SCAVENGER_DATA_DIR="+dir)
		cmd.Path, cmd.Args = program, []string{program}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(user), Gid: uint32(user)}}
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return strings.TrimSpace(string(out))
	}
	if got, want := keeps(), datafile.MarksDir(user, 0); got != want {
		t.Errorf("marks are in %s, want %s", got, want)
	}
	for n := range datafile.MarksNames {
		path := datafile.MarksDir(user, n)
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		var err error
		switch n {
		case 0:
			err = os.Mkdir(path, 0o777) // root's
		case 1: // his, and open to all
			err = errors.Join(os.Mkdir(path, 0o700), os.Chmod(path, 0o777), os.Chown(path, user, user))
		case 2:
			err = os.Symlink(dir, path)
		default:
			err = os.WriteFile(path, nil, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		want := "once a second: no directory of this user's own"
		if n+1 < datafile.MarksNames {
			want = datafile.MarksDir(user, n+1)
		}
		if got := keeps(); !strings.HasPrefix(got, want) {
			t.Errorf("%d names are taken: marks are in %s, want %s", n+1, got, want)
		}
		if files, _ := os.ReadDir(path); n != 2 && len(files) > 0 {
			t.Errorf("%s has %v, which is somebody else's", path, files)
		}
	}
}

// sayKept says in which directory the marks of this process are.
func sayKept() {
	prog := newMappedProgram(&mappedArrays.ended)
	pub := newPublisher(prog, loadSettings(prog, os.LookupEnv))
	pub.begin()
	if pub.data.marks == nil {
		fmt.Println(pub.data.process.Kept.String() + ": " + pub.data.process.Why)
		return
	}
	fmt.Println(filepath.Dir(pub.data.marks.path))
}
