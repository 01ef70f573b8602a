//go:build !unix

package wrapper

import "os/exec"

// replaceProcess runs the tool and waits for it, where a process cannot become
// another one.
func replaceProcess(path string, args []string) error {
	return runProcess(exec.Command(path, args...))
}
