//go:build linux && (386 || amd64 || arm || arm64 || loong64 || riscv64)

package hitrt

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A process that calls nothing new writes again what it called when its hits file was
// removed, when another one took its name, and when an older copy was put back into it.
func TestIdleReplaced(t *testing.T) {
	dir := newDataDir(t)
	prog := newProgram(60)
	pub, _ := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
	pub.begin()
	path := pub.data.store.Path()
	empty, err := os.ReadFile(path) // before the call
	if err != nil {
		t.Fatal(err)
	}
	prog.call(1)
	pub.checkpoint()
	for name, replace := range map[string]func() error{
		"removed":  func() error { return os.Remove(path) },
		"another":  func() error { _ = os.Remove(path); return os.WriteFile(path, empty, 0o600) },
		"restored": func() error { return os.WriteFile(path, empty, 0o600) },
	} {
		if err := replace(); err != nil {
			t.Fatal(err)
		}
		pub.data.lookedAt = time.Time{} // as it looks every ten seconds
		pub.checkpoint()
		if at, _, err := stampsOf(path); err != nil || at[1] == 0 {
			t.Errorf("%s: stamps %v, %v", name, at[:3], err)
		}
	}
	writes := pub.data.process.Writes
	for range 3 {
		pub.data.lookedAt = time.Time{}
		pub.checkpoint()
	}
	if pub.data.process.Writes != writes {
		t.Errorf("%d writes of a process that calls nothing", pub.data.process.Writes-writes)
	}
	pub.die()
}

// A umask that takes away the right to enter directories does not make ours useless.
func TestUmask(t *testing.T) {
	dir := filepath.Join(newDataDir(t), "a", "b")
	prog := newMappedProgram(&mappedArrays.settled)
	pub, messages := newTestPublisher(prog, nil, "SCAVENGER_DATA_DIR="+dir)
	old := syscall.Umask(0o177)
	pub.begin()
	syscall.Umask(old)
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if info, err := os.Stat(d); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", d, info, err)
		}
	}
	if messages.String() != "" {
		t.Errorf("messages %q", messages)
	}
	pub.die()
}
