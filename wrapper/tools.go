// The tools of a Go distribution, and the go command that they belong to.

package wrapper

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// toolName returns the name of the tool that a file is: compile, link, …
func toolName(path string) string {
	return strings.TrimSuffix(filepath.Base(path), ".exe")
}

// siblingTool returns the path of another tool of the same distribution.
func siblingTool(tool, name string) string {
	return filepath.Join(filepath.Dir(tool), name+filepath.Ext(tool))
}

// goCommandOf returns the go command that a tool belongs to: the tool is
// $GOROOT/pkg/tool/linux_amd64/link.
func goCommandOf(tool string) (string, error) {
	root := filepath.Join(filepath.Dir(tool), "..", "..", "..")
	for _, ext := range []string{"", ".exe"} {
		file := filepath.Join(root, "bin", "go"+ext)
		if _, err := os.Stat(file); err == nil {
			return file, nil
		}
	}
	return "", fmt.Errorf("no go command found for %s", tool)
}

// workDirectory returns the directory that a go command keeps the object
// directories of its actions in, "" if it is not known.
func workDirectory(file string) string {
	for dir := filepath.Dir(file); filepath.Dir(dir) != dir; dir = filepath.Dir(dir) {
		if strings.HasPrefix(filepath.Base(dir), "go-build") {
			return dir
		}
	}
	return ""
}

// unwrapExec returns err without the program name that exec.Error repeats.
func unwrapExec(err error) error {
	var e *exec.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
