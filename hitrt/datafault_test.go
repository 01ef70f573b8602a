//go:build linux && (386 || amd64 || arm || arm64 || loong64 || riscv64)

package hitrt

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// smallDisk mounts a file system of the given size, if that is allowed here.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("scavenger-test", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("mounting a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill writes to a disk until it is full and returns the file that fills it.
func fill(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "filler")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for block := make([]byte, 4096); ; {
		if _, err := file.Write(block); errors.Is(err, syscall.ENOSPC) {
			return path
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// A disk that is full at the start is said once, leaves no temporary file, and once
// there is room everything is written. One that is full later does not matter: all
// blocks of the file are there.
func TestDataFileFullDisk(t *testing.T) {
	dir := smallDisk(t, "1m")
	filler := fill(t, dir)
	prog := newMappedProgram(&mappedArrays.full)
	prog.call(1)
	pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
	pub.begin()
	prog.call(2)
	pub.checkpoint()
	if got := messages.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "no space left") {
		t.Errorf("messages %q, want one about the disk", got)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.tmp")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	pub.data.retryAt, pub.data.marksAt = time.Time{}, time.Time{}
	pub.checkpoint()
	fill(t, dir)
	prog.call(3)
	pub.checkpoint()
	prog.call(4)
	if pub.data.marks == nil || !exists(pub.codebasePath()) {
		t.Errorf("marks file %+v; codebase file there: %v", pub.data.marks, exists(pub.codebasePath()))
	}
	called := known(t, dir)
	for i := range 6 {
		if want := i >= 1 && i <= 4; called[i] != want {
			t.Errorf("function %d is known to be called: %v, want %v", i, called[i], want)
		}
	}
	pub.die()
}

// A disk that becomes read-only under the process: what is mapped stays, nothing
// ends, and when it is writable again nothing has been lost.
func TestDataFileReadOnlyDisk(t *testing.T) {
	dir := smallDisk(t, "1m")
	prog := newProgram(90) // not mapped: a mapped file keeps the disk writable
	pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
	prog.call(1)
	pub.begin()
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Skipf("mounting it read-only: %v", err)
	}
	prog.call(2)
	pub.checkpoint()
	if got := messages.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "read-only") {
		t.Errorf("messages %q, want one about the disk", got)
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT, ""); err != nil {
		t.Fatal(err)
	}
	pub.data.retryAt = time.Time{}
	pub.checkpoint()
	_, functions, err := readData(dir)
	if err != nil || functions[1].stamp == 0 || functions[2].stamp == 0 || functions[3].stamp != 0 {
		t.Errorf("%v, functions %v", err, functions)
	}
}

// The directory is removed while the process runs, again and again.
func TestDataFileDirectoryGone(t *testing.T) {
	dir := filepath.Join(newDataDir(t), "data")
	prog := newMappedProgram(&mappedArrays.gone)
	pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
	pub.begin()
	for i := range 5 {
		prog.call(i)
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		prog.call(10 + i)
		pub.checkpoint()
	}
	called := known(t, dir)
	for i := range 20 {
		if want := i%10 < 5; called[place(i)] != want {
			t.Errorf("function %d is known to be called: %v, want %v", i, called[place(i)], want)
		}
	}
	if n := strings.Count(messages.String(), "\n"); n != 1 {
		t.Errorf("messages %q, want one", messages)
	}
	if !exists(pub.codebasePath()) {
		t.Error("the functions are not listed")
	}
	// What is not written yet is found by processes with the directory of that name now. Others
	// may have left more, of a directory that had the same number.
	prog.call(30)
	next, _ := newTestPublisher(newProgram(90), nil, "SCAVENGER_DATA_DIR="+dir)
	next.prepare()
	next.data.open()
	if found := next.data.findMarks(datafile.MarksDirs(os.Geteuid(), dir)); !slices.Contains(found, pub.data.marks.path) {
		t.Errorf("the next process finds %q, want %s", found, pub.data.marks.path)
	}
	pub.die()
}

