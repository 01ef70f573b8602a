//go:build linux

// The program that most tests end, and how programs are built.

package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// faultyMain is a program that prints the name of each function after it has called
// it, and then ends in the way that its argument names.
const faultyMain = `package main

import (
	"context"
	"fmt"
	"log"
	"math/rand"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

func kill(s syscall.Signal) {
	syscall.Kill(os.Getpid(), s)
	time.Sleep(time.Minute)
}

var sink []byte

// waitForMarks waits until calls survive anything. A start goes on without that after a
// quarter of a second, which a busy machine may take.
func waitForMarks() {
	for i := 0; i < 1000 && os.Getenv("SCAVENGER_DATA_DIR") != ""; i++ {
		if maps, _ := os.ReadFile("/proc/self/maps"); strings.Contains(string(maps), ".marks") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func main() {
	mode, received := os.Args[1], make(chan os.Signal, 1)
	waitForMarks()
	if mode == "ignore" {
		signal.Ignore(syscall.SIGINT)
	}
	for _, i := range rand.Perm(len(functions)) {
		functions[i]()
		fmt.Printf("called f%02d\n", i)
		if mode == "work" {
			time.Sleep(time.Duration(rand.Intn(1000)) * time.Microsecond)
		} else if i == 7 {
			break
		}
	}
	fmt.Println("fault")
	switch mode {
	case "return":
	case "exit0":
		os.Exit(0)
	case "exit3":
		os.Exit(3)
	case "fatal":
		log.Fatal("fatal")
	case "panic":
		panic("panic")
	case "panicGoroutine":
		go panic("panic")
		select {}
	case "goexit":
		runtime.Goexit()
	case "term":
		kill(syscall.SIGTERM)
	case "int":
		kill(syscall.SIGINT)
	case "hup":
		kill(syscall.SIGHUP)
	case "quit":
		kill(syscall.SIGQUIT)
	case "abort":
		kill(syscall.SIGABRT)
	case "notify":
		signal.Notify(received, syscall.SIGTERM)
		syscall.Kill(os.Getpid(), syscall.SIGTERM)
		<-received
	case "notifyContext":
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT)
		defer stop()
		syscall.Kill(os.Getpid(), syscall.SIGINT)
		<-ctx.Done()
	case "ignore":
		syscall.Kill(os.Getpid(), syscall.SIGINT)
	case "killAgain":
		signal.Notify(received, syscall.SIGHUP)
		syscall.Kill(os.Getpid(), syscall.SIGHUP)
		<-received
		signal.Reset(syscall.SIGHUP)
		kill(syscall.SIGHUP)
	case "kill":
		kill(syscall.SIGKILL)
	case "memory":
		n := uint64(1) << 42 // for more, the runtime first makes tables for seconds
		sink = make([]byte, n)
	case "fork":
		// As C code may do it: the child has one thread and shares the mapped file.
		child, _, errno := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
		if errno != 0 {
			panic(errno)
		}
		if child == 0 {
			functions[39]()
			pause := syscall.Timespec{Nsec: 100e6}
			syscall.RawSyscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&pause)), 0, 0)
			syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 0, 0, 0)
		}
		syscall.Wait4(int(child), nil, 0, nil)
	case "exec":
		syscall.Exec("/bin/true", []string{"true"}, os.Environ())
	default:
		select {}
	}
}
`

// faultyFunctions is the rest of the program.
func faultyFunctions() string {
	var b strings.Builder
	b.WriteString("package main\n\nvar functions = []func(){")
	for i := range 40 {
		fmt.Fprintf(&b, "f%02d, ", i)
	}
	b.WriteString("}\n\n")
	for i := range 40 {
		fmt.Fprintf(&b, "func f%02d() {}\n", i)
	}
	return b.String()
}

func buildFaulty(t *testing.T) string { return buildProgram(t, faultyMain, true) }

// A source is what a program is built from.
type source struct {
	main   string
	marked bool
}

// programs are those that are built, by source.
var programs sync.Map

// buildProgram builds a program from a file with main and one with the functions, or
// returns the one that another test has built.
func buildProgram(t *testing.T, main string, marked bool) string {
	t.Helper()
	wrapper := built.File(t)
	build, _ := programs.LoadOrStore(source{main, marked}, sync.OnceValues(func() (string, error) {
		return goBuild(wrapper, main, marked)
	}))
	bin, err := build.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

func goBuild(wrapper, main string, marked bool) (bin string, err error) {
	dir, err := os.MkdirTemp(built.Dir, "app")
	if err != nil {
		return "", err
	}
	for name, text := range map[string]string{
		"go.mod": "module example.com/app\n\ngo 1.24\n", "main.go": main, "functions.go": faultyFunctions(),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			return "", err
		}
	}
	bin = filepath.Join(dir, "app")
	args := []string{"build", "-o", bin}
	if marked {
		args = append(args, "-toolexec="+wrapper)
	}
	cmd := exec.Command("go", append(args, ".")...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return bin, nil
}
