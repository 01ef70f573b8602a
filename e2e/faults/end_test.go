//go:build linux

package faults

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// endMain is a program that ends while something of it still calls functions.
const endMain = `package main

import (
	"fmt"
	"math/rand"
	"os"
	"syscall"
	"time"
	"unsafe"
)

func call(i int) {
	functions[i]()
	syscall.Write(1, []byte(fmt.Sprintf("called f%02d\n", i)))
}

func main() {
	switch os.Args[1] {
	case "goroutine": // which ends at about the same time
		go func() {
			for i := range functions {
				call(i)
			}
		}()
		time.Sleep(time.Duration(rand.Intn(1500)) * time.Microsecond)
	case "fork":
		call(1)
		child, _, _ := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
		if child == 0 {
			pause := syscall.Timespec{Nsec: 300e6}
			syscall.RawSyscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&pause)), 0, 0)
			functions[2]()
			syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 0, 0, 0)
		}
	}
}
`

// A goroutine that ends while main returns, and a child that was forked without exec and
// outlives its parent: what they called is known.
func TestFaultsOthersAtEnd(t *testing.T) {
	t.Parallel()
	bin := buildProgram(t, endMain, true)
	run := func(mode string) {
		t.Helper()
		dir := t.TempDir()
		cmd := exec.Command(bin, mode)
		cmd.Env = append(os.Environ(), "SCAVENGER_DATA_DIR="+dir)
		var out bytes.Buffer // Wait returns when a child has closed it, too
		cmd.Stdout, cmd.Stderr = &out, os.Stderr
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		said := out.String()
		if mode == "fork" {
			said += "called f02\n"
		}
		known := knownToReport(t, dir)
		for line := range strings.Lines(said) {
			var name string
			if _, err := fmt.Sscanf(line, "called %s", &name); err != nil {
				t.Fatalf("it says %q", line)
			}
			if !known[name] {
				t.Errorf("%s: %s was called, and is not known; all: %q", mode, name, said)
				return
			}
		}
	}
	for range *kills {
		run("goroutine")
	}
	run("fork")
}
