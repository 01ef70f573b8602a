package hitrt

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/hitrt/datafile"
)

// overlay mounts one, if that is allowed here.
func overlay(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"lower", "upper", "work", "merged"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	merged := filepath.Join(dir, "merged")
	options := "lowerdir=" + dir + "/lower,upperdir=" + dir + "/upper,workdir=" + dir + "/work"
	if err := syscall.Mount("overlay", merged, "overlay", 0, options); err != nil {
		t.Skipf("mounting overlay: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(merged, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return merged
}

// descriptorsOf returns the descriptors of this process that are files in dir.
func descriptorsOf(t *testing.T, dir string) (numbers []int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	for _, e := range entries {
		if name, _ := os.Readlink("/proc/self/fd/" + e.Name()); strings.HasPrefix(name, dir) {
			n, _ := strconv.Atoi(e.Name())
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// A lock is kept without the file, and given back. Where a mapping keeps it there is no
// descriptor; elsewhere there is one, and what the program has put in its place is not
// closed.
func TestKeptLock(t *testing.T) {
	for name, place := range map[string]func(*testing.T) string{
		"plain": func(t *testing.T) string { return t.TempDir() }, "overlay": overlay,
	} {
		t.Run(name, func(t *testing.T) {
			dir := place(t)
			path := filepath.Join(dir, "file")
			open := func() *os.File {
				file, err := datafile.Open(path, os.O_RDWR|os.O_CREATE, 0o600)
				if err != nil {
					t.Fatal(err)
				}
				return file
			}
			isLocked := func() bool {
				file := open()
				defer file.Close()
				return datafile.Lock(file, 0) != nil
			}
			take := func() (keptLock, os.FileInfo) {
				file := open()
				if err := file.Truncate(mappedPage); err != nil {
					t.Fatal(err)
				}
				if err := datafile.Lock(file, 0); err != nil {
					t.Fatal(err)
				}
				info, err := file.Stat()
				if err != nil {
					t.Fatal(err)
				}
				return keepLock(file, path, info), info
			}
			lock, info := take()
			kept := descriptorsOf(t, dir)
			if !isLocked() {
				t.Error("the lock was to be had")
			}
			if name == "plain" && len(kept) > 0 || len(kept) > 1 || len(kept) == 1 && kept[0] < firstKept {
				t.Errorf("descriptors %v are open", kept)
			}
			lock.release(info)
			if isLocked() || len(descriptorsOf(t, dir)) > 0 {
				t.Errorf("after release: locked %v, descriptors %v", isLocked(), descriptorsOf(t, dir))
			}
			if len(kept) == 0 {
				return
			}
			lock, info = take()
			kept = descriptorsOf(t, dir)
			null, err := syscall.Open(os.DevNull, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			if err := syscall.Dup3(null, kept[0], syscall.O_CLOEXEC); err != nil {
				t.Fatal(err)
			}
			lock.release(info)
			if err := syscall.Close(kept[0]); err != nil {
				t.Errorf("somebody else's descriptor was closed (%v)", err)
			}
			_ = syscall.Close(null)
		})
	}
}

// Where the name belongs to another file by now, the lock is kept by a descriptor of the
// one that was locked.
func TestKeptLockReplaced(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	file, err := datafile.Open(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(file.Truncate(mappedPage), datafile.Lock(file, 0)); err != nil {
		t.Fatal(err)
	}
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Rename(path, path+".old"), os.WriteFile(path, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	lock := keepLock(file, path, info)
	isLocked := func(path string) bool {
		file, err := datafile.Open(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		return datafile.Lock(file, 0) != nil
	}
	if !isLocked(path+".old") || isLocked(path) {
		t.Errorf("locked: %v, the file in its place: %v, want true and false", isLocked(path+".old"), isLocked(path))
	}
	lock.release(info)
	if isLocked(path+".old") || len(descriptorsOf(t, dir)) > 0 {
		t.Errorf("after release: locked %v, descriptors %v", isLocked(path+".old"), descriptorsOf(t, dir))
	}
}
