// Package toolchain reads and writes what the go command and its tools do: command
// lines and response files, importcfg files, archives and the objects in them, and
// what go list prints. It knows nothing of marks.
//
// It may import wrapper/toolchain/lean.
package toolchain

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ToolName returns the name of the tool that a file is: compile, link, …
func ToolName(path string) string {
	return strings.TrimSuffix(filepath.Base(path), ".exe")
}

// SiblingTool returns the path of another tool of the same distribution.
func SiblingTool(tool, name string) string {
	return filepath.Join(filepath.Dir(tool), name+filepath.Ext(tool))
}

// GoCommandOf returns the go command that a tool belongs to: the tool is
// $GOROOT/pkg/tool/linux_amd64/link.
func GoCommandOf(tool string) (string, error) {
	root := filepath.Join(filepath.Dir(tool), "..", "..", "..")
	for _, ext := range []string{"", ".exe"} {
		file := filepath.Join(root, "bin", "go"+ext)
		if _, err := os.Stat(file); err == nil {
			return file, nil
		}
	}
	return "", fmt.Errorf("no go command found for %s", tool)
}

// UnwrapExec returns err without the program name that exec.Error repeats.
func UnwrapExec(err error) error {
	var e *exec.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
