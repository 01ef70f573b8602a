//go:build unix

package early

import (
	"os"
	"syscall"
)

func init() {
	s, ok := parse(os.Args)
	if !ok || os.Getenv(LogVariable) != "" || !isProgram(s.path) {
		return
	}
	switch s.do(os.Getenv) {
	case finished:
		os.Exit(0)
	case becomeTool:
		// It returns only if the tool cannot be started. main.main then says why.
		_ = syscall.Exec(s.path, append([]string{s.path}, s.args...), os.Environ())
	}
}

// isProgram reports whether we may run a file. If not, main.main says so, even if what the
// tool would write is there.
func isProgram(file string) bool {
	const execute = 1 // X_OK, which package syscall lacks
	info, err := os.Stat(file)
	return err == nil && !info.IsDir() && syscall.Access(file, execute) == nil
}
