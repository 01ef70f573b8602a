//go:build linux

// Package filesystems tests that no fault of a file system reaches the marked program,
// and which hits are known afterwards. The tests see what a user sees: output, exit
// status, the latency of calls, and the report. Most of them mount file systems, and
// are skipped where they may not.
package filesystems

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// built is the scavenger-wrap that all tests use.
var built program.Wrapper

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

// ownMounts is the variable that says that this process is in a mount namespace of
// its own.
const ownMounts = "SCAVENGER_FILESYSTEMS_MOUNTS"

// testMain starts the tests again in a mount namespace of their own, with shared memory
// of their own: however they end, nothing stays mounted, and nothing in memory.
func testMain(m *testing.M) int {
	flag.Parse()
	if os.Getuid() == 0 && os.Getenv(ownMounts) == "" {
		cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
		cmd.Env = append(os.Environ(), ownMounts+"=1")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
		var exit *exec.ExitError
		if err := cmd.Run(); err == nil {
			return 0
		} else if errors.As(err, &exit) {
			return max(1, exit.ExitCode())
		}
		// No namespaces here: what mounts something is skipped.
	}
	if os.Getenv(ownMounts) != "" {
		if err := syscall.Mount("none", "/dev/shm", "tmpfs", 0, ""); err != nil {
			fmt.Fprintln(os.Stderr, "/dev/shm:", err)
			return 1
		}
	}
	if !set("test.parallel") {
		// A test waits most of its time.
		_ = flag.Set("test.parallel", "6")
	}
	return built.Run(m, "filesystems", nil)
}

// set reports whether a flag was given.
func set(name string) bool {
	found := false
	flag.Visit(func(f *flag.Flag) { found = found || f.Name == name })
	return found
}

// How many functions a program has. Many make files that take a while to copy.
const (
	fewFunctions  = 400
	manyFunctions = 4_000
)

// programs are the two forms of the program, by number of functions.
var programs sync.Map

// buildPrograms returns the files of the marked program with that many functions and
// of its plain twin.
func buildPrograms(t *testing.T, functions int) (marked, plain string) {
	t.Helper()
	wrapper := built.File(t)
	build, _ := programs.LoadOrStore(functions, sync.OnceValues(func() (string, error) {
		dir := filepath.Join(built.Dir, fmt.Sprint(functions))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
		for name, text := range map[string]string{
			"go.mod": "module example.com/app\n\ngo 1.24\n", "main.go": drivenMain, "functions.go": drivenFunctions(functions),
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				return "", err
			}
		}
		for _, args := range [][]string{{"-toolexec=" + wrapper, "-o=marked/app"}, {"-o=plain/app"}} {
			cmd := exec.Command("go", append(append([]string{"build"}, args...), ".")...)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				return "", errors.New(string(out))
			}
		}
		return dir, nil
	}))
	dir, err := build.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "marked", "app"), filepath.Join(dir, "plain", "app")
}

// drivenFunctions is the file with the functions.
func drivenFunctions(n int) string {
	var b strings.Builder
	b.WriteString("package main\n\nvar functions = []func(){")
	for i := range n {
		fmt.Fprintf(&b, "f%05d,\n", i)
	}
	b.WriteString("}\n\n")
	for i := range n {
		fmt.Fprintf(&b, "func f%05d() {}\n", i)
	}
	return b.String()
}
