//go:build linux

// Signals of programs with C code, and of C programs with a marked Go library.

package faults

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// handlerInC has a handler in C, which ends the process itself or calls the one that
// was there before.
const handlerInC = `package main

/*
#include <signal.h>
#include <unistd.h>

static struct sigaction before[32];

static void ends(int n) { _exit(40 + n); }
static void chains(int n, siginfo_t *info, void *context) { before[n].sa_sigaction(n, info, context); }

static void install(int chain) {
	struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };
	int all[] = { SIGTERM, SIGINT, SIGHUP };
	action.sa_sigaction = chain ? chains : (void (*)(int, siginfo_t *, void *))ends;
	for (int i = 0; i < 3; i++) sigaction(all[i], &action, &before[all[i]]);
}
*/
import "C"

import (
	"fmt"
	"os"
	"time"
)

func main() {
	for _, f := range functions[:8] {
		f()
	}
	if os.Args[1] == "chains" {
		C.install(1)
	} else {
		C.install(0)
	}
	fmt.Println("ready")
	time.Sleep(5 * time.Minute)
}
`

// Handlers in C do what they do without us.
func TestSignalsInC(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("no C compiler")
	}
	plain, marked := buildProgram(t, handlerInC, false), buildProgram(t, handlerInC, true)
	for _, mode := range []string{"ends", "chains"} {
		for _, sig := range endingSignals {
			row := signalled{mode: mode, signals: []syscall.Signal{sig}}
			want := row.run(t, plain)
			row.env = toServer("http://127.0.0.1:1")
			if got := row.run(t, marked); got != want {
				t.Errorf("%s, %v: it ended with %q, the plain one with %q", mode, sig, got, want)
			}
		}
	}
}

// signalHost loads the library and prints which signals have a handler.
const signalHost = `#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
	void *lib = dlopen(argv[1], RTLD_NOW);
	if (!lib) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	((void (*)(int))dlsym(lib, "Call"))(0);
	usleep(100 * 1000);
	FILE *status = fopen("/proc/self/status", "r");
	char line[256];
	while (fgets(line, sizeof line, status))
		if (!strncmp(line, "SigIgn", 6) || !strncmp(line, "SigCgt", 6)) fputs(line, stdout);
	return 0;
}
`

// A library leaves signals to its host, whatever flushOnSignal says. It needs a standard
// library of its own.
func TestHeavySignalsLibrary(t *testing.T) {
	program.Heavy(t)
	t.Parallel()
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("no C compiler")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/app\n\ngo 1.24\n", "main.go": libraryMain, "functions.go": faultyFunctions(), "host/host.c": signalHost,
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"go", "build", "-buildmode=c-shared", "-o", "plain.so", "."},
		{"go", "build", "-buildmode=c-shared", "-toolexec=" + built.File(t), "-o", "marked.so", "."},
		{"gcc", "-o", "app", "host/host.c", "-ldl"},
	} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
	}
	row := signalled{mode: filepath.Join(dir, "plain.so"), env: toServer("http://127.0.0.1:1", "SCAVENGER_FLUSH_ON_SIGNAL=true")}
	want := row.run(t, filepath.Join(dir, "app"))
	row.mode = filepath.Join(dir, "marked.so")
	if got := row.run(t, filepath.Join(dir, "app")); got != want || !strings.Contains(got, "SigCgt") {
		t.Errorf("with marks the host writes\n%s\nwithout\n%s", got, want)
	}
}
