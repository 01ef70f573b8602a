// The process that started this one, as /proc describes it.

package toolchain

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A Parent is the go command that started this process.
type Parent struct {
	Program string // its executable
	Args    []string
	proc    string
}

// ReadParent returns an error if the parent is no go command. It needs /proc: what ps
// prints has lost the boundaries of arguments.
func ReadParent() (*Parent, error) {
	p := &Parent{proc: filepath.Join("/proc", fmt.Sprint(os.Getppid()))}
	var err error
	if p.Program, err = os.Readlink(filepath.Join(p.proc, "exe")); err != nil {
		return nil, errors.New("this system does not tell how the go command was called")
	}
	if filepath.Base(p.Program) != "go" {
		return nil, fmt.Errorf("started by %s, not by the go command", filepath.Base(p.Program))
	}
	args, err := readStrings(filepath.Join(p.proc, "cmdline"))
	if err != nil {
		return nil, err
	}
	p.Args = args[1:]
	return p, nil
}

// parentArgs returns the command line of the process that started this one. It needs
// /proc, too.
func parentArgs() ([]string, error) {
	return readStrings(filepath.Join("/proc", fmt.Sprint(os.Getppid()), "cmdline"))
}

// Environ returns the environment that the go command was started with.
func (p *Parent) Environ() ([]string, error) { return readStrings(filepath.Join(p.proc, "environ")) }

// readStrings reads a file of strings that each end with a zero byte.
func readStrings(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if len(text) == 0 {
		return nil, fmt.Errorf("%s: empty", file)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00"), nil
}
