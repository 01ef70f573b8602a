package main

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestProcessCPU(t *testing.T) {
	child := exec.Command("sh", "-c", "while :; do :; done")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = child.Process.Kill()
		_ = child.Wait() // killed
	}()
	deadline := time.Now().Add(time.Minute)
	for {
		used, err := processCPU(child.Process.Pid)
		if err != nil {
			t.Fatal(err)
		}
		if used > 20*time.Millisecond {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("a busy process has had %v of CPU in a minute", used)
		}
		time.Sleep(5 * time.Millisecond)
	}
	// The account of this process is the one that it is given itself.
	var own syscall.Rusage
	used, err := processCPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		t.Fatal(err)
	}
	if later := time.Duration(own.Utime.Nano() + own.Stime.Nano()); used > later+20*time.Millisecond {
		t.Errorf("processCPU of this process = %v, getrusage says %v", used, later)
	}
}

func TestProcessCPUOfNobody(t *testing.T) {
	child := exec.Command("true")
	if err := child.Run(); err != nil {
		t.Fatal(err)
	}
	if used, err := processCPU(child.Process.Pid); err == nil {
		t.Errorf("a process that ended has %v of CPU, want an error", used)
	}
}

func TestStartOn(t *testing.T) {
	all, err := cpus()
	if err != nil {
		t.Fatal(err)
	}
	for _, on := range [][]int{all[len(all)-1:], all} {
		child := exec.Command("sh", "-c", "sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/$$/status")
		var out strings.Builder
		child.Stdout = &out
		if err := startOn(on, child.Start); err != nil {
			t.Fatal(err)
		}
		if err := child.Wait(); err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(out.String()); len(on) == 1 && got != strconv.Itoa(on[0]) {
			t.Errorf("a process started on %v may use %s", on, got)
		}
		if after, err := cpus(); err != nil || len(after) != len(all) {
			t.Errorf("after a start on %v this process may use %v, %v, want %v", on, after, err, all)
		}
	}
}
