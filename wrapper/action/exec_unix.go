//go:build unix

package action

import (
	"fmt"
	"os"
	"syscall"
)

// ReplaceProcess becomes the tool: it keeps our descriptors, signals, resource
// usage and process ID. It returns only if the tool cannot be started.
func ReplaceProcess(path string, args []string) error {
	err := syscall.Exec(path, append([]string{path}, args...), os.Environ())
	return fmt.Errorf("running %s: %w", path, err)
}
