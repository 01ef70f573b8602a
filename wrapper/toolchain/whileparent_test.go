//go:build unix

package toolchain

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

// What runs for a go command ends if that is killed. The parent here is a shell.
func TestWhileParent(t *testing.T) {
	const variable = "SCAVENGER_TEST_WHILE_PARENT"
	if os.Getenv(variable) != "" {
		ctx, stop := WhileParent()
		defer stop()
		fmt.Println("started")
		select {
		case <-ctx.Done():
			fmt.Println("ended")
		case <-time.After(time.Minute):
			fmt.Println("goes on")
		}
		os.Exit(0)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	shell := exec.Command("sh", "-c", `"$0" -test.run='^TestWhileParent$' & wait`, os.Args[0])
	shell.Env = append(os.Environ(), variable+"=1")
	shell.Stdout = write
	err = shell.Start()
	write.Close()
	if err != nil {
		t.Fatal(err)
	}
	said := bufio.NewScanner(read)
	for _, want := range []string{"started", "ended"} {
		if said.Scan(); said.Text() != want {
			t.Fatalf("the child says %q, want %q", said.Text(), want)
		}
		_ = shell.Process.Kill()
		_ = shell.Wait() // it was killed
	}
}

// A caller that is done ends it.
func TestWhileParentStopped(t *testing.T) {
	ctx, stop := WhileParent()
	if ctx.Err() != nil {
		t.Fatal("it ended although the parent lives")
	}
	stop()
	<-ctx.Done()
}
