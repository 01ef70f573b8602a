//go:build linux

// What survives the end of a C program that has a marked Go library in it.

package faults

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/naver/scavenger/scavenger-wrap/e2e/collector"
	"github.com/naver/scavenger/scavenger-wrap/e2e/program"
)

// libraryHost loads the library with dlopen, calls functions of it, prints their
// names, and ends in the way that its argument names.
const libraryHost = `#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
	const char *mode = argv[2];
	void *lib = dlopen(argv[1], RTLD_NOW);
	if (!lib) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	void (*call)(int) = (void (*)(int))dlsym(lib, "Call");
	for (int i = 0; i < 12; i++) {
		call(i);
		printf("called f%02d\n", i);
	}
	if (!strcmp(mode, "fork")) {
		fflush(stdout);
		pid_t child = fork();
		if (child == 0) {
			usleep(100 * 1000);
			exit(0); /* with what C does at exit */
		}
		int status;
		waitpid(child, &status, 0);
		call(12);
		printf("called f12\n");
		mode = "return";
	}
	printf("fault\n");
	fflush(stdout);
	if (!strcmp(mode, "exit")) exit(3);
	if (!strcmp(mode, "_exit")) _exit(0);
	if (!strcmp(mode, "abort")) abort();
	if (!strcmp(mode, "kill")) kill(getpid(), SIGKILL);
	if (!strcmp(mode, "term")) kill(getpid(), SIGTERM);
	if (!strcmp(mode, "dlclose")) {
		dlclose(lib); /* Go libraries are never unloaded */
		usleep(1500 * 1000);
		_exit(0);
	}
	return 0;
}
`

const libraryMain = `package main

import "C"

//export Call
func Call(i C.int) { functions[i]() }

func main() {}
`

// TestHeavyLibrary checks that calls are known although a host that ends runs no
// code of the library: its files must have them by then. A C library needs a standard
// library that is compiled as such.
func TestHeavyLibrary(t *testing.T) {
	program.Heavy(t)
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("no C compiler")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/app\n\ngo 1.24\n", "main.go": libraryMain, "functions.go": faultyFunctions(), "host/host.c": libraryHost,
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	library, host := filepath.Join(dir, "libapp.so"), filepath.Join(dir, "app")
	for _, args := range [][]string{
		{"go", "build", "-buildmode=c-shared", "-toolexec=" + built.File(t), "-o", library, "."},
		{"gcc", "-o", host, "host/host.c", "-ldl"},
	} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
	}
	c, err := collector.Start(collector.Options{NoJitter: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, mode := range []string{"return", "exit", "_exit", "abort", "term", "kill", "dlclose", "fork"} {
		for _, server := range []string{"", c.URL(), "http://127.0.0.1:1"} {
			t.Run(mode+"_"+strings.NewReplacer(":", "", "/", "", ".", "").Replace(server), func(t *testing.T) {
				data := t.TempDir()
				called, delay := runFaulty(t, host, library+" "+mode, data, server, nil)
				for i := 1; i < tries && delay > exitLimit; i++ {
					_, again := runFaulty(t, host, library+" "+mode, t.TempDir(), server, nil)
					delay = min(delay, again)
				}
				if len(called) < 12 {
					t.Fatalf("called %q", called)
				}
				var row faultRow
				row.compare(called, knownToReport(t, data))
				if len(row.lost) > 0 {
					t.Errorf("%q lost", row.lost)
				}
				if known := knownToReport(t, data); known["f13"] || known["f39"] {
					t.Errorf("known: %v, want nothing that was not called", known)
				}
				if limit := exitLimit; delay > limit {
					if limit += busyDelay(t, host, library+" "+mode); delay > limit {
						t.Errorf("the exit took %v, want at most %v", delay, limit)
					}
				}
			})
		}
	}
	if err := c.Check(context.Background()); err != nil {
		t.Error(err)
	}
}
