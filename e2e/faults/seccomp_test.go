//go:build linux && amd64

package faults

import "testing"

// seccompMain allows itself the system calls of the Go runtime and one more, and is
// killed at any other.
const seccompMain = `package main

import (
	"os"
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

type instruction struct {
	code   uint16
	jt, jf uint8
	k      uint32
}

// confine installs a filter for all threads.
func confine(allowed []uint32) {
	const (
		load, jumpEqual, ret   = 0x20, 0x15, 0x06
		kill, allow            = 0x80000000, 0x7fff0000
		noNewPrivs, seccomp    = 38, 317
		setFilter, threadsSync = 1, 1
	)
	program := []instruction{{code: load}}
	for _, n := range allowed {
		program = append(program, instruction{jumpEqual, 0, 1, n}, instruction{code: ret, k: allow})
	}
	program = append(program, instruction{code: ret, k: kill})
	filter := struct {
		size uint16
		at   *instruction
	}{uint16(len(program)), &program[0]}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, noNewPrivs, 1, 0, 0, 0, 0); errno != 0 {
		os.Exit(77)
	}
	if _, _, errno := syscall.RawSyscall(seccomp, setFilter, threadsSync, uintptr(unsafe.Pointer(&filter))); errno != 0 {
		os.Exit(77)
	}
}

func main() {
	if os.Args[1] == "killed" {
		functions[0]()
		time.Sleep(200 * time.Millisecond)
		syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
	}
	if os.Args[1] == "timers" {
		time.Sleep(10 * time.Millisecond)
	}
	confine([]uint32{
		syscall.SYS_READ, syscall.SYS_WRITE, syscall.SYS_MMAP, syscall.SYS_MPROTECT, syscall.SYS_MUNMAP, syscall.SYS_MADVISE,
		syscall.SYS_RT_SIGACTION, syscall.SYS_RT_SIGPROCMASK, syscall.SYS_RT_SIGRETURN, syscall.SYS_SIGALTSTACK,
		syscall.SYS_SCHED_YIELD, syscall.SYS_NANOSLEEP, syscall.SYS_FUTEX, syscall.SYS_GETPID, syscall.SYS_GETTID, syscall.SYS_TGKILL,
		syscall.SYS_CLONE, 435, 334, 273, syscall.SYS_EXIT, syscall.SYS_EXIT_GROUP, syscall.SYS_RESTART_SYSCALL, syscall.SYS_ARCH_PRCTL,
		syscall.SYS_CLOCK_GETTIME, syscall.SYS_EPOLL_CREATE1, syscall.SYS_EPOLL_CTL, syscall.SYS_EPOLL_PWAIT, 290,
		// Which are ours.
		syscall.SYS_NEWFSTATAT, syscall.SYS_OPENAT, syscall.SYS_FSTAT, syscall.SYS_FCNTL, syscall.SYS_FLOCK,
		syscall.SYS_PREAD64, syscall.SYS_PWRITE64, syscall.SYS_CLOSE, syscall.SYS_GETDENTS64, syscall.SYS_UNLINKAT, syscall.SYS_WAITID,
	})
	for i := 0; i < 35; i++ {
		functions[i]()
		if os.Args[1] == "timers" {
			time.Sleep(100 * time.Millisecond)
			continue
		}
		for began := time.Now(); time.Since(began) < 100*time.Millisecond; {
			syscall.Nanosleep(&syscall.Timespec{Nsec: 20e6}, nil)
		}
	}
	if os.Args[1] == "forbidden" {
		syscall.Getuid() // so that it is known to be confined
	}
	os.Exit(7)
}
`

// TestSeccomp checks that hitrt, once the program has started, makes no system calls
// but those that docs/reliability.md lists: a sandbox may kill it at any other.
func TestSeccomp(t *testing.T) {
	t.Parallel()
	marked := buildProgram(t, seccompMain, true)
	// What killed processes left is dealt with after a second: theirs with the same dataDir,
	// and with another one.
	killed := t.TempDir()
	if r := runDescriptors(t, marked, "forbidden", "SCAVENGER_DATA_DIR="+killed); r.end != "signal: bad system call (core dumped)" && r.end != "signal: bad system call" {
		t.Skipf("no filters here: %+v", r)
	}
	for _, mode := range []string{"quiet", "timers"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if r := runDescriptors(t, marked, "killed", "SCAVENGER_DATA_DIR="+dir); r.end != "signal: killed" {
				t.Fatalf("ended with %q", r.end)
			}
			r := runDescriptors(t, marked, mode, "SCAVENGER_DATA_DIR="+dir)
			if r.end != "exit status 7" || r.output != "" {
				t.Errorf("ended with %q and output %q", r.end, r.output)
			}
			known(t, knownToReport(t, dir))
		})
	}
}
