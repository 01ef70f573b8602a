package hitrt

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
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

// A held file has its lock, and gives it back. Where a mapping keeps it there is no
// descriptor; elsewhere there is one, and what the program has put in its place is
// not closed.
func TestHeld(t *testing.T) {
	for name, place := range map[string]func(*testing.T) string{
		"plain": func(t *testing.T) string { return t.TempDir() }, "overlay": overlay,
	} {
		t.Run(name, func(t *testing.T) {
			dir := place(t)
			path := filepath.Join(dir, "file")
			isLocked := func() bool {
				file, err := openFile(path, os.O_RDWR, 0)
				if err != nil {
					t.Fatal(err)
				}
				defer file.Close()
				return lockFile(file) != nil
			}
			take := func() *heldFile {
				file, err := openFile(path, os.O_RDWR|os.O_CREATE, 0o666)
				if err != nil {
					t.Fatal(err)
				}
				if err := lockFile(file); err != nil {
					t.Fatal(err)
				}
				h, err := hold(file, path, true)
				if err != nil {
					t.Fatal(err)
				}
				return h
			}
			h := take()
			kept := descriptorsOf(t, dir)
			if !isLocked() {
				t.Error("the lock was to be had")
			}
			if name == "plain" && len(kept) > 0 || len(kept) > 1 || len(kept) == 1 && kept[0] < firstKept {
				t.Errorf("descriptors %v are open", kept)
			}
			h.release()
			if isLocked() || len(descriptorsOf(t, dir)) > 0 {
				t.Errorf("after release: locked %v, descriptors %v", isLocked(), descriptorsOf(t, dir))
			}
			if len(kept) == 0 {
				return
			}
			h = take()
			kept = descriptorsOf(t, dir)
			null, err := syscall.Open(os.DevNull, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			if err := syscall.Dup3(null, kept[0], syscall.O_CLOEXEC); err != nil {
				t.Fatal(err)
			}
			h.release()
			if err := syscall.Close(kept[0]); err != nil {
				t.Errorf("somebody else's descriptor was closed (%v)", err)
			}
			_ = syscall.Close(null)
		})
	}
}

// A file that was replaced is not opened.
func TestHeldReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	file, err := openFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	h, err := hold(file, path, canLock && lockFile(file) == nil)
	if err != nil {
		t.Fatal(err)
	}
	defer h.release()
	if again, err := h.open(os.O_WRONLY); err != nil {
		t.Error(err)
	} else {
		_ = again.Close()
	}
	if err := os.WriteFile(path+".new", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	if again, err := h.open(os.O_WRONLY); err == nil {
		t.Error("another file was opened")
		_ = again.Close()
	}
}
