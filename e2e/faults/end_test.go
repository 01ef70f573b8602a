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
	"runtime"
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
	case "timer": // nothing runs until it fires, and then a goroutine that outlives it
		call(1)
		time.AfterFunc(1500*time.Millisecond, func() {
			call(2)
			go func() {
				time.Sleep(300 * time.Millisecond)
				call(3)
			}()
		})
		runtime.Goexit()
	case "fork", "clone":
		call(1)
		signal := syscall.SIGCHLD
		if os.Args[1] == "clone" {
			signal = 0 // its end is told to nobody
		}
		child, _, _ := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(signal), 0, 0, 0, 0, 0)
		if child == 0 {
			pause := syscall.Timespec{Nsec: 300e6}
			syscall.RawSyscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&pause)), 0, 0)
			functions[2]()
			syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 0, 0, 0)
		}
	}
}
`

// A goroutine that ends while main returns, a child that was forked without exec and
// outlives its parent, and a timer that fires when no goroutine is left: what they called
// is known.
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
		if mode == "timer" { // the runtime ends it
			cmd.Stderr = nil
		}
		if err := cmd.Run(); (err != nil) != (mode == "timer") {
			t.Fatal(err)
		}
		said := out.String()
		if mode == "fork" || mode == "clone" {
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
	run("clone")
	run("timer")
}