// A program that goes to a root directory of its own still has its file, and makes
// none there.
func TestDataFileChroot(t *testing.T) {
	if dir := os.Getenv("HITRT_TEST_CHROOT"); dir != "" {
		prog := newMappedProgram(&mappedArrays.chroot)
		pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+filepath.Join(dir, "data"))
		pub.begin()
		if err := syscall.Chroot(filepath.Join(dir, "jail")); err != nil {
			t.Fatal(err)
		}
		prog.call(1)
		pub.checkpoint()
		pub.data.verify()
		prog.call(2)
		pub.checkpoint()
		prog.call(3)
		_, _ = os.Stdout.WriteString("alive: " + messages.String())
		os.Exit(0)
	}
	if os.Getuid() != 0 {
		t.Skip("only root can chroot")
	}
	dir := newDataDir(t)
	if err := os.Mkdir(filepath.Join(dir, "jail"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestDataFileChroot$")
	cmd.Env = append(os.Environ(), "HITRT_TEST_CHROOT="+dir)
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "alive: " {
		t.Fatalf("%v\n%s", err, out)
	}
	called := known(t, filepath.Join(dir, "data"))
	for i := range 5 {
		if want := 1 <= i && i <= 3; called[i] != want {
			t.Errorf("function %d is known to be called: %v, want %v", i, called[i], want)
		}
	}
	if made, _ := os.ReadDir(filepath.Join(dir, "jail")); len(made) > 0 {
		t.Errorf("made in the new root: %v", made)
	}
}

// Without mapped marks nothing that is called in another root directory can be written:
// that is said. What was called before is known, and no file is made there.
func TestDataFileChrootUnmapped(t *testing.T) {
	if dir := os.Getenv("HITRT_TEST_CHROOT_UNMAPPED"); dir != "" {
		prog := newProgram(90)
		pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+filepath.Join(dir, "data"))
		prog.call(1)
		pub.begin()
		if err := syscall.Chroot(filepath.Join(dir, "jail")); err != nil {
			t.Fatal(err)
		}
		prog.call(2)
		for range 3 {
			pub.checkpoint()
		}
		pub.startExit()
		pub.finish()
		_, _ = os.Stdout.WriteString("alive: " + messages.String())
		os.Exit(0)
	}
	if os.Getuid() != 0 {
		t.Skip("only root can chroot")
	}
	dir := newDataDir(t)
	if err := os.Mkdir(filepath.Join(dir, "jail"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestDataFileChrootUnmapped$")
	cmd.Env = append(os.Environ(), "HITRT_TEST_CHROOT_UNMAPPED="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "alive: ") || strings.Count(string(out), "another root directory") != 1 || strings.Count(string(out), "\n") != 1 {
		t.Fatalf("%v\n%s", err, out)
	}
	_, functions, err := readData(filepath.Join(dir, "data"))
	if err != nil || functions[1].stamp == 0 || functions[2].stamp != 0 {
		t.Errorf("%v, functions %v", err, functions[:4])
	}
	if made, _ := os.ReadDir(filepath.Join(dir, "jail")); len(made) > 0 {
		t.Errorf("made in the new root: %v", made)
	}
}

// A limit on the size of files ends nothing, not even a program that has the
// signal for it at its default.
func TestDataFileSizeLimit(t *testing.T) {
	if dir := os.Getenv("HITRT_TEST_LIMITED"); dir != "" {
		signal.Reset(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 6000, Max: 6000}); err != nil {
			t.Fatal(err)
		}
		prog := newMappedProgram(&mappedArrays.limited)
		pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
		pub.begin()
		prog.call(1)
		pub.checkpoint()
		_, _ = os.Stdout.WriteString("alive: " + messages.String())
		os.Exit(0)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestDataFileSizeLimit$")
	dir := newDataDir(t)
	cmd.Env = append(os.Environ(), "HITRT_TEST_LIMITED="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("alive: ")) || !bytes.Contains(out, []byte("file too large")) {
		t.Errorf("%v\n%s", err, out)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.*s*")); len(left) > 0 { // but for its ID
		t.Errorf("left behind: %q", left)
	}
}

// Temporary files of processes that were killed while they wrote them are removed
// by later ones; those of processes that live are not.
func TestDataFileStaleTemporary(t *testing.T) {
	dir := newDataDir(t)
	old := filepath.Join(dir, "process-4a2c9d10-0000-4000-8000-000000000000.hits.4a2c9d10-0000-4000-8000-000000000000.tmp")
	young := filepath.Join(dir, "codebase-00.json.5b3d0e21-0000-4000-8000-000000000000.tmp")
	other := filepath.Join(dir, "other.tmp")
	for _, path := range []string{old, young, other} {
		if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	hourAgo := time.Now().Add(-2 * time.Hour)
	for _, path := range []string{old, other} {
		if err := os.Chtimes(path, hourAgo, hourAgo); err != nil {
			t.Fatal(err)
		}
	}
	pub, _ := newTestPublisher(newProgram(90), nil, "SCAVENGER_DATA_DIR="+dir)
	pub.begin()
	if exists(old) || !exists(young) || !exists(other) {
		t.Errorf("old file there: %v; young one: %v; foreign one: %v", exists(old), exists(young), exists(other))
	}
}

// A codebase file that is damaged in the middle, with its last line intact, is
// written again soon after the start.
func TestDataFileCodebaseDamaged(t *testing.T) {
	dir := newDataDir(t)
	pub, _ := newTestPublisher(newProgram(90), nil, "SCAVENGER_DATA_DIR="+dir)
	pub.begin()
	path := pub.codebasePath()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(whole)
	damaged[len(damaged)/2] ^= 1
	if err := os.WriteFile(path, damaged, 0o644); err != nil {
		t.Fatal(err)
	}
	second, _ := newTestPublisher(newProgram(90), nil, "SCAVENGER_DATA_DIR="+dir)
	go second.run()
	waitFor(t, func() bool { got, _ := os.ReadFile(path); return bytes.Equal(got, whole) })
	second.exit()
	<-second.done
}
