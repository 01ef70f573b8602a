// Running go list.

package toolchain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// A ListedPackage is what go list says of a package. It has the fields that we ask for.
type ListedPackage struct {
	ImportPath, Name, Dir, ForTest     string
	Standard, DepOnly                  bool
	Module                             *struct{ Main bool }
	Imports                            []string
	Export, BuildID                    string
	GoFiles, CompiledGoFiles, CgoFiles []string
	SFiles, HFiles                     []string
	Error                              *struct{ Err string }
}

// A GoList says how to run go list.
type GoList struct {
	Program string   // the go command
	Dir     string   // "" for the working directory
	Env     []string // nil for that of this process
	Flags   []string // those of the build
}

// A ListError is the failure of a go list.
type ListError struct {
	Err    error
	Stderr string
}

// Error returns the error with all that the go command says.
func (e *ListError) Error() string { return e.text("\n", e.Stderr) }

// Unwrap returns the error without what the go command says.
func (e *ListError) Unwrap() error { return e.Err }

// Short returns the error in one line.
func (e *ListError) Short() string {
	first, _, _ := strings.Cut(e.Stderr, "\n")
	return e.text(": ", first)
}

func (e *ListError) text(separator, said string) string {
	text := fmt.Sprintf("go list: %v", e.Err)
	if said != "" { // nothing if it did not start
		text += separator + said
	}
	return text
}

// Packages returns the packages that patterns name, with the given fields, which are
// separated by commas. flags are further flags of go list.
func (g GoList) Packages(ctx context.Context, fields string, flags []string, patterns ...string) ([]ListedPackage, error) {
	args := slices.Concat([]string{"list"}, g.Flags, flags, []string{"-json=" + fields, "--"}, patterns)
	cmd := exec.CommandContext(ctx, g.Program, args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = g.Dir, g.Env, time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, &ListError{err, strings.TrimSpace(stderr.String())}
	}
	var packages []ListedPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p ListedPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		packages = append(packages, p)
	}
}
