//go:build !unix

package action

import "os/exec"

// ReplaceProcess runs the tool and waits for it, where a process cannot become
// another one.
func ReplaceProcess(path string, args []string) error {
	return RunProcess(exec.Command(path, args...))
}
