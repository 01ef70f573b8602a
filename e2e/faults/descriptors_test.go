//go:build linux

// What a program does with the numbers of its descriptors.

package faults

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/naver/scavenger/scavenger-wrap/e2e/collector"
)

// descriptorsMain closes the descriptors that it inherited and then uses the numbers
// itself. It sleeps by a system call, so that the runtime starts no poller unless
// the program is told to have one.
const descriptorsMain = `package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func closeAll() {
	for fd := 3; fd < 256; fd++ {
		syscall.Close(fd)
	}
}

func create(name string) int {
	fd, err := syscall.Open(filepath.Join(os.Args[2], name), syscall.O_RDWR|syscall.O_CREAT|syscall.O_TRUNC, 0o666)
	check(err)
	return fd
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func row(fd, n int) {
	_, err := syscall.Write(fd, []byte(fmt.Sprintf("row %04d\n", n)))
	check(err)
}

func pause() {
	if os.Args[1] == "timers" {
		time.Sleep(100 * time.Millisecond)
		return
	}
	left := syscall.Timespec{Nsec: 100e6}
	for syscall.Nanosleep(&left, &left) == syscall.EINTR {
	}
}

// socket returns the descriptor that is a socket, which is none of ours.
func socket() int {
	for fd := 3; fd < 256; fd++ {
		name, _ := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
		if strings.HasPrefix(name, "socket:") {
			return fd
		}
	}
	return -1
}

// list prints which descriptors there are.
func list() {
	for fd := 3; fd < 256; fd++ {
		if name, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd)); err == nil {
			fmt.Println(fd, filepath.Base(name))
		}
	}
}

func main() {
	list()
	closeAll()
	if os.Args[1] == "timers" {
		pause()
	}
	log := create("log")
	taken := -1
	for i := 0; i < 35; i++ {
		functions[i]()
		if os.Args[1] == "timers" {
			// The poller of its own is not to be closed, but any other number may be.
			if fd := socket(); fd >= 0 && taken < 0 {
				check(syscall.Dup3(log, fd, syscall.O_CLOEXEC))
				taken = fd
			}
			if taken >= 0 {
				row(taken, 1000+i)
			} else {
				row(log, 1000+i)
			}
		} else {
			if i%10 == 9 {
				closeAll()
				log = create(fmt.Sprintf("log%d", i))
			}
			for fd := 3; fd < 13; fd++ {
				if fd != log {
					check(syscall.Dup3(log, fd, syscall.O_CLOEXEC))
				}
				row(fd, i)
			}
			for fd := 3; fd < 13; fd++ {
				if fd != log && fd%2 == i%2 {
					check(syscall.Close(fd))
				}
			}
		}
		row(log, i)
		pause()
	}
	if os.Getenv("TAKE") != "" {
		if taken < 0 {
			fmt.Println("there was no socket to take")
		}
		time.Sleep(9 * time.Second) // until nobody waits for an answer any more
	}
	if os.Args[1] == "quiet" {
		list()
	}
	// Nobody has closed a file of ours.
	row(log, 9998)
	if taken >= 0 {
		row(taken, 9999)
	} else {
		row(log, 9999)
	}
	check(syscall.Close(log))
	os.Exit(7)
}
`

// A descriptorsRun is what a run of that program left.
type descriptorsRun struct {
	end, output string
	files       map[string]string
}

// runDescriptors runs it with variables of its own.
func runDescriptors(t *testing.T, bin, mode string, env ...string) descriptorsRun {
	t.Helper()
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, bin, mode, dir)
	cmd.Env = append(os.Environ(), env...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	err := cmd.Run()
	run := descriptorsRun{files: map[string]string{}}
	if err != nil {
		run.end = err.Error()
	}
	run.output = output.String()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		run.files[e.Name()] = string(data)
	}
	return run
}

// same compares a run with that of the plain program.
func (r descriptorsRun) same(t *testing.T, plain descriptorsRun) {
	t.Helper()
	if r.end != plain.end || r.output != plain.output {
		t.Errorf("ended with %q, want %q; output:\n%.2000s\nwant:\n%.2000s", r.end, plain.end, r.output, plain.output)
	}
	for name, want := range plain.files {
		if got := r.files[name]; got != want {
			t.Errorf("%s has %d bytes, want %d:\n%.600q", name, len(got), len(want), got)
		}
	}
	if len(r.files) != len(plain.files) {
		t.Errorf("%d files, want %d", len(r.files), len(plain.files))
	}
}

// known checks that every call was recorded.
func known(t *testing.T, called map[string]bool) {
	t.Helper()
	for _, name := range []string{"f00", "f10", "f33", "f34"} {
		if !called[name] {
			t.Errorf("%s was called, and that is not known", name)
		}
	}
	if called["f35"] {
		t.Error("f35 is known to be called, and was not")
	}
}

// TestDescriptors checks that descriptors belong to the program: it may close any,
// and use any number for its own files.
func TestDescriptors(t *testing.T) {
	t.Parallel()
	marked, plain := buildProgram(t, descriptorsMain, true), buildProgram(t, descriptorsMain, false)
	wants := map[string]descriptorsRun{"quiet": runDescriptors(t, plain, "quiet"), "timers": runDescriptors(t, plain, "timers")}
	if n := len(wants["quiet"].files); wants["quiet"].end != "exit status 7" || n != 4 {
		t.Fatalf("the plain program: %q, %d files", wants["quiet"], n)
	}
	for mode, want := range wants {
		t.Run("inert_"+mode, func(t *testing.T) {
			t.Parallel()
			runDescriptors(t, marked, mode).same(t, want)
		})
		for _, fs := range []string{t.TempDir(), "/dev/shm"} {
			t.Run("dataDir_"+mode+"_"+filepath.Base(filepath.Dir(fs)), func(t *testing.T) {
				t.Parallel()
				dir, err := os.MkdirTemp(fs, "scavenger-faults-")
				if err != nil {
					t.Skip(err)
				}
				defer os.RemoveAll(dir)
				runDescriptors(t, marked, mode, "SCAVENGER_DATA_DIR="+dir).same(t, want)
				known(t, knownToReport(t, dir))
			})
		}
		t.Run("collector_"+mode, func(t *testing.T) {
			t.Parallel()
			c, err := collector.Start(collector.Options{NoJitter: true})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			runDescriptors(t, marked, mode, "SCAVENGER_SERVER_URL="+c.URL(), "SCAVENGER_API_KEY="+collector.DemoKey).same(t, want)
			known(t, knownToCollector(c))
		})
	}
	// The connection to a collector that does not answer is open all the time. The
	// program takes its number: hitrt must not write to what has it then, nor close it.
	t.Run("connection", func(t *testing.T) {
		t.Parallel()
		r := runDescriptors(t, marked, "timers", "TAKE=1", "SCAVENGER_LOG_FILE="+filepath.Join(t.TempDir(), "log"), "SCAVENGER_SCHEDULER_INITIAL_DELAY_MILLIS=500",
			"SCAVENGER_SERVER_URL="+hangingServer(t), "SCAVENGER_API_KEY="+collector.DemoKey)
		r.same(t, wants["timers"])
	})
}
